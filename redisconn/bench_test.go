package redisconn

import (
	"context"
	"fmt"
	"runtime"
	"strings"
	"testing"

	"github.com/redis/rueidis"

	"github.com/larder-go/larder/conn"
	"github.com/larder-go/larder/internal/redistest"
	"github.com/larder-go/larder/internal/sidebyside"
)

// goroutines is the number of concurrent callers of a busy service.
const goroutines = 64

// BenchmarkGet compares GET of a 100-byte value with the client library's own.
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
		for _, callers := range []int{1, 4, goroutines} {
			b.Run(fmt.Sprintf("%s/%d", name, callers), func(b *testing.B) {
				sidebyside.Run(b, callers,
					func(i int) error { return viaBare(keys[i%len(keys)]) },
					func(i int) error {
						_, err := d.Do(ctx, conn.Key("GET", keys[i%len(keys)]))
						return err
					})
			})
		}
	}
	b.Run("bare", func(b *testing.B) {
		b.ReportAllocs()
		b.SetParallelism(goroutines / runtime.GOMAXPROCS(0))
		b.RunParallel(func(pb *testing.PB) { spin(b, pb, keys, viaBare) })
	})
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
