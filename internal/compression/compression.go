// Package compression is zstd (RFC 8878) for values that fit in memory: whole
// frames that state their size, decompressed within a limit. All of a process
// share one set of coders; its functions are safe for concurrent use.
package compression

import (
	"errors"
	"fmt"
	"sync"

	"github.com/klauspost/compress/zstd"
)

// MaxLimit is the largest limit that Decode takes: what Redis keeps in a string.
const MaxLimit = 512 << 20

const (
	// window is how far back matches reach, and so what each encoder keeps; a
	// value is rarely larger.
	window = 1 << 20
	// maxPooled bounds the buffers that are kept for the next value.
	maxPooled = 1 << 20
	// maxRatio is what zstd can reach: a block of 4 bytes that stands for 128 KiB
	// (RFC 8878, section 3.1.1.2). A frame that promises more is no frame.
	maxRatio = 128 << 10 / 4
)

// ErrCorrupt is returned for bytes that are not a frame of known size.
var ErrCorrupt = errors.New("compression: not a zstd frame that states its size")

// ErrTooLarge is returned for a frame that is larger than the limit.
var ErrTooLarge = errors.New("compression: the decompressed value is over the limit")

// The fastest level is within a few percent of the size of the next two on JSON,
// at a fifth of the default's memory for each encoder. There are as many coders
// as processors; more callers wait, which costs nothing, as all they do is compute.
var encoder = sync.OnceValue(func() *zstd.Encoder {
	return must(zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedFastest),
		zstd.WithWindowSize(window), zstd.WithLowerEncoderMem(true),
		zstd.WithSingleSegment(true))) // states the size of small values too
})

// The decoder writes into what Decode has allocated and never beyond.
var decoder = sync.OnceValue(func() *zstd.Decoder {
	return must(zstd.NewReader(nil, zstd.WithDecoderConcurrency(0),
		zstd.WithDecodeAllCapLimit(true), zstd.WithDecoderMaxMemory(MaxLimit)))
})

// must is for options that are constants.
func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

var scratch = sync.Pool{New: func() any { return new([]byte) }}

// Shrink replaces b[from:] by its frame, in place, if that is smaller. It
// returns false, and b as it was, otherwise.
func Shrink(b []byte, from int) ([]byte, bool) {
	buf := scratch.Get().(*[]byte)
	frame := encoder().EncodeAll(b[from:], (*buf)[:0])
	smaller := len(frame) < len(b)-from
	if smaller {
		b = append(b[:from], frame...)
	}
	if cap(frame) <= maxPooled {
		*buf = frame
		scratch.Put(buf)
	}
	return b, smaller
}

// Decode returns what a frame stands for, in memory of its own. It allocates no
// more than limit bytes for it, and not before the frame's header is plausible.
func Decode(frame []byte, limit int) ([]byte, error) {
	var h zstd.Header
	if err := h.Decode(frame); err != nil || !h.HasFCS {
		return nil, ErrCorrupt
	}
	size := h.FrameContentSize
	switch {
	case size > uint64(min(limit, MaxLimit)):
		return nil, ErrTooLarge
	case size > uint64(len(frame))*maxRatio:
		return nil, ErrCorrupt
	}
	b, err := decoder().DecodeAll(frame, make([]byte, 0, size))
	if err != nil {
		return nil, fmt.Errorf("compression: %w", err)
	}
	if uint64(len(b)) != size {
		return nil, ErrCorrupt
	}
	return b, nil
}
