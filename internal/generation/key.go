package generation

import (
	"encoding/binary"
	"math/rand/v2"
	"strings"
	"time"
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

// NamespaceKey is the Redis key of a namespace's generation.
func NamespaceKey(namespace string) string { return namespacePrefix + namespace }

// IsKey tells whether a Redis key is that of a generation.
func IsKey(key string) bool { return strings.HasPrefix(key, prefix) }

// Generation values are 24 bytes: the number, the incarnation of the node that
// holds it (set by the scripts), and the time of the bump in Unix milliseconds of
// the process that made it, for people to read.
const valueSize = 24

func newNumber() uint64 {
	for {
		if n := rand.Uint64(); n != 0 {
			return n
		}
	}
}

func newValue(now time.Time) string {
	b := binary.BigEndian.AppendUint64(make([]byte, 0, valueSize), newNumber())
	b = binary.BigEndian.AppendUint64(b, 0)
	return string(binary.BigEndian.AppendUint64(b, uint64(now.UnixMilli())))
}

// number reads a value; 0 means that it is none.
func number(value string) uint64 {
	if len(value) != valueSize {
		return 0
	}
	return binary.BigEndian.Uint64([]byte(value[:8]))
}

// incarnation reads the life of the node that a value was written in.
func incarnation(value string) uint64 {
	if len(value) != valueSize {
		return 0
	}
	return binary.BigEndian.Uint64([]byte(value[8:16]))
}
