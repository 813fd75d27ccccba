package embedded

import (
	"fmt"
	"slices"
	"testing"

	"github.com/larder-go/larder/conn"
)

// commandRow is what COMMAND says about a command, as far as anybody relies on it.
func commandRow(v conn.Value) string {
	if len(v.Elems) < 6 {
		return "-"
	}
	var words []string
	moving := false
	for _, f := range v.Elems[2].Elems {
		moving = moving || f.Str == "movablekeys"
		if slices.Contains([]string{"write", "readonly", "pubsub"}, f.Str) {
			words = append(words, f.Str)
		}
	}
	slices.Sort(words)
	if moving {
		return fmt.Sprint(v.Elems[1].Int, words)
	}
	return fmt.Sprint(v.Elems[1].Int, v.Elems[3].Int, v.Elems[4].Int, v.Elems[5].Int, words)
}

// TestCommandAnswersAsRedis compares all commands that both know. Containers are
// left out, as Redis describes their subcommands, and two that have got an option
// in Redis 7.2.
func TestCommandAnswersAsRedis(t *testing.T) {
	r, c := startRedis(t), open(t, Options{})
	own := do(t, c, "COMMAND")
	if n := do(t, c, "COMMAND", "COUNT"); int(n.Int) != len(own.Elems) || n.Int < 100 {
		t.Errorf("COUNT is %d of %d", n.Int, len(own.Elems))
	}
	others := []string{"command", "memory", "object", "pubsub", "script", "xgroup", "xinfo", "zrank", "zrevrank"}
	for _, e := range own.Elems {
		name := e.Elems[0].Str
		theirs := r.do(t, "COMMAND", "INFO", name)
		if len(theirs.Elems) != 1 || theirs.Elems[0].IsNil() || slices.Contains(others, name) {
			continue
		}
		if got, want := commandRow(e), commandRow(theirs.Elems[0]); got != want {
			t.Errorf("%s: %s, Redis has %s", name, got, want)
		}
	}
	if v := do(t, c, "COMMAND", "INFO", "GET", "nosuch", "BLPOP"); len(v.Elems) != 3 || v.Elems[0].IsNil() || !v.Elems[1].IsNil() || !v.Elems[2].IsNil() {
		t.Errorf("INFO: %+v", v)
	}
	for _, line := range [][]string{
		{"COMMAND", "GETKEYS", "GET", "a"},
		{"COMMAND", "GETKEYS", "MSET", "a", "1", "b", "2"},
		{"COMMAND", "GETKEYS", "ZUNIONSTORE", "d", "2", "a", "b"},
		{"COMMAND", "GETKEYS", "XREAD", "STREAMS", "a", "b", "0", "0"},
		{"COMMAND", "GETKEYS", "NOSUCH"},
		{"COMMAND", "GETKEYS", "GET"},
		{"COMMAND", "GETKEYS", "PING"},
	} {
		compare(t, r, c, line)
	}
}
