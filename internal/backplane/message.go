package backplane

import (
	"crypto/rand"
	"encoding/base64"
	"errors"
	"strconv"
	"strings"
)

// channel is where changes are published. A process' heartbeats go to
// channel + ":" + its origin.
const channel = "~inv"

const (
	version   = "1"
	originLen = 11
	// maxMessage bounds a message, unless one key alone is longer.
	maxMessage = 16 << 10
)

// A message is text where keys are, for transports that carry nothing else:
//
//	version origin *( length ":" key )
//
// The version is one digit, the origin 11 characters that name the sender, a
// length decimal. Without keys it means all keys.

var errMessage = errors.New("backplane: unreadable message")

func newOrigin() string {
	var b [8]byte
	_, _ = rand.Read(b[:]) // never fails
	return base64.RawURLEncoding.EncodeToString(b[:])
}

// messages packs keys into as few messages as their bound allows. No keys make one
// message: all keys.
func messages(origin string, keys []string) []string {
	var done []string
	b := []byte(version + origin)
	for _, key := range keys {
		if len(b) > len(version)+originLen && len(b)+len(key)+8 > maxMessage {
			done = append(done, string(b))
			b = b[:len(version)+originLen]
		}
		b = strconv.AppendInt(b, int64(len(key)), 10)
		b = append(b, ':')
		b = append(b, key...)
	}
	return append(done, string(b))
}

// parse reads a message; nil keys mean all.
func parse(m string) (origin string, keys []string, err error) {
	if len(m) < len(version)+originLen || !strings.HasPrefix(m, version) {
		return "", nil, errMessage
	}
	origin, m = m[len(version):len(version)+originLen], m[len(version)+originLen:]
	for m != "" {
		length, rest, ok := strings.Cut(m, ":")
		n, err := strconv.ParseUint(length, 10, 31)
		if !ok || err != nil || n > uint64(len(rest)) {
			return origin, nil, errMessage
		}
		keys = append(keys, rest[:n])
		m = rest[n:]
	}
	return origin, keys, nil
}
