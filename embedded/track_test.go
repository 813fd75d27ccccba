package embedded

import (
	"fmt"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/larder-go/larder/conn"
)

// heard listens to c's pushes; take returns and forgets them.
func heard(c *Conn) (tr conn.Tracker, take func() []string) {
	tr, _ = c.Tracker()
	var mu sync.Mutex
	var got []string
	tr.Listen(func(keys []string) {
		mu.Lock()
		defer mu.Unlock()
		if keys == nil {
			keys = []string{"<all>"}
		}
		got = append(got, keys...)
	})
	return tr, func() []string {
		mu.Lock()
		defer mu.Unlock()
		out := got
		got = nil
		slices.Sort(out)
		return out
	}
}

func TestWritesPushOnce(t *testing.T) {
	for _, tc := range []struct {
		setup, read, write []string
		want               []string
	}{
		{nil, []string{"GET", "a"}, []string{"SET", "a", "1"}, []string{"a"}},
		{[]string{"SET", "a", "1"}, []string{"GET", "a"}, []string{"SET", "a", "1"}, []string{"a"}},
		{nil, []string{"MGET", "a", "b", "c"}, []string{"MSET", "b", "1", "c", "2", "d", "3"}, []string{"b", "c"}},
		{[]string{"MSET", "a", "1", "b", "2"}, []string{"MGET", "a", "b"}, []string{"DEL", "a", "b", "x"}, []string{"a", "b"}},
		{[]string{"SET", "a", "1"}, []string{"GETRANGE", "a", "0", "1"}, []string{"UNLINK", "a"}, []string{"a"}},
		{[]string{"SET", "a", "1"}, []string{"MGET", "a", "b"}, []string{"RENAME", "a", "b"}, []string{"a", "b"}},
		{[]string{"SET", "a", "1"}, []string{"GET", "a"}, []string{"GETDEL", "a"}, []string{"a"}},
		{[]string{"SET", "a", "1"}, []string{"GET", "a"}, []string{"EXPIRE", "a", "100"}, []string{"a"}},
		{[]string{"SET", "a", "1"}, []string{"GET", "a"}, []string{"PEXPIRE", "a", "100"}, []string{"a"}},
		{[]string{"SET", "a", "1"}, []string{"GET", "a"}, []string{"PEXPIREAT", "a", "1"}, []string{"a"}},
		{[]string{"SET", "a", "1"}, []string{"GET", "a"}, []string{"INCR", "a"}, []string{"a"}},
		{[]string{"SET", "a", "1"}, []string{"GET", "a"}, []string{"FLUSHALL"}, []string{"<all>"}},
		{[]string{"SET", "a", "1"}, []string{"GET", "a"}, []string{"FLUSHDB"}, []string{"<all>"}},
		{nil, []string{"GET", "a"}, []string{"EVAL", "redis.call('SET', 'a', 1) redis.call('SET', 'a', 2)", "0"}, []string{"a"}},
		{[]string{"SADD", "s", "m"}, []string{"SMEMBERS", "s"}, []string{"SREM", "s", "m"}, []string{"s"}},
		{[]string{"SADD", "s", "m"}, []string{"SINTER", "s", "u"}, []string{"SUNIONSTORE", "u", "s"}, []string{"u"}},
		{[]string{"ZADD", "z", "1", "m"}, []string{"ZUNION", "2", "z", "y"}, []string{"ZUNIONSTORE", "y", "1", "z"}, []string{"y"}},
		{[]string{"XADD", "x", "1-1", "f", "v"}, []string{"XREAD", "STREAMS", "x", "0"}, []string{"XADD", "x", "2-1", "f", "v"}, []string{"x"}},
		{nil, []string{"TTL", "a"}, []string{"SET", "a", "1"}, []string{"a"}},
		{nil, []string{"EXISTS", "a", "b"}, []string{"SET", "b", "1"}, []string{"b"}},
		// What changes nothing pushes nothing.
		{[]string{"SET", "a", "1"}, []string{"GET", "a"}, []string{"SET", "a", "2", "NX"}, nil},
		{[]string{"SET", "a", "1"}, []string{"GET", "a"}, []string{"SETNX", "a", "2"}, nil},
		{nil, []string{"GET", "a"}, []string{"DEL", "a"}, nil},
		{nil, []string{"GET", "a"}, []string{"EXPIRE", "a", "10"}, nil},
		{[]string{"SET", "a", "1"}, []string{"GET", "a"}, []string{"GET", "a"}, nil},
		{[]string{"SET", "a", "1"}, []string{"GET", "a"}, []string{"EVAL", "return redis.pcall('LPUSH', 'a', 1).err", "0"}, nil},
		// A write through the Tracker does not make it track.
		{nil, []string{"SET", "a", "1"}, []string{"SET", "a", "2"}, nil},
		{nil, []string{"EVAL", "redis.call('GET', 'a') redis.call('SET', 'a', 1)", "0"}, []string{"SET", "a", "2"}, []string{}},
		{nil, []string{"EVAL", "redis.call('SET', 'a', 1) return redis.call('GET', 'a')", "0"}, []string{"SET", "a", "2"}, []string{"a"}},
	} {
		for _, who := range []string{"another", "the same"} {
			t.Run(fmt.Sprintf("%s then %s by %s", tc.read, tc.write, who), func(t *testing.T) {
				c := open(t, Options{})
				tr, take := heard(c)
				writer := c
				if who == "another" {
					writer = c.engine.Connect()
				}
				if tc.setup != nil {
					do(t, writer, tc.setup...)
				}
				do(t, tr, tc.read...)
				take()
				want := tc.want
				for range 2 {
					do(t, writer, tc.write...)
					if got := take(); !slices.Equal(got, want) {
						t.Errorf("got %q, want %q", got, want)
					}
					if tc.write[0] == "FLUSHALL" || tc.write[0] == "FLUSHDB" || want == nil {
						return
					}
					want = nil // forgotten until read again
					if tc.write[0] == "RENAME" || tc.write[0] == "XADD" {
						return // cannot be repeated
					}
				}
			})
		}
	}
}

