package inspect_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/larder-go/larder/conn"
	"github.com/larder-go/larder/internal/inspect"
	"github.com/larder-go/larder/internal/redistest"
)

var errSource = errors.New("the source is away")

func TestInvalidateIsAMiss(t *testing.T) {
	t.Parallel()
	for name, invalidate := range map[string]func(context.Context, conn.Conn, string) error{
		"keys": func(ctx context.Context, c conn.Conn, ns string) error {
			n, err := inspect.Keys(ctx, c, ns, "42", "43")
			if err == nil && n != 1 {
				err = fmt.Errorf("%d removed", n)
			}
			return err
		},
		"tags": func(ctx context.Context, c conn.Conn, ns string) error { return inspect.Tags(ctx, c, "none", ns+"/x") },
		"ns":   inspect.Namespace,
		"glob": func(ctx context.Context, c conn.Conn, ns string) error {
			n, err := inspect.Pattern(ctx, c, ns, "4?", nil)
			if err == nil && n != 1 {
				err = fmt.Errorf("%d removed", n)
			}
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			onEach(t, func(t *testing.T, c conn.Conn) {
				s := filled(t, c, "miss-"+name)
				if err := invalidate(t.Context(), c, s.ns); err != nil {
					t.Fatal(err)
				}
				if r := s.explain(); r.State != inspect.Miss && r.State != inspect.Absent {
					t.Errorf("%s", r.Verdict)
				}
				// The cache of this process has heard of it as well.
				before := s.users.Stats().Loads
				s.get()
				if s.users.Stats().Loads != before+1 {
					t.Error("the value was not loaded again")
				}
			})
		})
	}
}

func TestPatternTakesTheLease(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, c conn.Conn) {
		s := open(t, c, "taken", nil)
		s.holding()
		s.getHeld()
		if n, err := inspect.Pattern(t.Context(), c, "taken", "*", nil); n != 1 || err != nil {
			t.Fatal(n, err)
		}
		if r := s.explain(); r.State != inspect.Absent {
			t.Error(r.Verdict)
		}
	})
}

func TestPatternStaysInItsNamespace(t *testing.T) {
	t.Parallel()
	onEach(t, testPattern)
	t.Run("cluster", func(t *testing.T) {
		t.Parallel()
		testPattern(t, dial(t, redistest.SharedCluster(t).URL()))
	})
}

func testPattern(t *testing.T, c conn.Conn) {
	const ns, keys = `g*[a-z]\`, 2000
	s := &scene{t: t, c: c}
	var cmds []conn.Command
	for i := range keys {
		cmds = append(cmds, conn.Key("SET", fmt.Sprintf("%s:%d", ns, i), "v", "EX", "60"))
	}
	others := []string{`gx[a-z]\:1`, `g*b\:1`, `g*[a-z]:1`, "~ns:" + ns}
	for _, k := range others {
		cmds = append(cmds, conn.Key("SET", k, "v", "EX", "60"))
	}
	for _, r := range c.Pipeline(t.Context(), cmds...) {
		if r.Err != nil {
			t.Fatal(r.Err)
		}
	}
	last := 0
	// 10 to 19, 100 to 199, 1000 to 1999, but not 1.
	if n, err := inspect.Pattern(t.Context(), c, ns, "1?*", func(n int) { last = n }); n != 1110 || err != nil || last != n {
		t.Errorf("%d removed, %d at last, %v", n, last, err)
	}
	if n, err := inspect.Pattern(t.Context(), c, ns, "*", nil); n != keys-1110 || err != nil {
		t.Errorf("%d removed, %v", n, err)
	}
	for _, k := range others {
		if s.must("EXISTS", k).Int != 1 {
			t.Errorf("%q was removed too", k)
		}
	}
}

func TestInvalidateRefusesNames(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, c conn.Conn) {
		ctx := t.Context()
		_, keys := inspect.Keys(ctx, c, "~ns", "a")
		_, glob := inspect.Pattern(ctx, c, "ok", "", nil)
		_, ns := inspect.Pattern(ctx, c, "a:b", "*", nil)
		for name, err := range map[string]error{
			"keys": keys, "glob": glob, "pattern": ns, "tag": inspect.Tags(ctx, c, ""), "namespace": inspect.Namespace(ctx, c, ""),
		} {
			if !inspect.IsName(err) {
				t.Errorf("%s: %v", name, err)
			}
		}
	})
}

func TestPatternStops(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, c conn.Conn) {
		s := filled(t, c, "stops")
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if n, err := inspect.Pattern(ctx, c, s.ns, "*", nil); n != 0 || !errors.Is(err, context.Canceled) {
			t.Error(n, err)
		}
	})
}
