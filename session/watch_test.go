package session_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/larder-go/larder/embedded"
	"github.com/larder-go/larder/internal/observetest"
	"github.com/larder-go/larder/observe"
	"github.com/larder-go/larder/session"
)

// A course of calls whose every figure is known, and none of which tells who it was.
func TestWhatAnObserverIsTold(t *testing.T) {
	t.Parallel()
	c, err := embedded.Open(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	seen, ctx := observetest.New(t), t.Context()
	s, err := session.New[int](c, session.Options{Namespace: "watched", Observer: seen})
	if err != nil {
		t.Fatal(err)
	}
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	a, err := s.Create(ctx, "ann-the-user", 1)
	must(err)
	b, err := s.Create(ctx, "ann-the-user", 2)
	must(err)
	anonymous, err := s.Create(ctx, "", 3)
	must(err)
	_, err = s.Get(ctx, a.ID)
	must(err)
	_, err = s.Get(ctx, b.ID)
	must(err)
	if _, err = s.Get(ctx, "nonsense"); !errors.Is(err, session.ErrNotFound) {
		t.Fatal(err)
	}
	overtaken := false
	_, err = s.Update(ctx, a.ID, func(n *int) error {
		if !overtaken {
			overtaken = true
			_, err := s.Update(ctx, a.ID, func(n *int) error { *n = 10; return nil })
			must(err)
		}
		*n++
		return nil
	})
	must(err)
	refused := errors.New("no")
	if _, err = s.Update(ctx, a.ID, func(*int) error { return refused }); !errors.Is(err, refused) {
		t.Fatal(err)
	}
	must(s.Destroy(ctx, anonymous.ID))
	must(s.Destroy(ctx, anonymous.ID)) // there is none any more
	n, err := s.DestroyAll(ctx, "ann-the-user")
	if n != 2 || err != nil {
		t.Fatal(n, err)
	}
	if _, err = s.Get(ctx, a.ID); !errors.Is(err, session.ErrNotFound) {
		t.Fatal(err)
	}
	seen.Want(observe.Session, "watched", map[string]float64{
		"larder.session.created":   3,
		"larder.session.found":     2,
		"larder.session.missed":    2,
		"larder.session.destroyed": 3,
		"larder.session.conflicts": 1,
		"larder.session.errors":    1,
	})
	for verb, want := range map[string]int{"create": 3, "get": 3, "update": 3, "destroy": 2, "destroy all": 1} {
		if got := seen.Ended(observe.Session, verb); len(got) != want {
			t.Errorf("%d operations %s, want %d", len(got), verb, want)
		}
	}
	for _, op := range seen.Ended(observe.Session, "") {
		for _, attr := range append(op.Attrs, op.End...) {
			if strings.Contains(attr.String(), "ann") || strings.Contains(attr.String(), string(a.ID)) {
				t.Errorf("%s tells who it was: %v", op.Verb, attr)
			}
		}
	}
	if got := len(seen.Metrics()); got != len(session.Metrics()) {
		t.Errorf("%d metrics are declared, Metrics lists %d", got, len(session.Metrics()))
	}
	must(s.Close())
	must(s.Close())
	if left := seen.Subjects(); len(left) != 0 {
		t.Errorf("after Close: %+v", left)
	}
}
