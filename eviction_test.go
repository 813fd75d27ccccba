package larder_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/larder-go/larder"
	"github.com/larder-go/larder/conn"
	"github.com/larder-go/larder/internal/redistest"
)

// At maxmemory without eviction Redis refuses what stores. Whatever takes a value
// away must get through all the same.
func TestFullServerTakesInvalidations(t *testing.T) {
	t.Parallel()
	const changes = 20
	s := newSource("k")
	ways := s.invalidations()
	ways["prefix"] = func(ctx context.Context, p *process) error { return p.cache.InvalidatePrefix(ctx, "k") }
	// There is no room for the value; that the old one goes is the promise.
	ways["set"] = nil
	for by, invalidate := range ways {
		t.Run(by, func(t *testing.T) {
			t.Parallel()
			ctx := within(t, 3*time.Minute)
			s := newSource("k")
			if by == "key" {
				invalidate = s.invalidations()[by]
			}
			if by == "set" {
				invalidate = func(ctx context.Context, p *process) error {
					return p.cache.Set(ctx, "k", s["k"].version.Load())
				}
			}
			server := redistest.Start(t, "--maxmemory-policy", "noeviction")
			a, b := s.invalidator(t, patient(server.URL())), s.bystander(t, patient(server.URL()))
			for range changes {
				limit(t, server, 0)
				s.hits(ctx, t, a, "k")
				s.hits(ctx, t, b, "k")
				limit(t, server, 1)
				if _, err := server.Do("SET", "more", "x"); err == nil || !strings.HasPrefix(err.Error(), "OOM") {
					t.Fatalf("the server is not full: %v", err)
				}
				err := s.change(func() error { return invalidate(ctx, a) }, "k")
				if err != nil && (by != "set" || !errors.Is(err, larder.ErrInvalidationPending)) {
					t.Fatal(err)
				}
				eventually(t, "delivery", func() bool { return a.cache.Stats().Pending == 0 })
				s["k"].others.invalidate(s["k"].version.Load())
				for range 5 {
					s.ask(ctx, t, a, "k")
					s.ask(ctx, t, b, "k")
				}
				s.settles(ctx, t, b, "k")
			}
			a.report(t)
			b.report(t)
			limit(t, server, 0)
			s.hits(ctx, t, a, "k")
			a.expires(ctx, t)
		})
	}
}

// Redis throws away entries, leases and generations to make room, while values are
// read, loaded and invalidated.
func TestEvictionIsAMiss(t *testing.T) {
	t.Parallel()
	for _, policy := range []string{"volatile-ttl", "allkeys-random"} {
		t.Run(policy, func(t *testing.T) {
			t.Parallel()
			const (
				changes  = 500
				evicting = 1000 // keys
				room     = 300 << 10
			)
			ctx := within(t, 3*time.Minute)
			keys := numbered(20)
			s := newSource(keys...)
			server := redistest.Start(t, "--maxmemory-policy", policy)
			o := patient(server.URL())
			o.cache.Load = func(ctx context.Context, key string) (int64, error) {
				v, err := s.load(ctx, key)
				if rand.IntN(2) == 0 {
					<-time.After(rand.N(2 * time.Millisecond)) // so that changes overtake it
				}
				return v, err
			}
			a, b := s.invalidator(t, o), s.bystander(t, o)
			for _, key := range keys {
				s.hits(ctx, t, a, key)
				s.hits(ctx, t, b, key)
			}
			limit(t, server, count(t, server, "memory", "used_memory")+room)
			stop := s.watch(ctx, t, time.Millisecond, keys, a, b)
			evicted, lost := int64(0), 0
			for i := 0; !t.Failed() && (i < changes || evicted < evicting || lost == 0); i++ {
				if err := ctx.Err(); err != nil {
					t.Fatalf("%d keys were evicted, generations were missing %d times: %v", evicted, lost, err)
				}
				crowd(ctx, t, a, i)
				if err := s.oneOf(ctx, a, keys, i); err != nil {
					t.Error(err)
				}
				if i%10 == 0 {
					evicted = count(t, server, "stats", "evicted_keys")
					if n, err := server.Do("EXISTS", "~ns:judged", "~tag:"+tag); err != nil {
						t.Error(err)
					} else if n != "2" {
						lost++
					}
				}
			}
			stop()
			t.Logf("%d keys were evicted; generations were missing %d times", evicted, lost)
			a.expires(ctx, t)
		})
	}
}

// oneOf changes something in the way of the turn.
func (s source) oneOf(ctx context.Context, p *process, keys []string, turn int) error {
	switch key := keys[turn%len(keys)]; turn % 7 {
	case 0:
		return s.change(func() error { return p.cache.InvalidateTags(ctx, tag) }, keys...)
	case 1:
		return s.change(func() error { return p.cache.Clear(ctx) }, keys...)
	case 2, 3:
		return s.change(func() error { return p.cache.Set(ctx, key, s[key].version.Load()) }, key)
	default:
		return s.change(func() error { return p.cache.Invalidate(ctx, key) }, key)
	}
}

// crowd stores values that want the room of others, and outlive them.
func crowd(ctx context.Context, t *testing.T, p *process, turn int) {
	t.Helper()
	large, year := strings.Repeat("x", 4<<10), strconv.Itoa(365*24*60*60)
	cmds := make([]conn.Command, 5)
	for i := range cmds {
		cmds[i] = conn.Key("SET", fmt.Sprint("crowd:", turn, ":", i), large, "EX", year)
	}
	for _, r := range p.conn.Pipeline(ctx, cmds...) {
		if r.Err != nil {
			t.Error(r.Err)
		}
	}
}

// limit sets maxmemory, in bytes; 0 is none.
func limit(t *testing.T, server *redistest.Server, bytes int64) {
	t.Helper()
	if _, err := server.Do("CONFIG", "SET", "maxmemory", strconv.FormatInt(bytes, 10)); err != nil {
		t.Fatal(err)
	}
}

// count is a number of INFO.
func count(t *testing.T, server *redistest.Server, section, field string) int64 {
	t.Helper()
	info, err := server.Do("INFO", section)
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(info) {
		if value, ok := strings.CutPrefix(line, field+":"); ok {
			n, err := strconv.ParseInt(strings.TrimSpace(value), 10, 64)
			if err != nil {
				t.Fatal(err)
			}
			return n
		}
	}
	t.Fatalf("INFO %s has no %s", section, field)
	return 0
}
