package cachetest

import (
	"strconv"
	"testing"

	"github.com/larder-go/larder/conn"
)

func (s *connSuite) pipelines(t *testing.T) {
	c := s.handle(t)
	t.Run("empty", func(t *testing.T) {
		if r := c.Pipeline(t.Context()); len(r) != 0 {
			t.Errorf("no commands, %d results", len(r))
		}
	})
	t.Run("order", func(t *testing.T) {
		const n = 3000 // more than clients usually put into one batch
		keys := make([]string, 50)
		for i := range keys {
			keys[i] = key("order")
		}
		cmds := make([]conn.Command, n)
		for i := range cmds {
			cmds[i] = conn.Key("INCR", keys[i%len(keys)])
		}
		for i, r := range c.Pipeline(t.Context(), cmds...) {
			if want := int64(i/len(keys) + 1); r.Err != nil || r.Value.Int != want {
				t.Fatalf("result %d is %+v, want %d", i, r, want)
			}
		}
	})
	t.Run("partial failure", func(t *testing.T) {
		a, b := key("a"), key("b")
		r := c.Pipeline(t.Context(),
			conn.Key("SET", a, "1"),
			conn.Key("LPUSH", a, "x"),
			conn.Command{},
			conn.Cmd("PING"),
			conn.Key("GET", b),
			conn.Key("INCR", a),
		)
		if len(r) != 6 {
			t.Fatalf("6 commands, %d results", len(r))
		}
		wantServerError(t, r[1].Err, "WRONGTYPE")
		if r[2].Err == nil {
			t.Error("the empty command has no error")
		}
		for i, want := range map[int]string{0: "OK", 3: "PONG", 5: "2"} {
			if got, err := r[i].Value.Text(); r[i].Err != nil || err != nil || got != want {
				t.Errorf("result %d is %+v, want %s", i, r[i], want)
			}
		}
		if r[4].Err != nil || !r[4].Value.IsNil() {
			t.Errorf("GET of an absent key: %+v", r[4])
		}
	})
	t.Run("same key", func(t *testing.T) {
		k := key("list")
		cmds := make([]conn.Command, 200)
		for i := range cmds {
			cmds[i] = conn.Key("RPUSH", k, strconv.Itoa(i))
		}
		c.Pipeline(t.Context(), cmds...)
		for i, e := range must(t, c, conn.Key("LRANGE", k, "0", "-1")).Elems {
			if e.Str != strconv.Itoa(i) {
				t.Fatalf("element %d is %s", i, e.Str)
			}
		}
	})
}
