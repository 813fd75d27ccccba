package cachetest

import (
	"slices"
	"testing"

	"github.com/larder-go/larder/conn"
)

func (s *connSuite) trackers(t *testing.T) {
	c, other := s.handle(t), s.handle(t)
	tr, ok := c.Tracker()
	if can := c.Capabilities().Tracking; ok != can || ok != (tr != nil) {
		t.Fatalf("Tracker() = %v, %v, but Capabilities.Tracking is %v", tr, ok, can)
	}
	if !ok {
		t.Skip("the backend does not track")
	}
	set := func(t *testing.T, c conn.Doer, k string) {
		t.Helper()
		must(t, c, conn.Key("SET", k, "x"))
	}
	get := func(t *testing.T, k string) conn.Value {
		t.Helper()
		return must(t, tr, conn.Key("GET", k))
	}
	t.Run("missing key", func(t *testing.T) {
		k, p := key("k"), listen(t, tr)
		if v := get(t, k); !v.IsNil() {
			t.Fatalf("got %+v", v)
		}
		set(t, other, k)
		p.want(t, k)
	})
	t.Run("write of another handle", func(t *testing.T) {
		k := key("k")
		set(t, other, k)
		p := listen(t, tr)
		if v := get(t, k); v.Str != "x" {
			t.Fatalf("got %+v", v)
		}
		set(t, other, k)
		p.want(t, k)
		set(t, other, k) // not read since: no push
		get(t, k)
		set(t, other, k)
		p.want(t, k)
		p.empty(t)
	})
	t.Run("own write", func(t *testing.T) {
		k, p := key("k"), listen(t, tr)
		get(t, k)
		set(t, c, k)
		p.want(t, k)
	})
	t.Run("push before later reply", func(t *testing.T) {
		k, p := key("k"), listen(t, tr)
		for range 100 {
			get(t, k)
			set(t, other, k)
			get(t, k)
			if len(p.keys) == 0 {
				t.Fatal("the reply came before the push of an earlier write")
			}
			p.want(t, k)
		}
	})
	t.Run("pipeline", func(t *testing.T) {
		p := listen(t, tr)
		keys, cmds := make([]string, 30), make([]conn.Command, 30)
		for i := range keys {
			keys[i] = key("k")
			set(t, other, keys[i])
			cmds[i] = conn.Key("GET", keys[i])
		}
		for i, r := range tr.Pipeline(t.Context(), cmds...) {
			if r.Err != nil || r.Value.Str != "x" {
				t.Fatalf("result %d is %+v", i, r)
			}
		}
		for _, k := range keys {
			set(t, other, k)
			p.want(t, k)
		}
	})
	t.Run("script that ends with a read", func(t *testing.T) {
		script := fresh(`redis.call('SET', KEYS[1], ARGV[1]); return redis.call('GET', KEYS[1])`)
		k := key("k")
		v, err := tr.Eval(t.Context(), script, []string{k}, []string{"1"})
		if err != nil || v.Str != "1" {
			t.Fatalf("got %+v, %v", v, err)
		}
		p := listen(t, tr)
		set(t, other, k)
		p.want(t, k)
		calls := []conn.ScriptCall{{Keys: []string{key("k")}, Args: []string{"1"}}, {Keys: []string{key("k")}, Args: []string{"2"}}}
		for i, r := range tr.EvalEach(t.Context(), script, calls...) {
			if r.Err != nil || r.Value.Str != calls[i].Args[0] {
				t.Fatalf("result %d is %+v", i, r)
			}
		}
		for _, call := range calls {
			set(t, other, call.Keys[0])
			p.want(t, call.Keys[0])
		}
	})
	t.Run("expiry", func(t *testing.T) {
		k := key("k")
		must(t, other, conn.Key("SET", k, "x", "PX", "300"))
		p := listen(t, tr)
		get(t, k)
		p.want(t, k)
	})
	t.Run("epoch stands", func(t *testing.T) {
		k := key("k")
		epoch := tr.Epoch(k)
		get(t, k) // may open the connection
		before := epoch.Load()
		for range 100 {
			get(t, k)
		}
		if epoch.Load() != before || tr.Epoch(k) != epoch {
			t.Error("the epoch changed without reason")
		}
	})
	t.Run("announce", func(t *testing.T) {
		p, q := listen(t, tr), listen(t, tr)
		tr.Announce("a", "b")
		for _, p := range []*pushes{p, q} {
			if len(p.keys) != 1 {
				t.Fatalf("Announce returned, and a listener was called %d times", len(p.keys))
			}
			if keys := <-p.keys; !slices.Equal(keys, []string{"a", "b"}) {
				t.Errorf("got %q", keys)
			}
		}
		tr.Announce()
		if len(p.keys) != 0 {
			t.Error("Announce without keys called a listener: that would mean all keys")
		}
	})
	t.Run("stop", func(t *testing.T) {
		k, p, q := key("k"), listen(t, tr), listen(t, tr)
		get(t, k)
		p.stop()
		set(t, other, k)
		q.want(t, k)
		tr.Announce(k)
		p.empty(t)
		p.stop()
	})
	t.Run("flush", func(t *testing.T) { // the last one: each connection tells of it in its own time
		k, p := key("k"), listen(t, tr)
		epoch := tr.Epoch(k)
		get(t, k)
		before := epoch.Load()
		// By a script, so that it reaches the node of the key.
		if _, err := other.Eval(t.Context(), fresh(`return redis.call('FLUSHALL')`), []string{k}, nil); err != nil {
			t.Fatal(err)
		}
		for told := false; !told || epoch.Load() == before; told = true {
			if keys := next(t, p.keys, "a push for all keys, and the end of the epoch"); keys != nil {
				t.Fatalf("got a push for %q, want nil", keys)
			}
		}
	})
}

// pushes records what a listener is told.
type pushes struct {
	keys chan []string
	stop func()
}

func listen(t *testing.T, tr conn.Tracker) *pushes {
	t.Helper()
	p := &pushes{keys: make(chan []string, 1000)}
	p.stop = tr.Listen(func(keys []string) { p.keys <- keys })
	t.Cleanup(p.stop)
	return p
}

// want receives a push for exactly k.
func (p *pushes) want(t *testing.T, k string) {
	t.Helper()
	if keys := next(t, p.keys, "a push"); len(keys) != 1 || keys[0] != k {
		t.Fatalf("got a push for %q, want %q", keys, k)
	}
}

func (p *pushes) empty(t *testing.T) {
	t.Helper()
	if len(p.keys) > 0 {
		t.Errorf("unexpected push for %q", <-p.keys)
	}
}
