package ratelimit

import (
	"errors"
	"reflect"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/larder-go/larder/conn"
)

func TestAnalyticsOfALimiter(t *testing.T) {
	onEach(t, func(t *testing.T, c conn.Conn) {
		l := limiter(t, c, Options{
			Algorithm: FixedWindow(2, time.Minute), Clock: newClock(vectorTime).now,
			Analytics: true, DenyList: true,
		})
		if err := l.Deny(t.Context(), "192.0.2.1"); err != nil {
			t.Fatal(err)
		}
		place := At(Geo{Country: "TR", IP: "1.2.3.4"})
		for range 4 { // two allowed, one refused by Redis, one from memory
			limit(t, l, "u", place)
		}
		limit(t, l, "v", From(Client{IP: "192.0.2.1"}))
		if _, err := l.Limit(t.Context(), "w", Cost(3)); !errors.Is(err, ErrCost) {
			t.Fatal(err)
		}
		if _, err := l.Limit(t.Context(), ""); err == nil { // an error is not a decision
			t.Fatal("no error")
		}
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
		// The hour of the vectors' time.
		v := do(t, c, "ZRANGE", prefixOf(t)+":events:1699999200000", "0", "-1", "WITHSCORES")
		got := map[string]int{}
		flat := v.Elems
		if len(flat) > 0 && flat[0].Kind == conn.Array {
			for _, pair := range v.Elems {
				flat = append(flat, pair.Elems...)
			}
			flat = flat[len(v.Elems):]
		}
		for i := 0; i < len(flat); i += 2 {
			n, err := strconv.Atoi(strings.TrimSuffix(flat[i+1].Str, ".0"))
			if err != nil {
				t.Fatal(err)
			}
			got[flat[i].Str] = n
		}
		want := map[string]int{
			`{"identifier":"u","success":true,"country":"TR","ip":"1.2.3.4"}`:  2,
			`{"identifier":"u","success":false,"country":"TR","ip":"1.2.3.4"}`: 2,
			`{"identifier":"192.0.2.1","success":"denied"}`:                    1,
			`{"identifier":"w","success":false}`:                               1,
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%v", got)
		}
	})
}

// Whatever is called, no key stays for ever but the operator's.
func TestEveryKeyExpires(t *testing.T) {
	onEach(t, func(t *testing.T, c conn.Conn) {
		prefix := prefixOf(t)
		for i, a := range []Algorithm{FixedWindow(3, time.Minute), SlidingWindow(3, time.Minute), TokenBucket(1, time.Minute, 3), GCRA(1, time.Minute, 3), CachedFixedWindow(3, time.Minute)} {
			l := limiter(t, c, Options{Algorithm: a, Prefix: prefix + number(int64(i)), Analytics: true, DenyList: true, DynamicLimit: a.kind != cachedWindow})
			for n, cost := range []int64{1, 0, -1, -5, 3, 2, -3, 1, 1, 1, 1} {
				for _, id := range []string{"a", "b" + number(int64(n))} {
					if _, err := l.Limit(t.Context(), id, Cost(cost)); err != nil {
						t.Fatal(err)
					}
				}
			}
			if err := l.Close(); err != nil {
				t.Fatal(err)
			}
		}
		seen := 0
		err := c.Scan(t.Context(), prefix+"*", func(keys []string) error {
			for _, key := range keys {
				seen++
				if ttl := do(t, c, "PTTL", key).Int; ttl < 0 {
					t.Errorf("%q has PTTL %d", key, ttl)
				}
			}
			return nil
		})
		if err != nil || seen < 50 {
			t.Errorf("%d keys, %v", seen, err)
		}
	})
}
