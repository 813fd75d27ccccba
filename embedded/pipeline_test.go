package embedded

import (
	"strings"
	"testing"

	"github.com/larder-go/larder/conn"
)

func TestTransactions(t *testing.T) {
	for _, tc := range []struct{ name, cmds, want string }{
		{"exec", "SET a 1;MULTI;INCR a;GET a;EXEC;GET a", "OK;OK;QUEUED;QUEUED;[2 2];2"},
		{"empty", "MULTI;EXEC", "OK;[]"},
		{"two", "MULTI;INCR a;EXEC;multi;INCR a;exec", "OK;QUEUED;[1];OK;QUEUED;[2]"},
		{"discard", "MULTI;SET a 1;DISCARD;GET a", "OK;QUEUED;OK;nil"},
		{"error inside", "SET a x;MULTI;INCR a;SET b 1;EXEC;GET b", "OK;OK;QUEUED;QUEUED;[!ERR OK];1"},
		{"script inside", "MULTI;EVAL redis.call('SET','a',5)return(1) 0;GET a;EXEC", "OK;QUEUED;QUEUED;[1 5]"},
		{"unknown", "MULTI;NOSUCH;SET a 1;EXEC;GET a", "OK;!ERR;QUEUED;!EXECABORT;nil"},
		{"arity", "MULTI;GET;EXEC", "OK;!ERR;!EXECABORT"},
		{"nested", "MULTI;MULTI;EXEC", "OK;!ERR;!EXECABORT"},
		{"refused", "MULTI;WATCH a;EXEC", "OK;!ERR;!EXECABORT"},
		{"without end", "SET b 1;MULTI;SET a 1", "OK;!ERR;!ERR"},
		{"without begin", "SET a 1;EXEC;DISCARD", "OK;!ERR;!ERR"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			c := open(t, Options{})
			var cmds []conn.Command
			for line := range strings.SplitSeq(tc.cmds, ";") {
				f := strings.Fields(line)
				cmds = append(cmds, conn.Cmd(f[0], f[1:]...))
			}
			var got []string
			for _, r := range c.Pipeline(t.Context(), cmds...) {
				got = append(got, brief(r.Value, r.Err))
			}
			if s := strings.Join(got, ";"); s != tc.want {
				t.Errorf("got  %s\nwant %s", s, tc.want)
			}
		})
	}
	c := open(t, Options{})
	if r := c.Pipeline(t.Context()); len(r) != 0 {
		t.Errorf("an empty pipeline: %+v", r)
	}
	tr, take := heard(c)
	do(t, tr, "GET", "a")
	c.Pipeline(t.Context(), conn.Cmd("MULTI"), conn.Key("SET", "a", "1"), conn.Cmd("EXEC"))
	if got := take(); len(got) != 1 {
		t.Errorf("pushes %q", got)
	}
}

func brief(v conn.Value, err error) string {
	switch {
	case err != nil:
		return "!" + conn.Code(err)
	case v.Kind == conn.Failure:
		return "!" + strings.Fields(v.Str)[0]
	case v.IsNil():
		return "nil"
	case v.Kind == conn.Array:
		parts := make([]string, len(v.Elems))
		for i, e := range v.Elems {
			parts[i] = brief(e, nil)
		}
		return "[" + strings.Join(parts, " ") + "]"
	}
	s, _ := v.Text()
	return s
}
