package generation

import (
	"encoding/binary"
	"hash/fnv"
	"os"
	"strconv"
)

// Value is what Redis holds under the key of a generation: five words and the name
// of who made it.
type Value struct {
	// Number is 0 where there is none.
	Number uint64
	// Incarnation is the life of the node that it was made in.
	Incarnation uint64
	// MadeAt is when, in Unix milliseconds of the node; each is later than the one
	// before it.
	MadeAt int64
	// Previous is the number of the generation whose entries may end little by
	// little in the Over milliseconds after MadeAt; 0 for none.
	Previous uint64
	Over     int64
	// By says which process made it, "host/pid", for people to read.
	By string
	// BarredUntil is when the barrier ends that stands in the place of a generation,
	// unless it is extended; 0 where there is none. Only MadeAt and Incarnation are
	// set besides.
	BarredUntil int64
}

const (
	valueSize = 40
	maxBy     = 64
	barred    = 1<<64 - 1 // in the place of Previous: this is a barrier
)

// ParseValue reads a value; what is none gives the zero Value.
func ParseValue(raw string) Value {
	if len(raw) < valueSize {
		return Value{}
	}
	b, be := []byte(raw[:valueSize]), binary.BigEndian
	if be.Uint64(b) == 0 && be.Uint64(b[24:]) == barred {
		return Value{
			Incarnation: be.Uint64(b[8:]), MadeAt: int64(be.Uint64(b[16:])), BarredUntil: int64(be.Uint64(b[32:])),
		}
	}
	if len(raw) > valueSize+maxBy {
		return Value{}
	}
	return Value{
		Number: be.Uint64(b), Incarnation: be.Uint64(b[8:]), MadeAt: int64(be.Uint64(b[16:])),
		Previous: be.Uint64(b[24:]), Over: int64(be.Uint64(b[32:])), By: raw[valueSize:],
	}
}

func (v Value) isNone() bool { return v.Number == 0 }

// Admits tells whether an entry with this Redis key that was loaded under the
// generation of number counts, and until when by the node's clock: 0 for as long
// as the generation stands.
func (v Value) Admits(number uint64, key string, now int64) (until int64, ok bool) {
	switch {
	case number == 0:
		return 0, false
	case number == v.Number:
		return 0, true
	case number != v.Previous || v.Over <= 0:
		return 0, false
	}
	until = v.MadeAt + int64(float64(v.Over)*Share(key))
	return until, now < until
}

// Share spreads keys evenly over 0 to 1, always the same way.
func Share(key string) float64 {
	h := fnv.New64a()
	_, _ = h.Write([]byte(key))
	n := h.Sum64()
	// FNV leaves the high bits of short keys close together; this is the finaliser of MurmurHash3.
	n ^= n >> 33
	n *= 0xff51afd7ed558ccd
	n ^= n >> 33
	n *= 0xc4ceb9fe1a85ec53
	n ^= n >> 33
	return float64(n>>11) / (1 << 53)
}

// by names this process.
var by = func() string {
	host, err := os.Hostname()
	if err != nil {
		host = "?"
	}
	pid := strconv.Itoa(os.Getpid())
	return host[:min(len(host), maxBy-1-len(pid))] + "/" + pid
}()
