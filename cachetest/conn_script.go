package cachetest

import (
	"strconv"
	"testing"

	"github.com/larder-go/larder/conn"
)

// fresh is a script that no server has seen.
func fresh(body string) *conn.Script { return conn.NewScript("-- " + key("script") + "\n" + body) }

func (s *connSuite) scripts(t *testing.T) {
	c := s.handle(t)
	const add = `return redis.call('INCRBY', KEYS[1], ARGV[1])`
	k := key("counter")
	eval := func(t *testing.T, script *conn.Script, want int64) {
		t.Helper()
		v, err := c.Eval(t.Context(), script, []string{k}, []string{"5"})
		if err != nil || v.Int != want {
			t.Fatalf("got %+v, %v; want %d", v, err, want)
		}
	}
	script := fresh(add)
	t.Run("unknown to the server", func(t *testing.T) { eval(t, script, 5) })
	t.Run("known to the server", func(t *testing.T) { eval(t, script, 10) })
	t.Run("after SCRIPT FLUSH", func(t *testing.T) {
		must(t, c, conn.Cmd("SCRIPT", "FLUSH"))
		eval(t, script, 15)
	})
	t.Run("no keys", func(t *testing.T) {
		v, err := c.Eval(t.Context(), fresh(`return ARGV[1]`), nil, []string{"x"})
		if err != nil || v.Str != "x" {
			t.Errorf("got %+v, %v", v, err)
		}
	})
	t.Run("several keys", func(t *testing.T) {
		keys := tagged(2)
		v, err := c.Eval(t.Context(), fresh(`return {KEYS[1], KEYS[2], #ARGV}`), keys, nil)
		if err != nil || len(v.Elems) != 3 || v.Elems[0].Str != keys[0] || v.Elems[1].Str != keys[1] || v.Elems[2].Int != 0 {
			t.Errorf("got %+v, %v", v, err)
		}
	})
	t.Run("error", func(t *testing.T) {
		_, err := c.Eval(t.Context(), fresh(`return redis.error_reply('MINE text')`), []string{k}, nil)
		wantServerError(t, err, "MINE")
	})
	if c.Capabilities().Cluster {
		t.Run("keys of several slots", func(t *testing.T) {
			keys := []string{"{a}", "{b}"}
			if v, err := c.Eval(t.Context(), fresh(`return 1`), keys, nil); err == nil {
				t.Errorf("got %+v", v)
			}
			r := c.EvalEach(t.Context(), fresh(`return 1`), conn.ScriptCall{Keys: keys}, conn.ScriptCall{Keys: keys[:1]})
			if r[0].Err == nil || r[1].Err != nil {
				t.Errorf("got %+v", r)
			}
		})
	}
	t.Run("each", func(t *testing.T) {
		script := fresh(`if ARGV[1] == '3' then return redis.error_reply('MINE third') end; return {KEYS[1], ARGV[1]}`)
		calls := make([]conn.ScriptCall, 40)
		for i := range calls {
			calls[i] = conn.ScriptCall{Keys: []string{key("each")}, Args: []string{strconv.Itoa(i)}}
		}
		check := func(t *testing.T) {
			t.Helper()
			results := c.EvalEach(t.Context(), script, calls...)
			if len(results) != len(calls) {
				t.Fatalf("%d calls, %d results", len(calls), len(results))
			}
			for i, r := range results {
				if i == 3 {
					wantServerError(t, r.Err, "MINE")
				} else if r.Err != nil || len(r.Value.Elems) != 2 || r.Value.Elems[0].Str != calls[i].Keys[0] || r.Value.Elems[1].Str != calls[i].Args[0] {
					t.Fatalf("result %d is %+v", i, r)
				}
			}
		}
		t.Run("unknown", check)
		t.Run("known", check)
		t.Run("after SCRIPT FLUSH", func(t *testing.T) {
			must(t, c, conn.Cmd("SCRIPT", "FLUSH"))
			check(t)
		})
	})
	t.Run("each of none", func(t *testing.T) {
		if r := c.EvalEach(t.Context(), script); len(r) != 0 {
			t.Errorf("no calls, %d results", len(r))
		}
	})
}
