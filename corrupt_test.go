package larder_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/larder-go/larder"
	"github.com/larder-go/larder/conn"
	"github.com/larder-go/larder/internal/entry"
)

// Scripts and Go must agree on which bytes are an entry. Where only one of them
// takes damaged ones for a value, a Get asks for ever, or the key never heals.
func TestDamagedEntryIsReplaced(t *testing.T) {
	const never = -1 // all bits one
	hour := time.Hour.Milliseconds()
	for name, damage := range map[string]func(now int64) entry.Header{
		"fresh for longer than stale": func(now int64) entry.Header {
			return entry.Header{FreshUntil: now + hour}
		},
		"times all ones": func(int64) entry.Header {
			return entry.Header{FreshUntil: never, StaleUntil: never}
		},
		"stale until all ones": func(int64) entry.Header {
			return entry.Header{FreshUntil: 1, StaleUntil: never}
		},
		"unknown flag, and a lease": func(now int64) entry.Header {
			return entry.Header{Flags: 0x80, Token: 5, LeaseUntil: now + hour/2}
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := newHook(t, newEngine(t))
				header := damage(time.Now().UnixMilli())
				header.ID = 77
				header.Incarnation, _ = h.Incarnation("ns:k")
				raw := string(entry.Append(nil, header, nil, ""))
				if _, err := h.Do(t.Context(), conn.Key("SET", "ns:k", raw, "PX", "3600000")); err != nil {
					t.Fatal(err)
				}
				var asked atomic.Int64
				h.on(func(_ context.Context, op string, run func()) error {
					if op == "acquire" && asked.Add(1) > 10 {
						return errors.New("asked too often")
					}
					run()
					return nil
				})
				c := newCache(t, h, larder.Options[string, int64]{L1MaxBytes: -1, Load: always(1)})
				start := time.Now()
				for range 3 {
					if v, err := c.Get(t.Context(), "k"); v != 1 || err != nil {
						t.Fatalf("got %d, %v", v, err)
					}
				}
				s := c.Stats()
				if s.Loads != 1 || s.L2Hits != 2 || asked.Load() > 2 || time.Since(start) > 0 {
					t.Errorf("%d loads, %d hits, %d acquires, %v; want one load at once and then hits",
						s.Loads, s.L2Hits, asked.Load(), time.Since(start))
				}
			})
		})
	}
}
