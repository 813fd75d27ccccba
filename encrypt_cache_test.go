package larder_test

import (
	"bytes"
	"context"
	"strings"
	"testing"
	"time"

	"github.com/larder-go/larder"
	"github.com/larder-go/larder/conn"
	"github.com/larder-go/larder/embedded"
)

// page is a value that is large enough to be compressed.
type page struct {
	Path, Text string
}

// fleet opens caches over one engine, each as a process of its own would have it.
type fleet struct {
	t     *testing.T
	c     conn.Conn
	loads int
}

const secretText = "the recipe is secret"

func newFleet(t *testing.T) *fleet {
	t.Helper()
	c, err := embedded.Open(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return &fleet{t: t, c: c}
}

// get reads a page through a new cache, without an L1, and returns how often the
// loader ran.
func (f *fleet) get(codec larder.Codec[page]) (loads int, stats larder.Stats) {
	f.t.Helper()
	want := page{"/a", strings.Repeat(secretText+", ", 200)}
	cache, err := larder.New(f.c, larder.Options[string, page]{
		Namespace: "page", TTL: time.Hour, Codec: codec, L1MaxBytes: -1,
		Load: func(context.Context, string) (page, error) {
			f.loads++
			return want, nil
		},
	})
	if err != nil {
		f.t.Fatal(err)
	}
	defer func() { _ = cache.Close() }()
	before := f.loads
	if got, err := cache.Get(f.t.Context(), "a"); err != nil || got != want {
		f.t.Fatalf("another page, %v", err)
	}
	return f.loads - before, cache.Stats()
}

// stored returns the bytes of the entry in Redis.
func (f *fleet) stored() string {
	f.t.Helper()
	v, err := f.c.Do(f.t.Context(), conn.Key("GET", "page:a"))
	if err != nil {
		f.t.Fatal(err)
	}
	return v.Str
}

func TestCompressAndEncryptInACache(t *testing.T) {
	json := larder.JSON[page]()
	zstd := larder.Compress(json, larder.CompressOptions{})
	for name, tt := range map[string]struct {
		codec larder.Codec[page]
		clear bool // zstd packs what it has not seen before, so it is not
		bytes int  // at most
	}{
		"json":              {json, true, 6000},
		"zstd+json":         {zstd, false, 300},
		"aes-gcm+json":      {encrypted(t, json, key(t, "k1", 1)), false, 6000},
		"aes-gcm+zstd+json": {encrypted(t, zstd, key(t, "k1", 1)), false, 300},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFleet(t)
			if n, _ := f.get(tt.codec); n != 1 {
				t.Errorf("%d loads of a cold cache", n)
			}
			if n, _ := f.get(tt.codec); n != 0 {
				t.Errorf("%d loads of a warm cache", n)
			}
			stored := f.stored()
			if inClear := strings.Contains(stored, "recipe"); inClear != tt.clear {
				t.Errorf("in clear in Redis: %v", inClear)
			}
			if len(stored) > tt.bytes {
				t.Errorf("%d bytes in Redis, want at most %d", len(stored), tt.bytes)
			}
		})
	}
}

// Another chain, a removed key and damage are misses, which a load repairs; a
// rotation is none.
func TestEncryptedEntriesThatCannotBeReadAreMisses(t *testing.T) {
	old, fresh, json := key(t, "old", 1), key(t, "new", 2), larder.JSON[page]()
	zstd := larder.Compress(json, larder.CompressOptions{})
	f := newFleet(t)
	for _, step := range []struct {
		name     string
		codec    larder.Codec[page]
		loads    int
		rejected func(larder.Stats) uint64 // the counter that tells why
	}{
		{"in clear", json, 1, nil},
		{"encrypted from now on", encrypted(t, json, old), 1, func(s larder.Stats) uint64 { return s.RejectedSchema }},
		{"a new key behind", encrypted(t, json, old, fresh), 0, nil},
		{"the new key first", encrypted(t, json, fresh, old), 0, nil},
		{"the old key removed too early", encrypted(t, json, fresh), 1, func(s larder.Stats) uint64 { return s.Corrupt }},
		{"repaired", encrypted(t, json, fresh), 0, nil},
		{"compressed from now on", encrypted(t, zstd, fresh), 1, func(s larder.Stats) uint64 { return s.RejectedSchema }},
	} {
		loads, stats := f.get(step.codec)
		if loads != step.loads {
			t.Errorf("%s: %d loads, want %d", step.name, loads, step.loads)
		}
		if step.rejected != nil && step.rejected(stats) == 0 {
			t.Errorf("%s: the entry was not rejected for the expected reason: %+v", step.name, stats)
		}
	}
}

func FuzzCompressEncrypt(f *testing.F) {
	zstd := larder.Compress(larder.Bytes(), larder.CompressOptions{MinBytes: -1, MaxBytes: 1 << 20})
	codecs := []larder.Codec[[]byte]{zstd, encrypted(f, larder.Bytes(), key(f, "k1", 1)), encrypted(f, zstd, key(f, "k1", 1))}
	f.Add([]byte{})
	f.Add([]byte("larder"))
	f.Add(text(500))
	f.Add([]byte("Z\x28\xb5\x2f\xfd\x20\x03\x19\x00\x00abc"))
	f.Fuzz(func(t *testing.T, data []byte) {
		for _, codec := range codecs {
			b, err := codec.Append(nil, data)
			if err != nil {
				t.Fatal(err)
			}
			if got, err := codec.Decode(b); err != nil || !bytes.Equal(got, data) {
				t.Errorf("%s: %x comes back as %x, %v", codec.Name(), data, got, err)
			}
			_, _ = codec.Decode(data) // must not panic
		}
	})
}
