// Package entry is the binary form of a cache entry in Redis: a fixed header,
// the generations of its tags, and the payload. docs/wire-format.md describes it
// for other languages; the golden files in testdata pin it.
//
// All numbers are big-endian. The scripts of package lease read and write the
// fields below Size in place, so an offset that changes here changes there too.
package entry

import (
	"encoding/binary"
	"errors"
	"unsafe"
)

// Offsets of the header's fields, in bytes.
const (
	offMagic      = 0
	offVersion    = 1
	offFlags      = 2
	offReserved   = 3
	offSchema     = 4
	offID         = 12
	offIncarn     = 20
	offLoadedAt   = 28
	offFreshUntil = 36
	offStaleUntil = 44
	offCost       = 52
	offToken      = 56
	offLeaseUntil = 64
	offNamespace  = 72
	offRevision   = 80
	offTags       = 88
	offValidator  = 89
	// Size is the length of an entry without tags, validator and payload.
	Size = 90
)

const (
	magic   = 'L'
	version = 1
)

// Flags of an entry.
const (
	// Negative says that the source has no such value; the payload is empty.
	Negative byte = 1 << 1
	// Placeholder says that the entry holds no value: a lease, or with a Revision
	// and until StaleUntil a tombstone.
	Placeholder byte = 1 << 2
	// Barrier says of a placeholder that writers are at work: nobody stores what
	// was loaded meanwhile. LeaseUntil is the end of the last of them, the payload
	// lists them.
	Barrier byte = 1 << 3

	known = Negative | Placeholder | Barrier
)

// Limits of what has a length of one byte.
const (
	MaxTags           = 255
	MaxTagBytes       = 255
	MaxValidatorBytes = 255
)

// ErrCorrupt is returned for bytes that are not an entry of this version.
var ErrCorrupt = errors.New("entry: not an entry of this version")

// Header is what an entry says about its value. Times are Unix milliseconds of
// the Redis server's clock.
type Header struct {
	Flags byte
	// Schema is the fingerprint of the Go type and codec.
	Schema uint64
	// ID is random for each fill.
	ID uint64
	// Incarnation names the life of the Redis node that took the fill.
	Incarnation uint64
	// LoadedAt is when the load began.
	LoadedAt int64
	// FreshUntil and StaleUntil end the two lives of the value.
	FreshUntil, StaleUntil int64
	// Cost is how long the load took, in microseconds, saturating.
	Cost uint32
	// Token is that of the load that holds the lease, 0 for none, and
	// LeaseUntil its deadline.
	Token      uint64
	LeaseUntil int64
	// Namespace is the namespace's generation at the start of the load.
	Namespace uint64
	// Revision is the source's version of the value, 0 for none. Nothing of a
	// lower one replaces it.
	Revision uint64
}

// Tag is a tag with its generation at the start of the load.
type Tag struct {
	Name       string
	Generation uint64
}

// Append appends an entry without its payload to dst. It panics where there is
// more of something than the format holds: callers have validated it.
func Append(dst []byte, h Header, tags []Tag, validator string) []byte {
	if len(tags) > MaxTags || len(validator) > MaxValidatorBytes {
		panic("entry: too many tags, or too long a validator")
	}
	be := binary.BigEndian
	dst = append(dst, magic, version, h.Flags, 0)
	dst = be.AppendUint64(dst, h.Schema)
	dst = be.AppendUint64(dst, h.ID)
	dst = be.AppendUint64(dst, h.Incarnation)
	dst = be.AppendUint64(dst, uint64(h.LoadedAt))
	dst = be.AppendUint64(dst, uint64(h.FreshUntil))
	dst = be.AppendUint64(dst, uint64(h.StaleUntil))
	dst = be.AppendUint32(dst, h.Cost)
	dst = be.AppendUint64(dst, h.Token)
	dst = be.AppendUint64(dst, uint64(h.LeaseUntil))
	dst = be.AppendUint64(dst, h.Namespace)
	dst = be.AppendUint64(dst, h.Revision)
	dst = append(dst, byte(len(tags)), byte(len(validator)))
	for _, t := range tags {
		if len(t.Name) > MaxTagBytes {
			panic("entry: tag too long")
		}
		dst = append(dst, byte(len(t.Name)))
		dst = append(dst, t.Name...)
		dst = be.AppendUint64(dst, t.Generation)
	}
	return append(dst, validator...)
}

// Entry is a parsed entry. Its tags, validator and payload share memory with the
// bytes that were parsed.
type Entry struct {
	Header
	tags []byte
	// Validator is what the source knows the value by, for a conditional load.
	Validator string
	Payload   []byte
}

// Parse reads an entry. It does not allocate. The payload must not be changed.
func Parse(raw string) (Entry, error) {
	b := unsafe.Slice(unsafe.StringData(raw), len(raw))
	if len(b) < Size || b[offMagic] != magic || b[offVersion] != version ||
		b[offFlags]&^known != 0 || b[offFlags]&(Barrier|Placeholder) == Barrier || b[offReserved] != 0 {
		return Entry{}, ErrCorrupt
	}
	be := binary.BigEndian
	e := Entry{Header: Header{
		Flags:       b[offFlags],
		Schema:      be.Uint64(b[offSchema:]),
		ID:          be.Uint64(b[offID:]),
		Incarnation: be.Uint64(b[offIncarn:]),
		LoadedAt:    int64(be.Uint64(b[offLoadedAt:])),
		FreshUntil:  int64(be.Uint64(b[offFreshUntil:])),
		StaleUntil:  int64(be.Uint64(b[offStaleUntil:])),
		Cost:        be.Uint32(b[offCost:]),
		Token:       be.Uint64(b[offToken:]),
		LeaseUntil:  int64(be.Uint64(b[offLeaseUntil:])),
		Namespace:   be.Uint64(b[offNamespace:]),
		Revision:    be.Uint64(b[offRevision:]),
	}}
	if e.FreshUntil < 0 || e.FreshUntil > e.StaleUntil || e.StaleUntil >= 1<<53 {
		return Entry{}, ErrCorrupt
	}
	rest := b[Size:]
	for range b[offTags] {
		if len(rest) == 0 || len(rest) < 1+int(rest[0])+8 {
			return Entry{}, ErrCorrupt
		}
		rest = rest[1+int(rest[0])+8:]
	}
	e.tags = b[Size : len(b)-len(rest)]
	n := int(b[offValidator])
	if len(rest) < n {
		return Entry{}, ErrCorrupt
	}
	e.Validator = unsafe.String(unsafe.SliceData(rest), n)
	e.Payload = rest[n:]
	return e, nil
}

// RawID returns the 8 bytes of an entry's id as they stand in raw, also where
// the rest of it is corrupt; "" if raw is too short.
func RawID(raw string) string {
	if len(raw) < offIncarn {
		return ""
	}
	return raw[offID:offIncarn]
}

// Tags calls fn with each tag until it returns false. The names share memory
// with the parsed bytes.
func (e Entry) Tags(fn func(Tag) bool) {
	for rest := e.tags; len(rest) > 0; {
		n := int(rest[0])
		name := unsafe.String(unsafe.SliceData(rest[1:]), n)
		if !fn(Tag{Name: name, Generation: binary.BigEndian.Uint64(rest[1+n:])}) {
			return
		}
		rest = rest[1+n+8:]
	}
}
