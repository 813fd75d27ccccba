package ratelimit

import (
	"context"
	"strconv"
	"testing"
	"time"

	"github.com/redis/rueidis"

	"github.com/larder-go/larder/internal/redistest"
	"github.com/larder-go/larder/internal/sidebyside"
)

// BenchmarkLimit compares a decision with the limit: a bare EVALSHA of the same
// script with the same arguments, at 64 goroutines.
//
//	go test -run '^$' -bench Limit -benchtime 100000x ./ratelimit
func BenchmarkLimit(b *testing.B) {
	const ids = 1000
	server := redistest.Start(b)
	ctx := context.Background()
	client, err := rueidis.NewClient(rueidis.ClientOption{InitAddress: []string{server.Addr()}, DisableCache: true, ForceSingleClient: true})
	if err != nil {
		b.Fatal(err)
	}
	defer client.Close()
	c := dial(b, server.URL())
	for name, o := range map[string]Options{
		"fixed":   {Algorithm: FixedWindow(MaxLimit, time.Hour)},
		"sliding": {Algorithm: SlidingWindow(MaxLimit, time.Hour)},
		"bucket":  {Algorithm: TokenBucket(MaxLimit, time.Hour, MaxLimit)},
		"gcra":    {Algorithm: GCRA(MaxLimit/1000, time.Hour, 1000000)},
		"options": {Algorithm: FixedWindow(MaxLimit, time.Hour), DynamicLimit: true, DenyList: true},
	} {
		b.Run(name, func(b *testing.B) {
			o.Prefix, o.Timeout = name, 10*time.Second
			l := limiter(b, c, o)
			r := newRedis(c, o)
			bare := make([][]string, ids)
			names := make([]string, ids)
			for i := range ids {
				names[i] = "user:" + strconv.Itoa(i)
				q := query{id: names[i], cost: 1, now: time.Now().UnixMilli()}
				in := inputs{limit: r.limit}
				if r.denying {
					in.values = q.deniable()
				}
				keys, args := r.call(&q, &in, new([]string))
				bare[i] = append([]string{strconv.Itoa(len(keys))}, append(keys, args...)...)
				limit(b, l, names[i])
			}
			sidebyside.Run(b, 64, func(i int) error {
				cmd := client.B().Arbitrary("EVALSHA", r.script.Digest()).Args(bare[i%ids]...).Build()
				return client.Do(ctx, cmd).Error()
			}, func(i int) error {
				_, err := l.Limit(ctx, names[i%ids])
				return err
			})
		})
	}
}

// BenchmarkBlocked is a refusal from memory.
func BenchmarkBlocked(b *testing.B) {
	l := limiter(b, nil, Options{Algorithm: FixedWindow(1, 24*time.Hour)})
	ctx := context.Background()
	limit(b, l, "user:42")
	limit(b, l, "user:42")
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if d, err := l.Limit(ctx, "user:42"); d.Reason != ReasonBlocked || err != nil {
				b.Error(d, err)
				return
			}
		}
	})
}

// BenchmarkLocal is a decision without Redis.
func BenchmarkLocal(b *testing.B) {
	l := limiter(b, nil, Options{Algorithm: SlidingWindow(MaxLimit, time.Hour)})
	ctx := context.Background()
	b.ReportAllocs()
	for b.Loop() {
		if d, err := l.Limit(ctx, "user:42"); !d.Allowed || err != nil {
			b.Fatal(d, err)
		}
	}
}
