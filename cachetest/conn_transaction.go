package cachetest

import (
	"sync"
	"testing"

	"github.com/larder-go/larder/conn"
)

func (s *connSuite) transactions(t *testing.T) {
	c := s.handle(t)
	// transact returns the Result of EXEC.
	transact := func(t *testing.T, c conn.Pipeliner, cmds ...conn.Command) conn.Result {
		t.Helper()
		all := append([]conn.Command{conn.Cmd("MULTI")}, cmds...)
		results := c.Pipeline(t.Context(), append(all, conn.Cmd("EXEC"))...)
		if len(results) != len(cmds)+2 {
			t.Fatalf("%d commands, %d results", len(cmds)+2, len(results))
		}
		return results[len(results)-1]
	}
	t.Run("failures are replies", func(t *testing.T) {
		k := tagged(2)
		r := transact(t, c, conn.Key("SET", k[0], "x"), conn.Key("INCR", k[0]), conn.Key("INCR", k[1]))
		if r.Err != nil || len(r.Value.Elems) != 3 {
			t.Fatalf("EXEC: %+v", r)
		}
		for i, want := range []conn.Kind{conn.Status, conn.Failure, conn.Int} {
			if got := r.Value.Elems[i].Kind; got != want {
				t.Errorf("reply %d is %v, want %v", i, got, want)
			}
		}
		if v := must(t, c, conn.Key("GET", k[0])); v.Str != "x" {
			t.Errorf("what stood before the failure is %+v", v)
		}
	})
	t.Run("refused when queued", func(t *testing.T) {
		k := key("refused")
		r := transact(t, c, conn.Key("SET", k, "x"), conn.Key("GET", k, "too", "many"))
		wantServerError(t, r.Err, "EXECABORT")
		if v := must(t, c, conn.Key("EXISTS", k)); v.Int != 0 {
			t.Error("a part of it was executed")
		}
	})
	t.Run("nobody in between", func(t *testing.T) {
		const rounds = 100
		other, k := s.handle(t), key("counter")
		var wg sync.WaitGroup
		for _, h := range []conn.Conn{c, c, other} {
			wg.Go(func() {
				for range rounds {
					r := transact(t, h, conn.Key("INCR", k), conn.Key("INCR", k), conn.Key("INCR", k))
					if r.Err != nil || len(r.Value.Elems) != 3 || r.Value.Elems[2].Int != r.Value.Elems[0].Int+2 {
						t.Errorf("EXEC: %+v", r)
						return
					}
				}
			})
		}
		wg.Wait()
	})
	t.Run("without EXEC", func(t *testing.T) {
		k := key("open")
		results := c.Pipeline(t.Context(), conn.Cmd("MULTI"), conn.Key("SET", k, "x"))
		if results[0].Err == nil || results[1].Err == nil {
			t.Errorf("got %+v", results)
		}
		if v := must(t, c, conn.Key("EXISTS", k)); v.Int != 0 {
			t.Error("it was executed")
		}
	})
	t.Run("several slots", func(t *testing.T) {
		if !c.Capabilities().Cluster {
			return
		}
		k := key("here")
		if r := transact(t, c, conn.Key("SET", "{a}"+k, "x"), conn.Key("SET", "{b}"+k, "x")); r.Err == nil {
			t.Errorf("EXEC: %+v", r)
		}
	})
}
