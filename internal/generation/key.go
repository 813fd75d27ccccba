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

// Value is what Redis holds under the key of a generation.
type Value struct {
	// Number is 0 where there is none.
	Number uint64
	// Incarnation is the life of the node that it was made in.
	Incarnation uint64
	// MadeAt is when, in Unix milliseconds of the process that made it.
	MadeAt int64
}

// ParseValue reads a value; what is none gives the zero Value.
func ParseValue(raw string) Value {
	if len(raw) != valueSize {
		return Value{}
	}
	b, be := []byte(raw), binary.BigEndian
	return Value{be.Uint64(b), be.Uint64(b[8:]), int64(be.Uint64(b[16:]))}
}
