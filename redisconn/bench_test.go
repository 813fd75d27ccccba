package redisconn

import (
	"context"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/redis/rueidis"

	"github.com/larder-go/larder/conn"
	"github.com/larder-go/larder/internal/redistest"
)

// goroutines is the number of concurrent callers of the benchmarks.
const goroutines = 64

// BenchmarkGet compares GET of a 100-byte value with the client library's own.
// The ratio is taken of alternating slices of the same run, so that what else
// the machine does hits both.
func BenchmarkGet(b *testing.B) {
	s := redistest.Start(b)
	c := open(b, s.URL(), Options{})
	addr := strings.TrimPrefix(s.URL(), "redis://")
	bare, err := rueidis.NewClient(rueidis.ClientOption{InitAddress: []string{addr}, ForceSingleClient: true, DisableCache: true})
	if err != nil {
		b.Fatal(err)
	}
	defer bare.Close()
	ctx := b.Context()
	keys := make([]string, 1000)
	for i := range keys {
		keys[i] = "bench:" + strings.Repeat("k", i%20) + string(rune('a'+i%26))
		if _, err := c.Do(ctx, conn.Key("SET", keys[i], strings.Repeat("v", 100))); err != nil {
			b.Fatal(err)
		}
	}
	viaBare := func(key string) error { return bare.Do(ctx, bare.B().Get().Key(key).Build()).Error() }
	for name, d := range map[string]conn.Doer{"Do": c, "Tracker": tracking(b, c)} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			compare(b, keys, viaBare, func(key string) error {
				_, err := d.Do(ctx, conn.Key("GET", key))
				return err
			})
		})
	}
	b.Run("bare", func(b *testing.B) {
		b.ReportAllocs()
		b.SetParallelism(goroutines / runtime.GOMAXPROCS(0))
		b.RunParallel(func(pb *testing.PB) { spin(b, pb, keys, viaBare) })
	})
}

// compare runs ours b.N times and reports its rate relative to theirs.
func compare(b *testing.B, keys []string, theirs, ours func(key string) error) {
	const slices = 20
	run := func(n int, get func(string) error) time.Duration {
		start := time.Now()
		done := make(chan error, goroutines)
		for g := range goroutines {
			go func() {
				var err error
				for i := g; i < n && err == nil; i += goroutines {
					err = get(keys[i%len(keys)])
				}
				done <- err
			}()
		}
		for range goroutines {
			if err := <-done; err != nil {
				b.Error(err)
			}
		}
		return time.Since(start)
	}
	var mine, other time.Duration
	for range slices {
		n := max(1, b.N/slices)
		b.StopTimer()
		other += run(n, theirs)
		b.StartTimer()
		mine += run(n, ours)
	}
	b.ReportMetric(other.Seconds()/mine.Seconds(), "of-bare")
}

func spin(b *testing.B, pb *testing.PB, keys []string, get func(string) error) {
	for i := 0; pb.Next(); i++ {
		if err := get(keys[i%len(keys)]); err != nil {
			b.Error(err)
			return
		}
	}
}

// BenchmarkConvert measures what a reply costs beyond the library: nothing for
// strings.
func BenchmarkConvert(b *testing.B) {
	c := open(b, redistest.Start(b).URL(), Options{})
	ctx := context.Background()
	if _, err := c.Do(ctx, conn.Key("SET", "k", "v")); err != nil {
		b.Fatal(err)
	}
	res := c.plain.rc.Do(ctx, c.plain.rc.B().Get().Key("k").Build())
	b.ReportAllocs()
	for b.Loop() {
		if v, err := c.plain.reply(ctx, "GET", res); err != nil || v.Str != "v" {
			b.Fatal(v, err)
		}
	}
}
