package larder

import (
	"encoding/json"
	"errors"

	"github.com/larder-go/larder/internal/fingerprint"
)

// Codec turns values into bytes and back. It must be safe for concurrent use,
// and Decode(Append(v)) must give a value that equals v.
type Codec[V any] interface {
	// Name identifies the encoding, and changes whenever stored bytes can no
	// longer be read. Entries of another name are misses.
	Name() string
	// Append appends the encoding of v to dst and returns the extended slice.
	Append(dst []byte, v V) ([]byte, error)
	// Decode reads data, which it must not keep or change.
	Decode(data []byte) (V, error)
}

// JSON is the default codec: encoding/json.
func JSON[V any]() Codec[V] { return jsonCodec[V]{} }

type jsonCodec[V any] struct{}

func (jsonCodec[V]) Name() string { return "json" }

func (jsonCodec[V]) Append(dst []byte, v V) ([]byte, error) {
	b, err := json.Marshal(v)
	return append(dst, b...), err
}

func (jsonCodec[V]) Decode(data []byte) (V, error) {
	var v V
	err := json.Unmarshal(data, &v)
	return v, err
}

// Bytes stores []byte values as they are.
func Bytes() Codec[[]byte] { return bytesCodec{} }

type bytesCodec struct{}

func (bytesCodec) Name() string                                { return "bytes" }
func (bytesCodec) Append(dst []byte, v []byte) ([]byte, error) { return append(dst, v...), nil }
func (bytesCodec) Decode(data []byte) ([]byte, error)          { return append([]byte{}, data...), nil }

var errCodecPanic = errors.New("larder: the codec panicked")

// appendValue and decodeValue keep a codec's panic from ending the process.
func appendValue[V any](codec Codec[V], dst []byte, v V) (b []byte, err error) {
	defer func() {
		if recover() != nil {
			err = errCodecPanic
		}
	}()
	return codec.Append(dst, v)
}

func decodeValue[V any](codec Codec[V], data []byte) (v V, err error) {
	defer func() {
		if recover() != nil {
			err = errCodecPanic
		}
	}()
	return codec.Decode(data)
}

// schemaOf fingerprints what a reader must agree on to understand an entry.
func schemaOf[V any](codec Codec[V]) uint64 { return fingerprint.Of[V](codec.Name()) }
