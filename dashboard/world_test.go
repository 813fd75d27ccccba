package dashboard

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/larder-go/larder"
	"github.com/larder-go/larder/conn"
	"github.com/larder-go/larder/event"
	"github.com/larder-go/larder/ratelimit"
	"github.com/larder-go/larder/session"
	"github.com/larder-go/larder/strategy"
	"github.com/larder-go/larder/telemetry"
)

// What must never be seen.
const (
	secretValue   = "the-secret-value"
	secretSession = "a-session-of-somebody"
	secretUser    = "user-of-a-session"
)

// What others may have called things.
var hostile = []string{
	`evil:<script>alert("key")</script>`,
	`evil:"><img src=x onerror=alert(1)>`,
	"evil:\x00\x1b[31m\x7f\u202e\u2066",
	"evil:\xff\xfe invalid",
	"evil:" + strings.Repeat("<b>k</b>", 1250), // 10 kB
	"evil:javascript:alert(1)&a=b#c%00",
}

// world is a service at work.
type world struct {
	users *larder.Cache[int, string]
	tel   *telemetry.Telemetry
}

// newWorld uses every feature a little.
func newWorld(t testing.TB, c conn.Conn) *world {
	t.Helper()
	check := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	ctx := t.Context()
	tel, err := telemetry.New(c, telemetry.Options{Service: `shop<script>`, Instance: "web-1"})
	check(err)
	t.Cleanup(func() { _ = tel.Close(context.Background()) })
	users, err := larder.New(c, larder.Options[int, string]{
		Namespace: "user", TTL: 10 * time.Minute, Observer: tel, NegativeTTL: time.Minute, CacheTimeout: patience,
		Load: func(_ context.Context, i int) (string, error) {
			if i > 1000 {
				return "", larder.ErrNotFound
			}
			if i > 900 {
				return "", errors.New("the source is ill")
			}
			return fmt.Sprintf("%s %d", secretValue, i), nil
		},
		Tags: func(i int) []string {
			return []string{"users", fmt.Sprintf("group-%d", i%3), `<img src=x onerror="alert('tag')">`, "control\x1b\x00"}
		},
	})
	check(err)
	t.Cleanup(func() { _ = users.Close() })
	for i := range 120 {
		_, err := users.Get(ctx, i%50)
		check(err)
	}
	_, _ = users.Get(ctx, 950)
	check(users.Invalidate(ctx, 3))
	check(larder.InvalidateTags(ctx, c, "group-1"))

	reg, err := strategy.New(c, strategy.Options{Service: "shop"})
	check(err)
	t.Cleanup(func() { _ = reg.Close() })
	check(reg.Declare(users, strategy.About{
		Purpose: "profiles, for every page's header", Owner: "accounts <script>", Why: "they change once a month",
		Invalidation: "Users.Save calls Invalidate after the commit", Criticality: strategy.Medium,
	}))
	sessions, err := session.New[string](c, session.Options{Namespace: "login"})
	check(err)
	t.Cleanup(func() { _ = sessions.Close() })
	for i := range 3 {
		_, err := sessions.Create(ctx, fmt.Sprintf("%s-%d", secretUser, i), secretValue)
		check(err)
	}
	check(reg.Declare(sessions, strategy.About{Purpose: "who is logged in"}))
	limiter, err := ratelimit.New(c, ratelimit.Options{Prefix: "api", Algorithm: ratelimit.FixedWindow(2, time.Hour), Analytics: true})
	check(err)
	for range 5 {
		for _, id := range []string{"203.0.113.7", "sk_live_0123456789abcdef0123456789abcdef", "<script>alert('id')</script>"} {
			_, err := limiter.Limit(ctx, id)
			check(err)
		}
	}
	check(reg.Declare(limiter, strategy.About{Purpose: "the public API"}))
	check(limiter.Close()) // writes the analytics
	orders, err := event.NewTopic[string](c, "orders", event.Options{Durable: true})
	check(err)
	_, err = orders.Publish(ctx, secretValue)
	check(err)
	check(reg.Declare(orders, strategy.About{Purpose: "orders as they come", Invalidation: "none"}))
	check(orders.Close())
	check(reg.Publish(ctx))
	for _, key := range hostile {
		must(t, c, "SET", key, secretValue, "EX", "3600")
	}
	must(t, c, "SET", "session:"+secretSession, secretValue, "EX", "3600")
	check(tel.Flush(ctx))
	return &world{users, tel}
}
