package cachetest

import (
	"bytes"
	"encoding/gob"
)

// gobCodec shows that codecs are pluggable, and keeps strings that are not UTF-8.
type gobCodec[V any] struct{}

func (gobCodec[V]) Name() string { return "gob" }

func (gobCodec[V]) Append(dst []byte, v V) ([]byte, error) {
	buf := bytes.NewBuffer(dst)
	err := gob.NewEncoder(buf).Encode(v)
	return buf.Bytes(), err
}

func (gobCodec[V]) Decode(data []byte) (V, error) {
	var v V
	err := gob.NewDecoder(bytes.NewReader(data)).Decode(&v)
	return v, err
}
