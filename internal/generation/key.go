package generation

import (
	"encoding/binary"
	"math/rand/v2"
	"strings"
)

// The prefixes of generation keys. No namespace begins with '~', so they never
// meet an entry.
const (
	prefix          = "~"
	tagPrefix       = "~tag:"
	namespacePrefix = "~ns:"
)

// TagKey is the Redis key of a tag's generation.
func TagKey(tag string) string { return tagPrefix + tag }

// TagOf is the tag whose generation has a Redis key; false where it is a
// namespace's.
func TagOf(key string) (tag string, ok bool) { return strings.CutPrefix(key, tagPrefix) }

// NamespaceKey is the Redis key of a namespace's generation.
func NamespaceKey(namespace string) string { return namespacePrefix + namespace }

// IsKey tells whether a Redis key is that of a generation.
func IsKey(key string) bool { return strings.HasPrefix(key, prefix) }

// newNumber makes the random, non-zero number of a generation.
func newNumber() uint64 {
	for {
		if n := rand.Uint64(); n != 0 {
			return n
		}
	}
}

func word(n uint64) string {
	var b [8]byte
	binary.BigEndian.PutUint64(b[:], n)
	return string(b[:])
}
