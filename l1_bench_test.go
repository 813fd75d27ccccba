package larder_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"runtime"
	"strconv"
	"testing"
	"time"

	"github.com/maypok86/otter/v2"

	"github.com/larder-go/larder"
	"github.com/larder-go/larder/internal/sidebyside"
)

// BenchmarkL1Hit compares a hit in L1 with the limit: the same reads from the
// bare otter cache beneath it. Keys are Zipf over 100,000 entries, and the
// values are read.
//
//	go test -run '^$' -bench L1Hit -count 10 .
func BenchmarkL1Hit(b *testing.B) {
	benchL1(b, "int", func(i int) int64 { return int64(i) })
	benchL1(b, "string", func(i int) string { return "user:" + strconv.Itoa(i) })
}

const l1Entries = 100_000

type user struct {
	ID    int64  `json:"id"`
	Name  string `json:"name"`
	Mail  string `json:"mail"`
	Roles []string
}

func benchL1[K comparable](b *testing.B, name string, key func(int) K) {
	value := func() *user { return &user{ID: 1, Name: "somebody", Mail: "somebody@example.org"} }
	bare := otter.Must(&otter.Options[K, *user]{
		MaximumWeight: 1 << 30,
		Weigher:       func(K, *user) uint32 { return 300 },
	})
	ctx := context.Background()
	cache, err := larder.New(nil, larder.Options[K, *user]{
		Namespace: "bench", TTL: time.Hour, L1MaxBytes: 1 << 30, Local: true,
	})
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = cache.Close() }()
	for i := range l1Entries {
		bare.Set(key(i), value())
		if err := cache.Set(ctx, key(i), value()); err != nil {
			b.Fatal(err)
		}
	}
	keys := zipfKeys(key)
	b.Run(name, func(b *testing.B) {
		sidebyside.Run(b, runtime.GOMAXPROCS(0), func(i int) error {
			if u, ok := bare.GetIfPresent(keys[i%len(keys)]); !ok || u.ID != 1 {
				return errors.New("no hit")
			}
			return nil
		}, func(i int) error {
			u, err := cache.Get(ctx, keys[i%len(keys)])
			if err == nil && u.ID != 1 {
				err = errors.New("no value")
			}
			return err
		})
		if n := cache.Stats().Misses; n > 0 {
			b.Errorf("%d reads were no hits in L1", n)
		}
	})
}

func zipfKeys[K comparable](key func(int) K) []K {
	zipf := rand.NewZipf(rand.New(rand.NewPCG(1, 1)), 1.01, 1, l1Entries-1)
	keys := make([]K, 1<<17)
	for i := range keys {
		keys[i] = key(int(zipf.Uint64()))
	}
	return keys
}
