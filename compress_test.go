package larder_test

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"

	"github.com/larder-go/larder"
)

// text is n bytes that compress well.
func text(n int) []byte {
	return bytes.Repeat([]byte("a pantry, a larder, a store; "), n/29+1)[:n]
}

func noise(n int) []byte {
	b := make([]byte, n)
	random := rand.NewChaCha8([32]byte{1})
	_, _ = random.Read(b)
	return b
}

func TestCompressRoundTrip(t *testing.T) {
	type options = larder.CompressOptions
	const plain, zstd = 'P', 'Z'
	for name, tt := range map[string]struct {
		opts   options
		value  []byte
		stored byte
	}{
		"empty":              {options{}, nil, plain},
		"below the minimum":  {options{}, text(larder.DefaultCompressMinBytes - 1), plain},
		"at the minimum":     {options{}, text(larder.DefaultCompressMinBytes), zstd},
		"own minimum":        {options{MinBytes: 100}, text(100), zstd},
		"every value":        {options{MinBytes: -1}, text(80), zstd},
		"empty, every value": {options{MinBytes: -1}, nil, plain},
		"not smaller":        {options{}, noise(5000), plain},
		"large":              {options{}, text(3 << 20), zstd},
		"at the maximum":     {options{MaxBytes: 5000}, text(5000), zstd},
		"plain, at maximum":  {options{MaxBytes: 500}, text(500), plain},
		"negative maximum":   {options{MaxBytes: -1}, text(5000), zstd},
		"huge maximum":       {options{MaxBytes: 1 << 31}, text(5000), zstd},
	} {
		t.Run(name, func(t *testing.T) {
			codec := larder.Compress(larder.Bytes(), tt.opts)
			b, err := codec.Append([]byte("head"), tt.value)
			if err != nil || string(b[:4]) != "head" {
				t.Fatalf("%q, %v", b[:min(4, len(b))], err)
			}
			b = b[4:]
			if b[0] != tt.stored || b[0] == zstd && len(b) > len(tt.value) || b[0] == plain && !bytes.Equal(b[1:], tt.value) {
				t.Errorf("stored as %q in %d bytes of %d, want %q", b[0], len(b), len(tt.value), tt.stored)
			}
			got, err := codec.Decode(b)
			if err != nil || !bytes.Equal(got, tt.value) {
				t.Errorf("%d bytes back of %d: %v", len(got), len(tt.value), err)
			}
		})
	}
}

func TestCompressNames(t *testing.T) {
	for want, codec := range map[string]interface{ Name() string }{
		"zstd+bytes":     larder.Compress(larder.Bytes(), larder.CompressOptions{}),
		"zstd+json":      larder.Compress[user](nil, larder.CompressOptions{MinBytes: 5, MaxBytes: 5}),
		"aes-gcm+json":   encrypted(t, larder.JSON[user](), key(t, "k1", 1)),
		"aes-gcm+string": encrypted(t, named{"string"}, key(t, "k1", 1), key(t, "k2", 2)),
		"aes-gcm+zstd+json": encrypted(t, larder.Compress(larder.JSON[user](), larder.CompressOptions{}),
			key(t, "k1", 1)),
	} {
		if got := codec.Name(); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

// What was written with one set of options is read with another.
func TestCompressOptionsMayChange(t *testing.T) {
	small := larder.Compress(larder.Bytes(), larder.CompressOptions{MinBytes: -1})
	large := larder.Compress(larder.Bytes(), larder.CompressOptions{MinBytes: 1 << 20})
	for _, pair := range [][2]larder.Codec[[]byte]{{small, large}, {large, small}} {
		b, err := pair[0].Append(nil, text(2000))
		if err != nil {
			t.Fatal(err)
		}
		if got, err := pair[1].Decode(b); err != nil || !bytes.Equal(got, text(2000)) {
			t.Errorf("%d bytes, %v", len(got), err)
		}
	}
}

// A value over the maximum is neither stored nor read, compressed or not.
func TestCompressIsBounded(t *testing.T) {
	tight := larder.Compress(larder.Bytes(), larder.CompressOptions{MaxBytes: 1 << 20})
	wide := larder.Compress(larder.Bytes(), larder.CompressOptions{})
	for name, value := range map[string][]byte{
		"bomb": make([]byte, 32<<20), "one byte": make([]byte, 1<<20+1), "plain": noise(1<<20 + 1),
	} {
		if b, err := tight.Append([]byte("head"), value); err == nil || string(b) != "head" {
			t.Errorf("%s: stored in %d bytes, %v", name, len(b), err)
		}
		b, err := wide.Append(nil, value)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := tight.Decode(b); err == nil {
			t.Errorf("%s: %d bytes became %d", name, len(b), len(got))
		}
	}
}

func TestCompressNoticesDamage(t *testing.T) {
	codec := larder.Compress(larder.JSON[string](), larder.CompressOptions{})
	value := string(text(2000))
	b, err := codec.Append(nil, value)
	if err != nil {
		t.Fatal(err)
	}
	for n := range b {
		if _, err := codec.Decode(b[:n:n]); err == nil {
			t.Errorf("cut to %d bytes of %d: accepted", n, len(b))
		}
	}
	for bit := range 8 * len(b) {
		damaged := bytes.Clone(b)
		damaged[bit/8] ^= 1 << (bit % 8)
		// zstd has a bit without a meaning.
		if got, err := codec.Decode(damaged); err == nil && got != value {
			t.Errorf("bit %d flipped: another value", bit)
		}
	}
}

// named is a codec of strings that fails on request.
type named struct{ name string }

var errRefused = errors.New("refused")

func (n named) Name() string { return n.name }

func (n named) Append(dst []byte, v string) ([]byte, error) {
	if v == "refuse" {
		return nil, errRefused
	}
	return append(dst, v...), nil
}

func (n named) Decode(data []byte) (string, error) {
	if string(data) == "refused" {
		return "", errRefused
	}
	return string(data), nil
}

func TestCompressAndEncryptPassErrorsOn(t *testing.T) {
	for _, codec := range []larder.Codec[string]{
		larder.Compress(named{"string"}, larder.CompressOptions{MinBytes: -1}),
		encrypted(t, named{"string"}, key(t, "k1", 1)),
	} {
		if b, err := codec.Append([]byte("head"), "refuse"); !errors.Is(err, errRefused) || string(b) != "head" {
			t.Errorf("%s: %q, %v", codec.Name(), b, err)
		}
		b, err := codec.Append(nil, "refused")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := codec.Decode(b); !errors.Is(err, errRefused) {
			t.Errorf("%s: %v", codec.Name(), err)
		}
	}
}

func TestCompressAndEncryptConcurrently(t *testing.T) {
	zstd := larder.Compress(named{"string"}, larder.CompressOptions{})
	for _, codec := range []larder.Codec[string]{zstd, encrypted(t, zstd, key(t, "k1", 1))} {
		var wg sync.WaitGroup
		for i := range 8 {
			wg.Go(func() {
				for n := range 30 {
					value := strings.Repeat(string(rune('a'+i)), 700+100*n)
					b, err := codec.Append(nil, value)
					if err != nil {
						t.Error(err)
						return
					}
					if got, err := codec.Decode(b); err != nil || got != value {
						t.Errorf("%s: another value, %v", codec.Name(), err)
					}
				}
			})
		}
		wg.Wait()
	}
}
