package ratelimit

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"github.com/larder-go/larder/conn"
	"github.com/larder-go/larder/embedded"
)

// The model of the scripts is the store in the process, which is also what answers
// without Redis. Both are given the same random histories; every reply, and what
// the keys hold afterwards, must agree.
type history struct {
	a       Algorithm
	dynamic bool
	rng     *rand.Rand
	now     int64
}

var modelled = map[string]func(r *rand.Rand) Algorithm{
	"fixed": func(r *rand.Rand) Algorithm { return FixedWindow(1+r.Int64N(12), window(r)) },
	"sliding": func(r *rand.Rand) Algorithm {
		return SlidingWindow(1+r.Int64N(30), window(r))
	},
	"bucket": func(r *rand.Rand) Algorithm {
		return TokenBucket(1+r.Int64N(7), window(r), 1+r.Int64N(20))
	},
	"gcra":   func(r *rand.Rand) Algorithm { return GCRA(1+r.Int64N(50), 100*window(r), 1+r.Int64N(20)) },
	"cached": func(r *rand.Rand) Algorithm { return CachedFixedWindow(1+r.Int64N(12), window(r)) },
}

// window is long enough for a server's own clock not to end it during a test.
func window(r *rand.Rand) time.Duration {
	return time.Minute + time.Duration(r.Int64N(100_000))*time.Millisecond
}

// cost is mostly 1, sometimes a refund, nothing, much or far too much.
func (h *history) cost() int64 {
	switch h.rng.IntN(12) {
	case 0:
		return -1 - h.rng.Int64N(4)
	case 1:
		return 0
	case 2:
		return h.rng.Int64N(40)
	case 3:
		return MaxLimit
	case 4, 5, 6:
		return 1 + h.rng.Int64N(4)
	}
	return 1
}

// step moves the clock: mostly little, sometimes over windows, sometimes back, as
// clocks of clients differ.
func (h *history) step() {
	w := h.a.windowMillis()
	switch h.rng.IntN(12) {
	case 0:
		h.now += h.rng.Int64N(3 * w)
	case 1:
		h.now = max(h.now-h.rng.Int64N(w/2), 1)
	case 2:
		h.now += w - h.now%w // exactly an edge
	case 3, 4, 5, 6:
		h.now += h.rng.Int64N(w / 5)
	}
}

func TestScriptsEqualTheModel(t *testing.T) {
	const histories, steps = 12, 80
	onEach(t, func(t *testing.T, c conn.Conn) {
		for name, make := range modelled {
			t.Run(name, func(t *testing.T) {
				for seed := range uint64(histories) {
					h := &history{rng: rand.New(rand.NewPCG(seed, 7)), now: vectorTime}
					h.a, h.dynamic = make(h.rng), seed%3 == 0 && name != "cached"
					h.run(t, c, fmt.Sprintf("%s:%d", prefixOf(t), seed), steps)
					if t.Failed() {
						t.Fatalf("seed %d, %+v", seed, h.a)
					}
				}
			})
		}
	})
}

// run compares along one history. Keys do not expire during it: the model's clock
// of expiries stands still, as nearly does the server's.
func (h *history) run(t *testing.T, c conn.Conn, prefix string, steps int) {
	limit := h.a.limit
	m := newMemory(prefix, h.a, DefaultMaxLocal, func() int64 { return limit })
	r := newRedis(c, Options{Algorithm: h.a, Prefix: prefix, DynamicLimit: h.dynamic})
	for i := range steps {
		h.step()
		if h.dynamic && h.rng.IntN(10) == 0 {
			limit = h.rng.Int64N(2 * h.a.limit)
			do(t, c, "SET", r.names.dynamic, strconv.FormatInt(limit, 10))
		}
		q := query{id: string(rune('a' + h.rng.IntN(2))), cost: h.cost(), now: h.now}
		if h.a.kind == gcra { // as Limiter.decide does
			q.cost = min(max(q.cost, -h.a.extra), h.a.extra)
		}
		got, err := r.decide(t.Context(), &q)
		if err != nil {
			t.Fatal(err)
		}
		s := m.of(q.id)
		s.mu.Lock()
		before := s.cells[m.current(q.id, q.now)]
		want := m.applyLocked(s, &q, 0)
		after, there := s.cells[m.current(q.id, q.now)]
		s.mu.Unlock()
		if got != want {
			t.Errorf("step %d at %d, cost %d of %d on %+v: the script says %+v, the model %+v", i, q.now, q.cost, limit, before, got, want)
		}
		h.compare(t, c, m.current(q.id, q.now), after, there)
		if t.Failed() {
			return
		}
	}
}

// compare checks what a key holds, and where it was written its expiry.
func (h *history) compare(t *testing.T, c conn.Conn, key string, want cell, there bool) {
	t.Helper()
	var n, at string
	if h.a.kind == tokenBucket {
		fields := do(t, c, "HMGET", key, "tokens", "refilledAt").Elems
		n, at = fields[0].Str, fields[1].Str
	} else {
		n = do(t, c, "GET", key).Str
	}
	wantN, wantAt := "", ""
	if there {
		wantN = number(want.n)
		if h.a.kind == tokenBucket {
			wantAt = number(want.at)
		}
	}
	if n != wantN || at != wantAt {
		t.Errorf("the key holds %q %q, the model's %q %q", n, at, wantN, wantAt)
	}
	ttl := do(t, c, "PTTL", key).Int
	switch {
	case !there && ttl != -2:
		t.Errorf("the key is there for %d ms, the model has none", ttl)
	case there && (ttl > want.expires || ttl <= 0 || ttl < want.expires-40_000):
		t.Errorf("the key lives %d ms, the model's %d", ttl, want.expires)
	}
}

// With an engine whose clock can be moved, keys expire in both, and to the
// millisecond at the same time.
func TestScriptsEqualTheModelOverTime(t *testing.T) {
	for name, make := range modelled {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c, err := embedded.Open(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				defer func() { _ = c.Close() }()
				for seed := range uint64(10) {
					rng := rand.New(rand.NewPCG(seed, 11))
					h := &history{rng: rng, a: make(rng)}
					prefix := "p" + strconv.FormatUint(seed, 10)
					m := newMemory(prefix, h.a, DefaultMaxLocal, func() int64 { return h.a.limit })
					r := newRedis(c, Options{Algorithm: h.a, Prefix: prefix})
					for i := range 80 {
						h.now = time.Now().UnixMilli()
						before := h.now
						h.step()
						time.Sleep(time.Duration(max(h.now-before, 0)) * time.Millisecond)
						q := query{id: "u", cost: h.cost(), now: time.Now().UnixMilli()}
						if h.a.kind == gcra {
							q.cost = min(max(q.cost, -h.a.extra), h.a.extra)
						}
						got, err := r.decide(context.Background(), &q)
						if err != nil {
							t.Fatal(err)
						}
						want, _ := m.decide(context.Background(), &q)
						if got != want {
							t.Fatalf("seed %d step %d: the script says %+v, the model %+v", seed, i, got, want)
						}
						key := m.current(q.id, q.now)
						left := do(t, c, "PTTL", key).Int
						if e, ok := m.of(q.id).getLocked(key, q.now); ok != (left > 0) || ok && e.expires-q.now != left {
							t.Fatalf("seed %d step %d: the key lives %d ms, the model's %d", seed, i, left, e.expires-q.now)
						}
					}
				}
			})
		})
	}
}
