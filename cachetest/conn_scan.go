package cachetest

import (
	"errors"
	"fmt"
	"testing"

	"github.com/larder-go/larder/conn"
)

func (s *connSuite) scans(t *testing.T) {
	c := s.handle(t)
	scan := func(t *testing.T, pattern string) map[string]bool {
		t.Helper()
		found := make(map[string]bool)
		err := c.Scan(t.Context(), pattern, func(keys []string) error {
			if len(keys) == 0 {
				t.Error("fn was called without keys")
			}
			for _, k := range keys {
				found[k] = true
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		return found
	}
	many := key("many:")
	want := make(map[string]bool)
	var cmds []conn.Command
	for i := range 2500 {
		k := fmt.Sprintf("%s%d", many, i)
		want[k] = true
		cmds = append(cmds, conn.Key("SET", k, "x"))
	}
	for _, r := range c.Pipeline(t.Context(), cmds...) {
		if r.Err != nil {
			t.Fatal(r.Err)
		}
	}
	t.Run("many", func(t *testing.T) {
		found := scan(t, many+"*")
		if len(found) != len(want) {
			t.Errorf("found %d keys, want %d", len(found), len(want))
		}
		for k := range want {
			if !found[k] {
				t.Fatalf("%s is missing", k)
			}
		}
	})
	t.Run("none", func(t *testing.T) {
		if found := scan(t, key("none:*")); len(found) != 0 {
			t.Errorf("found %v", found)
		}
	})
	t.Run("escaped", func(t *testing.T) {
		prefix := key("glob:")
		for _, k := range []string{"a*b", "axb", "a?b", "[ab]", "a", `back\slash`} {
			must(t, c, conn.Key("SET", prefix+k, "x"))
		}
		for pattern, want := range map[string]string{
			`a\*b`: "a*b", `a\?b`: "a?b", `\[ab\]`: "[ab]", `[a]`: "a", `back\\slash`: `back\slash`,
		} {
			if found := scan(t, prefix+pattern); len(found) != 1 || !found[prefix+want] {
				t.Errorf("%s found %v, want %s", pattern, found, want)
			}
		}
	})
	t.Run("error of fn", func(t *testing.T) {
		mine, calls := errors.New("mine"), 0
		err := c.Scan(t.Context(), many+"*", func([]string) error { calls++; return mine })
		if !errors.Is(err, mine) || calls != 1 {
			t.Errorf("got %v after %d calls", err, calls)
		}
	})
	t.Run("deleting", func(t *testing.T) {
		err := c.Scan(t.Context(), many+"*", func(keys []string) error {
			del := make([]conn.Command, len(keys))
			for i, k := range keys {
				del[i] = conn.Key("UNLINK", k)
			}
			for _, r := range c.Pipeline(t.Context(), del...) {
				if r.Err != nil {
					return r.Err
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		if found := scan(t, many+"*"); len(found) != 0 {
			t.Errorf("%d keys are left", len(found))
		}
	})
}
