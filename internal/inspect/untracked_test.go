package inspect_test

import (
	"context"
	"log/slog"
	"slices"
	"testing"
	"testing/synctest"

	"github.com/larder-go/larder/conn"
	"github.com/larder-go/larder/embedded"
	"github.com/larder-go/larder/internal/backplane"
	"github.com/larder-go/larder/internal/inspect"
)

// untracked is a connection to a server that does not push.
type untracked struct{ conn.Conn }

func (untracked) Tracker() (conn.Tracker, bool) { return nil, false }

// Who invalidates may end right after it: what others have to hear is published
// then.
func TestInvalidationsArePublishedWhereTheServerDoesNotPush(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e, err := embedded.New(embedded.Options{})
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = e.Close() }()
		link := backplane.Join(untracked{e.Connect()}, slog.New(slog.DiscardHandler))
		defer link.Leave()
		synctest.Wait()
		var heard []string
		tr, _ := link.Tracker()
		defer tr.Listen(func(keys []string) { heard = append(heard, keys...) })()

		own := e.Connect()
		c := untracked{own}
		for want, do := range map[string]func(ctx context.Context) error{
			"ns:1":   func(ctx context.Context) error { _, err := inspect.Keys(ctx, c, "ns", "1"); return err },
			"~tag:t": func(ctx context.Context) error { return inspect.Tags(ctx, c, "t") },
			"~ns:ns": func(ctx context.Context) error { return inspect.Namespace(ctx, c, "ns") },
			"ns:2":   func(ctx context.Context) error { _, err := inspect.Pattern(ctx, c, "ns", "2*", nil); return err },
		} {
			if _, err := own.Do(t.Context(), conn.Key("SET", "ns:2", "x", "PX", "1000")); err != nil {
				t.Fatal(err)
			}
			heard = nil
			if err := do(t.Context()); err != nil {
				t.Fatal(err)
			}
			synctest.Wait()
			if !slices.Equal(heard, []string{want}) {
				t.Errorf("heard %q, want %q", heard, want)
			}
		}
	})
}
