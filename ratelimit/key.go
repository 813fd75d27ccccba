package ratelimit

import (
	"strconv"
	"strings"
)

// MaxIdentifierBytes is the longest identifier. Hash what may be longer.
const MaxIdentifierBytes = 1 << 10

// hour is the length of an analytics bucket in ms.
const hour = 3_600_000

// names makes the keys of a limiter. They are those of @upstash/ratelimit.
type names struct {
	algorithm Algorithm
	base      string // prefix and colon
	dynamic   string
	denyList  string
}

func newNames(prefix string, a Algorithm) names {
	return names{
		algorithm: a,
		base:      prefix + ":",
		dynamic:   prefix + ":dynamic:global",
		denyList:  prefix + ":denyList:all",
	}
}

// roomForText holds the keys and times of most calls, on the stack.
const roomForText = 192

// window is the key of a window's count.
func (n *names) window(id string, bucket int64) string {
	var room [roomForText]byte
	return string(n.appendWindow(room[:0], id, bucket))
}

func (n *names) appendWindow(b []byte, id string, bucket int64) []byte {
	b = append(append(append(b, n.base...), id...), ':')
	return strconv.AppendInt(b, bucket, 10)
}

// single is the key of an algorithm that needs one for each identifier.
func (n *names) single(id string) string {
	var room [roomForText]byte
	return string(n.appendSingle(room[:0], id))
}

func (n *names) appendSingle(b []byte, id string) []byte {
	b = append(append(b, n.base...), id...)
	if n.algorithm.kind == gcra {
		b = append(b, ":gcra"...)
	}
	return b
}

// current is the key that decides at now.
func (n *names) current(id string, now int64) string {
	if n.algorithm.windowed() {
		return n.window(id, n.algorithm.bucket(now))
	}
	return n.single(id)
}

// all are the keys that can matter to a decision within a window of now, by clocks
// that differ by less than a window.
func (n *names) all(id string, now int64) []string {
	if !n.algorithm.windowed() {
		return []string{n.single(id)}
	}
	b := n.algorithm.bucket(now)
	return []string{n.window(id, b-1), n.window(id, b), n.window(id, b+1)}
}

// check refuses identifiers without a key of their own. Raw identifiers are part of
// the wire format, so a few of them would name keys that serve another purpose.
func (n *names) check(id string, now int64) error {
	switch {
	case id == "":
		return badInput(ErrIdentifier, "it is empty")
	case len(id) > MaxIdentifierBytes:
		return badInput(ErrIdentifier, "it has %d bytes, more than %d", len(id), MaxIdentifierBytes)
	}
	switch id[0] {
	case 'e', 'd', 'i':
		if n.reserved(id, now) {
			return badInput(ErrIdentifier, "its key would be that of the deny list, the dynamic limit or the analytics")
		}
	}
	return nil
}

func (n *names) reserved(id string, now int64) bool {
	switch n.algorithm.kind {
	case gcra:
		return false
	case tokenBucket:
		switch id {
		case "dynamic:global", "denyList:all", "denyList:ipDenyList", "ipDenyListStatus":
			return true
		}
		bucket, ok := strings.CutPrefix(id, "events:")
		if !ok {
			return false
		}
		at, err := strconv.ParseInt(bucket, 10, 64)
		return err == nil && at%hour == 0
	}
	// Windows of some ms are numbered like the hours of the analytics.
	b := n.algorithm.bucket(now)
	return id == "events" && (b%hour == 0 || (b-1)%hour == 0)
}
