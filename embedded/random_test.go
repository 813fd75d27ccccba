package embedded

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/larder-go/larder/conn"
)

// Commands with arguments at random must not panic inside miniredis, not hang,
// and leave the index of deadlines equal to miniredis' lifetimes.
func TestRandomCommands(t *testing.T) {
	c := open(t, Options{MaxKeys: 1000, MaxValueBytes: 1 << 12})
	var names []string
	for name := range commands {
		names = append(names, name)
	}
	slices.Sort(names)
	words := []string{
		"a", "b", "c", "s", "h", "l", "z", "x", "0", "1", "2", "-1", "100", "1.5", "*", "-", "+", "(1", "[a", "nx", "xx", "get", "ex", "px", "count", "match",
		"withscores", "limit", "left", "right", "streams", "group", "create", "mkstream", "$", ">", "1-1", "store", "replace", "keepttl", "", "\xff\r\n", "-9223372036854775808", "9223372036854775807", "weights", "aggregate", "max", "bylex", "byscore", "rev", "maxlen", "minid", "~", "and", "not", "bit", "fields", "nan", "inf",
	}
	seed := rand.Uint64()
	r := rand.New(rand.NewPCG(seed, 0))
	for range 30_000 {
		args := []string{names[r.IntN(len(names))]}
		for range r.IntN(8) {
			args = append(args, words[r.IntN(len(words))])
		}
		if strings.HasPrefix(args[0], "FLUSH") && r.IntN(20) > 0 {
			continue
		}
		_, err := c.Do(t.Context(), conn.Cmd(args[0], args[1:]...))
		if err != nil && !absurd(args) && (strings.Contains(err.Error(), "failed to execute") || strings.Contains(err.Error(), "malformed:")) {
			t.Errorf("seed %d: %q: %v", seed, args, err)
		}
	}
	e := c.engine
	e.lock.always()
	defer e.lock.release()
	for _, k := range e.db.Keys() {
		_, known := e.deadlines.byKey[k]
		if lives := e.db.TTL(k) != 0; lives != known {
			t.Errorf("seed %d: key %q: with a lifetime %v, with a deadline %v", seed, k, lives, known)
		}
	}
	for k := range e.deadlines.byKey {
		if !e.db.Exists(k) {
			t.Errorf("seed %d: a deadline for %q, which does not exist", seed, k)
		}
	}
}

// absurd tells arguments on which miniredis is known to panic: cursors,
// counts and limits that make no sense. The error reply is as good as any.
func absurd(args []string) bool {
	return slices.Contains([]string{"HRANDFIELD", "HSCAN", "SSCAN", "ZSCAN", "XTRIM"}, args[0])
}
