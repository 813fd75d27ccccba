// Package sealing encrypts and authenticates values with AES-256-GCM (NIST SP
// 800-38D) under one of several keys, so that keys can be rotated. A Ring is safe
// for concurrent use. Nothing here prints keys.
//
// A sealed value is
//
//	version    1 byte, 1
//	n          1 byte, the length of the key's ID
//	ID         n bytes
//	nonce      12 bytes, random for each value
//	ciphertext as long as the value
//	tag        16 bytes
//
// and authenticates, as associated data, the bytes up to the nonce followed by
// the context that the Ring was made for.
package sealing

import (
	"crypto/aes"
	"crypto/cipher"
	"errors"
	"slices"
)

const (
	// KeyBytes is the length of a key: AES-256.
	KeyBytes = 32
	// MaxIDBytes is the length of the longest ID. It is shorter than a key in any
	// notation, so that a key given as an ID by mistake is refused.
	MaxIDBytes = 16
	// Overhead is by how much a sealed value is longer, the ID left out.
	Overhead = 2 + 12 + 16

	version = 1
)

var (
	// ErrCorrupt is returned for bytes that are not a sealed value of this version.
	ErrCorrupt = errors.New("sealing: not a sealed value of this version")
	// ErrUnknownKey is returned for a value sealed under a key that the ring has not.
	ErrUnknownKey = errors.New("sealing: sealed under an unknown key")
	// ErrForged is returned for a value that was changed, or sealed under another
	// key of the same ID or in another context.
	ErrForged = errors.New("sealing: the value fails authentication")
)

// Key is one key of a Ring. It is passed by pointer, so that package fmt does not
// print what it holds where it is part of something else.
type Key struct {
	id   string
	aead cipher.AEAD // puts a random nonce before the ciphertext itself
}

// NewKey copies a secret of KeyBytes. An ID has 1 to MaxIDBytes bytes.
func NewKey(id string, secret []byte) (*Key, error) {
	if len(secret) != KeyBytes || id == "" || len(id) > MaxIDBytes {
		return nil, errors.New("sealing: a key or its ID has a wrong length")
	}
	block, err := aes.NewCipher(secret)
	if err != nil {
		return nil, err
	}
	aead, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		return nil, err
	}
	return &Key{id: id, aead: aead}, nil
}

// ID returns what the key is called.
func (k *Key) ID() string { return k.id }

// Ring seals under its first key and opens under all of them.
type Ring struct{ members []member }

type member struct {
	key   *Key
	head  []byte // of a sealed value: version, n, ID
	bound []byte // associated data: head and context
}

// NewRing makes a ring for values of the given context. There is at least one
// key, and their IDs differ.
func NewRing(context []byte, keys ...*Key) *Ring {
	r := &Ring{}
	for _, k := range keys {
		head := append([]byte{version, byte(len(k.id))}, k.id...)
		r.members = append(r.members, member{key: k, head: head, bound: slices.Concat(head, context)})
	}
	return r
}

// Reserve appends the room that Seal needs before a value.
func (r *Ring) Reserve(dst []byte) []byte { return append(dst, r.members[0].head...) }

// Seal replaces the value that was appended to Reserve(b[:from]) by the sealed
// value, in place where the capacity allows.
func (r *Ring) Seal(b []byte, from int) []byte {
	m := r.members[0]
	at := from + len(m.head)
	return m.key.aead.Seal(b[:at], nil, b[at:], m.bound)
}

// Open returns what was sealed, in memory of its own.
func (r *Ring) Open(sealed []byte) ([]byte, error) {
	if len(sealed) < 2 || sealed[0] != version || sealed[1] == 0 || sealed[1] > MaxIDBytes ||
		len(sealed) < Overhead+int(sealed[1]) {
		return nil, ErrCorrupt
	}
	id, box := sealed[2:2+sealed[1]], sealed[2+sealed[1]:]
	for _, m := range r.members {
		if m.key.id != string(id) {
			continue
		}
		value, err := m.key.aead.Open(nil, nil, box, m.bound)
		if err != nil {
			return nil, ErrForged
		}
		return value, nil
	}
	return nil, ErrUnknownKey
}