func TestOnlyTrackersTrack(t *testing.T) {
	c := open(t, Options{})
	_, take := heard(c)
	do(t, c, "GET", "a")
	eval(t, c, "return redis.call('GET', KEYS[1])", []string{"a"})
	do(t, c, "SET", "a", "1")
	if got := take(); got != nil {
		t.Errorf("got %q", got)
	}
	other, takeOther := heard(c.engine.Connect())
	do(t, other, "GET", "a")
	do(t, c, "SET", "a", "2")
	if got := take(); got != nil {
		t.Errorf("the wrong listener got %q", got)
	}
	if got := takeOther(); !slices.Equal(got, []string{"a"}) {
		t.Errorf("got %q", got)
	}
}

func TestTrackedKeysAreBounded(t *testing.T) {
	c := open(t, Options{})
	tr, take := heard(c)
	const extra = 3
	cmd := conn.Cmd("EXISTS")
	for i := range maxTracked + extra {
		cmd.Args = append(cmd.Args, strconv.Itoa(i))
	}
	if _, err := tr.Do(t.Context(), cmd); err != nil {
		t.Fatal(err)
	}
	if got := take(); len(got) != extra {
		t.Errorf("%d pushes, want %d", len(got), extra)
	}
	if n := len(c.tracked); n != maxTracked {
		t.Errorf("%d keys tracked", n)
	}
}

// A reply that shows a change must not arrive before the push of an earlier
// change, whoever delivers it.
func TestPushesPrecedeReplies(t *testing.T) {
	c := open(t, Options{})
	tr, _ := c.Tracker()
	var pushed atomic.Int64
	tr.Listen(func([]string) { pushed.Add(1) })
	writer := c.engine.Connect()
	var wg sync.WaitGroup
	wg.Go(func() {
		for i := range 2000 {
			do(t, writer, "SET", "data", strconv.Itoa(i+1))
		}
	})
	for {
		// Tracks data; the reply tells how many writes have come before, and
		// each of those that found data tracked has pushed.
		before := pushed.Load()
		v := do(t, tr, "GET", "data")
		again := do(t, tr, "GET", "data")
		if v.Str != again.Str && pushed.Load() == before {
			t.Fatalf("data went from %q to %q without a push", v.Str, again.Str)
		}
		if again.Str == "2000" {
			break
		}
	}
	wg.Wait()
}

func TestClosedConnIsForgotten(t *testing.T) {
	c := open(t, Options{})
	other := c.engine.Connect()
	tr, take := heard(other)
	do(t, tr, "GET", "a")
	epoch := tr.Epoch("a")
	before := epoch.Load()
	if err := other.Close(); err != nil {
		t.Fatal(err)
	}
	if epoch.Load() == before {
		t.Error("the epoch goes on")
	}
	do(t, c, "SET", "a", "1")
	if got := take(); got != nil {
		t.Errorf("got %q", got)
	}
	if n := len(c.engine.conns); n != 1 {
		t.Errorf("%d clients", n)
	}
}
