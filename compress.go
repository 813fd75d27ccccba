package larder

import (
	"errors"

	"github.com/larder-go/larder/internal/compression"
)

// The defaults of CompressOptions.
const (
	DefaultCompressMinBytes = 1 << 10
	DefaultCompressMaxBytes = 64 << 20
)

// CompressOptions say what Compress compresses. Every value is valid; the zero
// value is a sensible default. They may change from one release of a program to
// the next: entries stay readable, except those larger than MaxBytes.
type CompressOptions struct {
	// MinBytes is the size of an encoded value from which on it is compressed.
	// 0 means DefaultCompressMinBytes (1 KiB); negative means every value.
	MinBytes int

	// MaxBytes bounds an encoded value before compression and after
	// decompression, so that a small entry cannot fill the memory. What is larger
	// is an error: not stored when encoding, a miss when decoding. 0 or negative
	// means DefaultCompressMaxBytes (64 MiB); at most 512 MiB, and more means that.
	MaxBytes int
}

// Compress wraps a codec so that large values are stored compressed with zstd
// (RFC 8878), where that makes them smaller. A nil codec means JSON.
//
// The name of the codec becomes "zstd+" and its name, so that entries of before
// are misses. The bytes are one for how the rest is stored, 'P' for plain or 'Z'
// for zstd, and the rest: the value in the wrapped codec, or one zstd frame of it
// with content size and checksum.
//
// Options.MaxValueBytes, Options.L1MaxBytes and Stats.L1Bytes count compressed
// bytes; L1 holds values decoded, which takes more memory by the ratio of
// compression.
//
// To encrypt as well, compress first: Encrypt(Compress(codec, …), keys…). What is
// encrypted does not get smaller. But the size of a compressed value tells
// something of its content: where an outsider can put text of his choice into the
// same value as a secret, and sees sizes, he can guess the secret bit by bit (as
// CRIME and BREACH did with TLS). Do not compress such values.
//
// Decode fails on bytes that are cut, changed or too large; the cache treats that
// as a miss. Of a plain value only the wrapped codec can tell.
func Compress[V any](codec Codec[V], opts CompressOptions) Codec[V] {
	if codec == nil {
		codec = JSON[V]()
	}
	if opts.MinBytes == 0 {
		opts.MinBytes = DefaultCompressMinBytes
	}
	if opts.MaxBytes <= 0 {
		opts.MaxBytes = DefaultCompressMaxBytes
	}
	opts.MaxBytes = min(opts.MaxBytes, compression.MaxLimit)
	return compressCodec[V]{codec: codec, opts: opts}
}

// How the bytes behind the first one are stored. The two differ in two bits, so
// that one flipped bit does not turn one into the other.
const (
	storedPlain = 'P'
	storedZstd  = 'Z'
)

var (
	errCompressMarker = errors.New("larder: not bytes of Compress")
	errCompressSize   = errors.New("larder: the value is larger than CompressOptions.MaxBytes")
)

type compressCodec[V any] struct {
	codec Codec[V]
	opts  CompressOptions
}

var _ Codec[any] = compressCodec[any]{}

func (c compressCodec[V]) Name() string { return "zstd+" + c.codec.Name() }

func (c compressCodec[V]) Append(dst []byte, v V) ([]byte, error) {
	marker := len(dst)
	b, err := c.codec.Append(append(dst, storedPlain), v)
	if err != nil {
		return dst, err
	}
	switch size := len(b) - marker - 1; {
	case size > c.opts.MaxBytes:
		return dst, errCompressSize
	case size < c.opts.MinBytes:
		return b, nil
	}
	b, smaller := compression.Shrink(b, marker+1)
	if smaller {
		b[marker] = storedZstd
	}
	return b, nil
}

func (c compressCodec[V]) Decode(data []byte) (v V, err error) {
	if len(data) == 0 {
		return v, errCompressMarker
	}
	plain := data[1:]
	switch data[0] {
	case storedPlain:
		if len(plain) > c.opts.MaxBytes {
			return v, errCompressSize
		}
	case storedZstd:
		if plain, err = compression.Decode(plain, c.opts.MaxBytes); err != nil {
			return v, err
		}
	default:
		return v, errCompressMarker
	}
	return c.codec.Decode(plain)
}
