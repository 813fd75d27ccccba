package embedded

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2/server"

	"github.com/larder-go/larder/conn"
)

func TestOptionsAreValidated(t *testing.T) {
	for field, o := range map[string]Options{
		"MaxKeys":       {MaxKeys: -1},
		"MaxValueBytes": {MaxValueBytes: -1},
		"ScriptTimeout": {ScriptTimeout: -1},
	} {
		e, err := New(o)
		if err == nil || e != nil || !strings.Contains(err.Error(), "Options."+field+" is -1") {
			t.Errorf("%s: got %v, %v", field, e, err)
		}
	}
}

func TestOpenOwnsItsEngine(t *testing.T) {
	c, err := Open(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	do(t, c, "SET", "a", "b")
	for range 2 {
		if err := c.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := c.Do(t.Context(), conn.Key("GET", "a")); !errors.Is(err, conn.ErrClosed) {
		t.Errorf("got %v", err)
	}
	if _, err := c.engine.Connect().Do(t.Context(), conn.Key("GET", "a")); !errors.Is(err, conn.ErrClosed) {
		t.Errorf("a new client of a closed engine: %v", err)
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Open(ended); !errors.Is(err, context.Canceled) || !errors.Is(err, conn.ErrUnavailable) {
		t.Errorf("Open with an ended context: %v", err)
	}
}

func TestFullEngineRefusesNewKeys(t *testing.T) {
	c := open(t, Options{MaxKeys: 3})
	do(t, c, "MSET", "a", "1", "b", "2")
	if text := refused(t, c, "MSET", "a", "1", "c", "2", "d", "3"); !strings.Contains(text, "OOM ") || !strings.Contains(text, "redis://") {
		t.Errorf("got %s", text)
	}
	do(t, c, "SET", "c", "3")
	for _, cmd := range [][]string{
		{"SET", "d", "1"},
		{"INCR", "d"},
		{"LPUSH", "d", "1"},
		{"HSET", "d", "f", "v"},
		{"SADD", "d", "1"},
		{"ZADD", "d", "1", "m"},
		{"XADD", "d", "*", "f", "v"},
		{"COPY", "a", "d"},
		{"SUNIONSTORE", "d", "nosuch"},
		{"PFADD", "d", "x"},
		{"EVAL", "return redis.call('SET', 'd', 1)", "0"},
	} {
		if text := refused(t, c, cmd...); !strings.Contains(text, "OOM ") {
			t.Errorf("%q: %s", cmd, text)
		}
	}
	do(t, c, "SET", "a", "new")
	do(t, c, "RENAME", "a", "e")
	do(t, c, "DEL", "e")
	do(t, c, "SET", "d", "1")
	eval(t, c, "#!lua flags=allow-oom\nreturn redis.call('SET', 'over', 1)", nil)
	if n := do(t, c, "DBSIZE"); n.Int != 4 {
		t.Errorf("%d keys", n.Int)
	}
}

func TestValuesAreBounded(t *testing.T) {
	c := open(t, Options{MaxValueBytes: 100})
	do(t, c, "SET", "a", strings.Repeat("x", 60))
	for _, cmd := range [][]string{
		{"SET", "a", strings.Repeat("x", 101)},
		{"APPEND", "a", strings.Repeat("x", 60)},
		{"SETRANGE", "a", "99", "xx"},
		{"SETRANGE", "a", "9223372036854775807", "xx"},
		{"SETBIT", "a", "9000000000000000000", "1"},
		{"SETBIT", "a", "900", "1"},
	} {
		refused(t, c, cmd...)
	}
	do(t, c, "SETRANGE", "a", "98", "xx")
	do(t, c, "SETBIT", "a", "799", "1")
}

func TestRefusals(t *testing.T) {
	c := open(t, Options{})
	for cmd, want := range map[string]string{
		"BLPOP l 0": "no blocking", "BRPOP l 0": "no blocking", "BLMOVE a b LEFT LEFT 0": "no blocking", "BZPOPMIN z 0": "no blocking", "WAIT 0 0": "no blocking",
		"XREAD BLOCK 0 STREAMS s $": "no blocking", "XREADGROUP GROUP g c BLOCK 0 STREAMS s >": "no blocking",
		"MULTI": "within one Pipeline call", "EXEC": "within one Pipeline call", "DISCARD": "within one Pipeline call", "WATCH a": "connection of its own",
		"SELECT 1": "database 0 only", "MOVE a 1": "database 0 only", "SWAPDB 0 1": "database 0 only", "COPY a b DB 1": "database 0 only",
		"AUTH x": "state of a connection", "HELLO 3": "state of a connection", "CLIENT ID": "state of a connection",
		"SUBSCRIBE x": "use Subscribe", "CLUSTER INFO": "single node",
		"MONITOR": "unknown command", "CONFIG GET x": "unknown command",
	} {
		if text := refused(t, c, strings.Fields(cmd)...); !strings.Contains(text, want) {
			t.Errorf("%s: %s", cmd, text)
		}
	}
}

func TestInfo(t *testing.T) {
	a, b := open(t, Options{}), open(t, Options{})
	field := func(text, name string) string {
		_, rest, _ := strings.Cut(text, "\r\n"+name+":")
		v, _, _ := strings.Cut(rest, "\r\n")
		return v
	}
	do(t, a, "SET", "k", "v", "EX", "9")
	all := do(t, a, "INFO")
	if all.Kind != conn.Verbatim || field(all.Str, "role") != "master" || field(all.Str, "redis_version") != Version || field(all.Str, "db0") != "keys=1,expires=1,avg_ttl=0" {
		t.Errorf("got %s %q", all.Kind, all.Str)
	}
	id := field(do(t, a, "INFO", "server").Str, "run_id")
	if len(id) != 40 || id == field(do(t, b, "INFO", "SERVER").Str, "run_id") {
		t.Errorf("run_id %q", id)
	}
	repl := do(t, a, "INFO", "replication").Str
	if len(field(repl, "master_replid")) != 40 || strings.Contains(repl, "run_id") {
		t.Errorf("got %q", repl)
	}
	if v := eval(t, a, "return redis.call('INFO', 'server'):match('run_id:(%x+)')", nil); v.Str != id {
		t.Errorf("in a script: %+v", v)
	}
}

func TestPanicOfMiniredisIsAnErrorReply(t *testing.T) {
	c := open(t, Options{})
	if err := c.engine.redis.Server().Register("LARDERPANIC", panicking); err != nil {
		t.Fatal(err)
	}
	c.engine.lock.always()
	v := c.engine.wire.call([]string{"LARDERPANIC"}, true)
	c.engine.lock.release()
	if v.Kind != conn.Failure {
		t.Errorf("got %+v", v)
	}
	do(t, c, "SET", "a", "1")
	if v := do(t, c, "GET", "a"); v.Str != "1" {
		t.Errorf("afterwards: %+v", v)
	}
}

func TestWaitersHonourTheirContext(t *testing.T) {
	c := open(t, Options{})
	c.engine.lock.always()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	_, err := c.Do(ctx, conn.Key("GET", "a"))
	c.engine.lock.release()
	if !errors.Is(err, context.DeadlineExceeded) || !errors.Is(err, conn.ErrUnavailable) {
		t.Errorf("got %v", err)
	}
}

func panicking(c *server.Peer, _ string, _ []string) {
	c.WriteBulk("half a reply")
	panic("for the test")
}
