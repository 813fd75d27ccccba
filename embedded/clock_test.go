package embedded

import (
	"slices"
	"strconv"
	"testing"
	"testing/synctest"
	"time"
)

// ticking is an engine whose clock the test moves.
func ticking(t testing.TB) (c *Conn, advance func(time.Duration)) {
	t.Helper()
	now := time.UnixMilli(1_700_000_000_123)
	c = open(t, Options{Now: func() time.Time { return now }})
	return c, func(d time.Duration) { c.engine.lock.always(); now = now.Add(d); c.engine.lock.release() }
}

func TestKeysExpireToTheMillisecond(t *testing.T) {
	c, advance := ticking(t)
	abs := strconv.FormatInt(1_700_000_000_123+300, 10) // the third set happens at 200 ms
	for i, set := range [][]string{
		{"SET", "k", "v", "PX", "100"}, {"PSETEX", "k", "100", "v"}, {"SET", "k", "v", "PXAT", abs},
	} {
		do(t, c, set...)
		advance(99 * time.Millisecond)
		if v := do(t, c, "GET", "k"); v.Str != "v" {
			t.Fatalf("%d: %+v after 99 ms", i, v)
		}
		if v := do(t, c, "PTTL", "k"); v.Int != 1 {
			t.Errorf("%d: PTTL is %d after 99 ms", i, v.Int)
		}
		advance(time.Millisecond)
		if v := do(t, c, "GET", "k"); !v.IsNil() {
			t.Errorf("%d: %+v after 100 ms", i, v)
		}
		if v := do(t, c, "PTTL", "k"); v.Int != -2 {
			t.Errorf("%d: PTTL is %d after 100 ms", i, v.Int)
		}
	}
}

func TestLifetimesBetweenCommands(t *testing.T) {
	c, advance := ticking(t)
	ttl := func(want int64) {
		t.Helper()
		if v := do(t, c, "PTTL", "k"); v.Int != want {
			t.Errorf("PTTL is %d, want %d", v.Int, want)
		}
	}
	do(t, c, "SET", "k", "1", "PX", "1000")
	advance(400 * time.Millisecond)
	do(t, c, "INCR", "k")
	ttl(600)
	do(t, c, "SET", "k", "1", "KEEPTTL")
	ttl(600)
	advance(100 * time.Millisecond)
	if v := do(t, c, "PEXPIRE", "k", "450", "GT"); v.Int != 0 {
		t.Error("GT shortened a life")
	}
	ttl(500)
	if v := do(t, c, "PEXPIRE", "k", "550", "GT"); v.Int != 1 {
		t.Error("GT compared with the life as it was when it was set")
	}
	ttl(550)
	if v := eval(t, c, "return redis.call('PEXPIRE', KEYS[1], 500, 'LT')", []string{"k"}); v.Int != 1 {
		t.Error("LT in a script")
	}
	ttl(500)
	advance(200 * time.Millisecond)
	do(t, c, "RENAME", "k", "r")
	do(t, c, "COPY", "r", "k")
	ttl(300)
	if v := do(t, c, "PEXPIRETIME", "k"); v.Int != 1_700_000_000_123+1000 {
		t.Errorf("PEXPIRETIME is %d", v.Int)
	}
	do(t, c, "PERSIST", "k")
	ttl(-1)
	advance(time.Hour)
	ttl(-1)
	if v := do(t, c, "DBSIZE"); v.Int != 1 {
		t.Errorf("%d keys, the renamed one should be gone", v.Int)
	}
	do(t, c, "SET", "k", "v", "EX", "10")
	do(t, c, "GETEX", "k", "PX", "77")
	ttl(77)
	do(t, c, "SET", "k", "v")
	ttl(-1)
	do(t, c, "EXPIRE", "k", "9223372036854775")
	if v := do(t, c, "TTL", "k"); v.Int < 6_000_000_000 {
		t.Errorf("TTL of a key that hardly ever expires is %d", v.Int)
	}
	do(t, c, "SET", "k", "v", "PXAT", strconv.FormatInt(1_700_000_000_123+1000+3600_000-300, 10))
	if v := do(t, c, "EXISTS", "k"); v.Int != 0 {
		t.Error("a key lives whose time has passed")
	}
}

func TestKeyspaceCommandsSkipExpiredKeys(t *testing.T) {
	for _, cmd := range [][]string{{"DBSIZE"}, {"KEYS", "*"}, {"SCAN", "0"}, {"RANDOMKEY"}} {
		c, advance := ticking(t)
		do(t, c, "SET", "a", "v", "PX", "10")
		advance(10 * time.Millisecond)
		v := do(t, c, cmd...)
		if cmd[0] == "SCAN" {
			v = v.Elems[1]
		}
		if v.Int != 0 || len(v.Elems) != 0 || v.Str != "" {
			t.Errorf("%q: %+v", cmd, v)
		}
	}
}

func TestIndexFollowsAllKeys(t *testing.T) {
	c, _ := ticking(t)
	for i := range 100 {
		do(t, c, "SET", "k"+strconv.Itoa(i%10), "v", "PX", strconv.Itoa(100+i))
	}
	do(t, c, "SADD", "s", "m")
	do(t, c, "EXPIRE", "s", "5")
	do(t, c, "SREM", "s", "m")
	do(t, c, "DEL", "k0", "k1")
	do(t, c, "PERSIST", "k2")
	do(t, c, "SET", "gone", "v", "PXAT", "1")
	if n := c.engine.deadlines.len(); n != 7 || len(c.engine.deadlines.byKey) != 7 {
		t.Errorf("%d deadlines", n)
	}
	do(t, c, "SADD", "gone", "m")
	if v := do(t, c, "TTL", "gone"); v.Int != -1 {
		t.Errorf("an old lifetime came back: %d", v.Int)
	}
	do(t, c, "FLUSHALL")
	if n := c.engine.deadlines.len(); n != 0 {
		t.Errorf("%d deadlines after FLUSHALL", n)
	}
}

func TestBackgroundRemovesAndPushes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e, err := New(Options{})
		if err != nil {
			t.Fatal(err)
		}
		c := e.Connect()
		tr, take := heard(c)
		start := time.Now()
		for i := range 3 {
			k := strconv.Itoa(i)
			do(t, c, "SET", k, "v", "PX", strconv.Itoa(1000*(3-i)))
			do(t, tr, "GET", k)
		}
		for i, want := range []string{"2", "1", "0"} {
			time.Sleep(time.Until(start.Add(time.Duration(i+1)*time.Second + 2*clockGrain)))
			synctest.Wait()
			if got := take(); !slices.Equal(got, []string{want}) {
				t.Errorf("after %v: pushes %q, want %q", time.Since(start), got, want)
			}
		}
		if err := e.Close(); err != nil {
			t.Error(err)
		}
	})
}

func TestTimeStandsStillInScripts(t *testing.T) {
	c := open(t, Options{})
	v := eval(t, c, `
local a = redis.call('TIME')
for i = 1, 10000 do end
local b = redis.call('TIME')
return {a[1] == b[1] and a[2] == b[2], tonumber(a[1])}`, nil)
	if v.Elems[0].Int != 1 {
		t.Errorf("got %+v", v)
	}
	if d := time.Since(time.Unix(v.Elems[1].Int, 0)); d < 0 || d > time.Minute {
		t.Errorf("TIME is off by %v", d)
	}
}
