package larder_test

import (
	"fmt"
	"testing"

	"github.com/larder-go/larder"
)

// BenchmarkCompressEncrypt measures the codecs in a chain, on JSON of about 0.5,
// 5 and 50 KB: the time and allocations of each way, and the bytes stored.
//
//	go test -run '^$' -bench CompressEncrypt .
func BenchmarkCompressEncrypt(b *testing.B) {
	json := larder.JSON[[]user]()
	zstd := larder.Compress(json, larder.CompressOptions{MinBytes: -1})
	k := key(b, "2026-10", 1)
	for _, users := range []int{5, 50, 500} {
		value := make([]user, users)
		for i := range value {
			value[i] = user{ID: int64(i * 7919), Name: fmt.Sprint("user ", i*31), Mail: fmt.Sprintf("u%d@example.org", i), Roles: []string{"reader", "writer"}}
		}
		for _, codec := range []larder.Codec[[]user]{json, zstd, encrypted(b, json, k), encrypted(b, zstd, k)} {
			stored, err := codec.Append(nil, value)
			if err != nil {
				b.Fatal(err)
			}
			b.Run(fmt.Sprintf("append/%s/%d", codec.Name(), users), func(b *testing.B) {
				b.ReportAllocs()
				buf := make([]byte, 0, 2*len(stored)+1<<16)
				for b.Loop() {
					if _, err := codec.Append(buf, value); err != nil {
						b.Fatal(err)
					}
				}
				b.ReportMetric(float64(len(stored)), "stored-bytes")
			})
			b.Run(fmt.Sprintf("decode/%s/%d", codec.Name(), users), func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					if _, err := codec.Decode(stored); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}
