package larder

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"slices"
	"strings"

	"github.com/larder-go/larder/internal/sealing"
)

// EncryptionKey is a key of Encrypt, made by NewEncryptionKey. It is printed as
// its ID.
type EncryptionKey struct{ key *sealing.Key }

// NewEncryptionKey makes a key of an ID and a secret, which it copies.
//
// The ID names the key: it is stored in clear with every value, and must not pass
// to another secret. 1 to 16 characters of printable ASCII without spaces, such
// as "2026-10". The secret is 32 random bytes, such as `openssl rand -base64 32`
// makes, decoded; not a password.
//
// An error says what is wrong and prints neither: a secret may have been given as
// the ID by mistake.
func NewEncryptionKey(id string, secret []byte) (EncryptionKey, error) {
	ascii := !strings.ContainsFunc(id, func(r rune) bool { return r <= ' ' || r >= 0x7f })
	switch {
	case id == "" || len(id) > sealing.MaxIDBytes:
		return EncryptionKey{}, optionError("the length of an encryption key's ID", len(id),
			fmt.Sprintf("1 to %d bytes", sealing.MaxIDBytes))
	case !ascii:
		return EncryptionKey{}, optionError("an encryption key's ID", "something else", "printable ASCII without spaces")
	case len(secret) != sealing.KeyBytes:
		return EncryptionKey{}, optionError("the length of an encryption key's secret", len(secret),
			fmt.Sprintf("%d bytes, decoded from hexadecimal or base64", sealing.KeyBytes))
	case bytes.Count(secret, secret[:1]) == len(secret):
		// Allocated and never filled.
		return EncryptionKey{}, optionError("an encryption key's secret", "one byte repeated", "random bytes")
	}
	key, err := sealing.NewKey(id, secret)
	return EncryptionKey{key: key}, err
}

// String returns the ID.
func (k EncryptionKey) String() string {
	if k.key == nil {
		return ""
	}
	return k.key.ID()
}

// Encrypt wraps a codec so that values are stored encrypted and authenticated
// with AES-256-GCM (NIST SP 800-38D), under a random 96-bit nonce for each value.
// A nil codec means JSON. An error names the key by its place.
//
// The first key encrypts, all of them decrypt. To rotate without misses, first
// add the new key behind the old one in every process, then put it first, and
// remove the old one after TTL and StaleFor have passed. A process that lacks the
// key of an entry treats it as a miss, loads, and stores under its own.
//
// The name of the codec becomes "aes-gcm+" and its name, whatever the keys. The
// bytes are: the version 1, the length of the key's ID, the ID, the nonce (12
// bytes), the ciphertext, the tag (16 bytes). What comes before the nonce is
// authenticated, and with it the fingerprint of codec and Go type, so that a
// value does not pass for one of another type.
//
// # Limits
//
//   - Encrypted is the value. Redis keys, tags, times, the cost of the load, that a
//     value does not exist, the key's ID, and the length of the value are in clear.
//     The L1 holds values decoded.
//   - What is authenticated is that a holder of a key has written this value of this
//     type, not for which key of the cache and when. Whoever can write to Redis can
//     put an older value back, or a value in the place of another one of the same
//     type, unless the value itself says what it is and the program checks it.
//   - A key may encrypt 2^32 values (section 8.3: random nonces might repeat
//     otherwise); at 1000 fills a second in the whole fleet these are 49 days.
//     Rotate before.
//   - Compressing before encrypting has a price, see Compress.
//
// Decode fails on bytes that are cut or changed and on unknown keys; the cache
// treats that as a miss.
func Encrypt[V any](codec Codec[V], keys ...EncryptionKey) (Codec[V], error) {
	if codec == nil {
		codec = JSON[V]()
	}
	if len(keys) == 0 {
		return nil, optionError("the number of keys", 0, "at least 1")
	}
	ring := make([]*sealing.Key, len(keys))
	for i, k := range keys {
		switch {
		case k.key == nil:
			return nil, optionError(fmt.Sprintf("keys[%d]", i), "the zero value", "a key made by NewEncryptionKey")
		case slices.ContainsFunc(ring[:i], func(other *sealing.Key) bool { return other.ID() == k.key.ID() }):
			return nil, optionError(fmt.Sprintf("keys[%d]", i), k, "an ID that no key before it has")
		}
		ring[i] = k.key
	}
	c := encryptCodec[V]{codec: codec}
	c.ring = sealing.NewRing(binary.BigEndian.AppendUint64(nil, schemaOf(c)), ring...)
	return c, nil
}

type encryptCodec[V any] struct {
	codec Codec[V]
	ring  *sealing.Ring
}

var _ Codec[any] = encryptCodec[any]{}

func (c encryptCodec[V]) Name() string { return "aes-gcm+" + c.codec.Name() }

func (c encryptCodec[V]) Append(dst []byte, v V) ([]byte, error) {
	b, err := c.codec.Append(c.ring.Reserve(dst), v)
	if err != nil {
		return dst, err
	}
	return c.ring.Seal(b, len(dst)), nil
}

func (c encryptCodec[V]) Decode(data []byte) (v V, err error) {
	plain, err := c.ring.Open(data)
	if err != nil {
		return v, err
	}
	return c.codec.Decode(plain)
}
