package minute

import (
	"encoding/binary"
	"math"
	"time"
)

// The head.
const (
	magic      = 'T'
	version    = 1
	flagClosed = 1
	headBytes  = 4 + 3*8 + 2*4
)

// exact is below which a float64 holds every integer.
const exact = 1 << 53

// Append appends the bytes of r. Its texts must be what Text returns.
func Append(b []byte, r *Record) []byte {
	var flags byte
	if r.Closed {
		flags |= flagClosed
	}
	b = append(b, magic, version, flags, 0)
	b = binary.BigEndian.AppendUint64(b, uint64(r.Minute))
	b = binary.BigEndian.AppendUint64(b, uint64(r.Written))
	b = binary.BigEndian.AppendUint64(b, uint64(r.Process.Started.UnixMilli()))
	b = binary.BigEndian.AppendUint32(b, uint32(r.Process.PID))
	b = binary.BigEndian.AppendUint32(b, uint32(r.Process.Interval/time.Millisecond))
	for _, s := range []string{r.Process.Service, r.Process.Instance, r.Process.Host, r.Process.Version} {
		b = appendText(b, s)
	}
	b = binary.AppendUvarint(b, uint64(len(r.Subjects)))
	for _, s := range r.Subjects {
		b = appendText(appendText(b, string(s.Kind)), s.Name)
	}
	b = binary.AppendUvarint(b, uint64(len(r.Metrics)))
	for _, m := range r.Metrics {
		b = append(b, byte(m.Instrument))
		b = appendText(appendText(appendText(b, m.Name), m.Unit), m.Label)
	}
	b = binary.AppendUvarint(b, uint64(len(r.Labels)))
	for _, s := range r.Labels {
		b = appendText(b, s)
	}
	b = binary.AppendUvarint(b, uint64(len(r.Figures)))
	for _, f := range r.Figures {
		b = appendValue(appendAt(b, f.At), f.Value)
	}
	b = binary.AppendUvarint(b, uint64(len(r.Distributions)))
	for _, d := range r.Distributions {
		b = appendAt(b, d.At)
		b = binary.AppendUvarint(b, uint64(d.Sum))
		b = binary.AppendUvarint(b, uint64(len(d.Buckets)))
		last := 0
		for _, k := range d.Buckets {
			b = append(b, byte(int(k.Index)-last))
			b = binary.AppendUvarint(b, k.N)
			last = int(k.Index)
		}
	}
	return b
}

func appendText(b []byte, s string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}

func appendAt(b []byte, at At) []byte {
	b = binary.AppendUvarint(b, uint64(at.Subject))
	b = binary.AppendUvarint(b, uint64(at.Metric))
	return binary.AppendUvarint(b, uint64(at.Label))
}

// appendValue writes non-negative integers, which nearly all figures are, as twice
// their value; others as a 1 and the eight bytes of the float64.
func appendValue(b []byte, v float64) []byte {
	if v >= 0 && v < exact && v == math.Trunc(v) && !math.Signbit(v) {
		return binary.AppendUvarint(b, uint64(v)<<1)
	}
	b = append(b, 1)
	return binary.BigEndian.AppendUint64(b, math.Float64bits(v))
}
