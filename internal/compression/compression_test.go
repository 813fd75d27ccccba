package compression

import (
	"bytes"
	"encoding/hex"
	"errors"
	"math/rand/v2"
	"runtime"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"
)

const limit = 64 << 20

const golden = "28b52ffd641800750000386c61726465722001000e528b11b023f2ed"

func TestRoundTrip(t *testing.T) {
	noise := make([]byte, 5000)
	random := rand.NewChaCha8([32]byte{1})
	_, _ = random.Read(noise)
	for name, tt := range map[string]struct {
		value  string
		shrink bool
	}{
		"empty":            {"", false},
		"one byte":         {"x", false},
		"short":            {"larder", false},
		"below 256 bytes":  {strings.Repeat("larder ", 20), true},
		"below 1 KiB":      {strings.Repeat("larder ", 100), true},
		"text":             {strings.Repeat("a pantry, a larder, a store; ", 100), true},
		"noise":            {string(noise), false},
		"over one block":   {strings.Repeat("0123456789abcdef", 20_000), true},
		"over the window":  {strings.Repeat("0123456789abcdef", 200_000), true},
		"text after noise": {string(noise) + strings.Repeat("a", 5000), true},
	} {
		t.Run(name, func(t *testing.T) {
			b, shrunk := Shrink([]byte("head"+tt.value), 4)
			if shrunk != tt.shrink || string(b[:4]) != "head" {
				t.Fatalf("shrunk = %v, want %v; %d bytes of %d", shrunk, tt.shrink, len(b), 4+len(tt.value))
			}
			if !shrunk {
				if string(b[4:]) != tt.value {
					t.Error("the value has changed")
				}
				return
			}
			got, err := Decode(b[4:], len(tt.value))
			if err != nil || string(got) != tt.value {
				t.Errorf("%d bytes back of %d: %v", len(got), len(tt.value), err)
			}
			if _, err := Decode(b[4:], len(tt.value)-1); !errors.Is(err, ErrTooLarge) {
				t.Errorf("one byte over the limit: %v", err)
			}
		})
	}
}

// Made with zstd 1.5: zstd -19 --check.
func TestReadsFramesOfOthers(t *testing.T) {
	frame, err := hex.DecodeString(golden)
	if err != nil {
		t.Fatal(err)
	}
	got, err := Decode(frame, limit)
	if want := strings.Repeat("larder ", 40); err != nil || string(got) != want {
		t.Errorf("%q, %v", got, err)
	}
}

// A bomb is refused by what its header says; one that lies about its size ends
// where its buffer does.
func TestDecodeIsBounded(t *testing.T) {
	writer := must(zstd.NewWriter(nil, zstd.WithEncoderCRC(false)))
	bomb := writer.EncodeAll(make([]byte, limit+1), nil)
	var stream bytes.Buffer
	unsized := must(zstd.NewWriter(&stream))
	if _, err := unsized.Write(make([]byte, limit)); err != nil || unsized.Close() != nil {
		t.Fatal(err)
	}
	header := zstd.Header{SingleSegment: true, HasFCS: true, FrameContentSize: limit}
	promise := append(must(header.AppendTo(nil)), 3, 0, 0)
	header.FrameContentSize = 1000
	liar := must(header.AppendTo(nil))
	for range 400 { // RLE blocks of 128 KiB
		liar = append(liar, 2, 0, 0x10, 0)
	}
	small := writer.EncodeAll(make([]byte, 5000), nil)

	for name, tt := range map[string]struct {
		frame []byte
		err   error // nil for any
		alloc uint64
	}{
		"larger than the limit":  {bomb, ErrTooLarge, 1 << 10},
		"without a size":         {stream.Bytes(), ErrCorrupt, 1 << 10},
		"a size and no content":  {promise, ErrCorrupt, 1 << 10},
		"more than it says":      {liar, nil, 1 << 19},
		"two frames":             {append(bytes.Clone(small), small...), nil, 1 << 19},
		"many skippable frames":  {[]byte(strings.Repeat("\x50\x2a\x4d\x18\x00\x00\x00\x00", 100)), ErrCorrupt, 1 << 10},
		"a size of 64 bits":      {[]byte("\x28\xb5\x2f\xfd\xe0\xff\xff\xff\xff\xff\xff\xff\xff\x01\x00\x00"), ErrTooLarge, 1 << 10},
		"a size of 63 bits":      {[]byte("\x28\xb5\x2f\xfd\xe0\xff\xff\xff\xff\xff\xff\xff\x7f\x01\x00\x00"), ErrTooLarge, 1 << 10},
		"nothing":                {nil, ErrCorrupt, 1 << 10},
		"another format":         {[]byte("\x1f\x8b\x08\x00\x00\x00\x00\x00"), ErrCorrupt, 1 << 10},
		"a dictionary not known": {[]byte("\x28\xb5\x2f\xfd\x21\x09\x10\x01\x00\x00\x61"), nil, 1 << 19},
	} {
		t.Run(name, func(t *testing.T) {
			_, _ = Decode(small, limit) // starts the decoder
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			b, err := Decode(tt.frame, limit)
			runtime.ReadMemStats(&after)
			if err == nil || tt.err != nil && !errors.Is(err, tt.err) {
				t.Errorf("%d bytes, error %v, want %v", len(b), err, tt.err)
			}
			if got := after.TotalAlloc - before.TotalAlloc; got > tt.alloc+1<<16 {
				t.Errorf("%d bytes allocated for %d of input", got, len(tt.frame))
			}
		})
	}
}

func TestDecodeNoticesDamage(t *testing.T) {
	value := []byte(strings.Repeat("a pantry, a larder, a store; ", 50))
	frame, _ := Shrink(bytes.Clone(value), 0)
	for n := range frame {
		if _, err := Decode(frame[:n:n], limit); err == nil {
			t.Errorf("cut to %d bytes of %d: accepted", n, len(frame))
		}
	}
	for bit := range 8 * len(frame) {
		damaged := bytes.Clone(frame)
		damaged[bit/8] ^= 1 << (bit % 8)
		// The format has a bit without a meaning.
		if got, err := Decode(damaged, limit); err == nil && !bytes.Equal(got, value) {
			t.Errorf("bit %d flipped: another value", bit)
		}
	}
}

func FuzzRoundTrip(f *testing.F) {
	f.Add([]byte{})
	f.Add([]byte("larder"))
	f.Add(bytes.Repeat([]byte("0123456789"), 300))
	f.Fuzz(func(t *testing.T, value []byte) {
		b, shrunk := Shrink(bytes.Clone(value), 0)
		if shrunk {
			var err error
			if b, err = Decode(b, len(value)); err != nil {
				t.Fatal(err)
			}
		}
		if !bytes.Equal(b, value) {
			t.Errorf("%x comes back as %x", value, b)
		}
	})
}

func FuzzDecode(f *testing.F) {
	frame, _ := Shrink(bytes.Repeat([]byte("0123456789"), 300), 0)
	f.Add(frame)
	f.Add(frame[:len(frame)/2])
	f.Add([]byte("\x28\xb5\x2f\xfd\x20\x03\x19\x00\x00abc"))
	f.Fuzz(func(t *testing.T, frame []byte) {
		if b, err := Decode(frame, 1<<20); err == nil && len(b) > 1<<20 {
			t.Errorf("%d bytes, over the limit", len(b))
		}
	})
}
