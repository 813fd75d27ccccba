package soak

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/larder-go/larder/ratelimit"
)

// limited is how many identifiers ask; more of them than are remembered.
const limited = 300

// limiters are one of each algorithm.
type limiters struct {
	closers
	all []*ratelimit.Limiter
}

func openLimiters(_ context.Context, e *env) (load, error) {
	l := &limiters{}
	const window = lifetime / 4
	for i, a := range []ratelimit.Algorithm{
		ratelimit.FixedWindow(20, window),
		ratelimit.SlidingWindow(20, window),
		ratelimit.TokenBucket(5, window/4, 20),
		ratelimit.GCRA(20, window, 5),
		ratelimit.CachedFixedWindow(20, window),
	} {
		one, err := ratelimit.New(e.conn, ratelimit.Options{
			Algorithm: a, Prefix: fmt.Sprintf("%s-limit-%d", e.id, i), Timeout: patience,
			MaxBlocked: limited / 2, MaxLocal: limited / 2, BlockFor: window,
			Analytics: i == 0, Retention: time.Hour, DenyList: i == 1, DynamicLimit: i == 1,
		})
		if err != nil {
			return nil, errors.Join(err, l.close())
		}
		l.all = append(l.all, one)
		l.add(one.Close)
	}
	return l, nil
}

func (l *limiters) step(ctx context.Context, rng *rand.Rand) error {
	one := l.all[rng.IntN(len(l.all))]
	id := fmt.Sprintf("user-%d", rng.IntN(limited))
	var err error
	switch n := rng.IntN(100); {
	case n < 80:
		_, err = one.Limit(ctx, id, ratelimit.Cost(1+rng.Int64N(3)))
	case n < 90:
		_, err = one.Remaining(ctx, id)
	case n < 95:
		err = one.Reset(ctx, id)
	default:
		_, err = one.Wait(ctx, id)
	}
	return err
}
