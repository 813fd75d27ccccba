package minute

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/larder-go/larder/internal/histogram"
	"github.com/larder-go/larder/observe"
)

// ErrVersion is a record of a version that this program does not know.
var ErrVersion = errors.New("minute: unknown version")

// errMalformed names the part that is wrong and none of its bytes.
func errMalformed(part string) error { return fmt.Errorf("minute: malformed %s", part) }

// Parse reads a Record. Nothing in it shares memory with b.
func Parse(b []byte) (*Record, error) {
	switch {
	case len(b) > MaxBytes:
		return nil, errMalformed("record: too long")
	case len(b) < headBytes || b[0] != magic:
		return nil, errMalformed("head")
	case b[1] != version:
		return nil, ErrVersion
	case b[2]&^flagClosed != 0 || b[3] != 0:
		return nil, errMalformed("flags")
	}
	r := &Record{
		Closed: b[2]&flagClosed != 0,
		Minute: int64(binary.BigEndian.Uint64(b[4:])), Written: int64(binary.BigEndian.Uint64(b[12:])),
		Process: Process{
			Started:  time.UnixMilli(int64(binary.BigEndian.Uint64(b[20:]))),
			PID:      int(binary.BigEndian.Uint32(b[28:])),
			Interval: time.Duration(binary.BigEndian.Uint32(b[32:])) * time.Millisecond,
		},
	}
	// One copy, of which all texts are parts.
	p := &parser{b: b[headBytes:], text: string(b[headBytes:])}
	p.process(&r.Process)
	p.tables(r)
	p.figures(r)
	p.distributions(r)
	if p.err == nil && len(p.b) > 0 {
		p.fail("end")
	}
	if p.err != nil {
		return nil, p.err
	}
	return r, nil
}

// parser reads on until the first error, and returns zeros after it.
type parser struct {
	b    []byte
	text string // the same bytes and those before
	err  error
}

func (p *parser) fail(part string) {
	if p.err == nil {
		p.err = errMalformed(part)
	}
	p.b = nil
}

func (p *parser) byte(part string) byte {
	if len(p.b) == 0 {
		p.fail(part)
		return 0
	}
	v := p.b[0]
	p.b = p.b[1:]
	return v
}

func (p *parser) number(part string) uint64 {
	v, n := binary.Uvarint(p.b)
	if n <= 0 {
		p.fail(part)
		return 0
	}
	p.b = p.b[n:]
	return v
}

// count is a number of items of which each has at least size bytes.
func (p *parser) count(part string, size int) int {
	n := p.number(part)
	if n > uint64(len(p.b)/size) {
		p.fail(part)
		return 0
	}
	return int(n)
}

func (p *parser) string(part string) string {
	n := p.count(part, 1)
	at := len(p.text) - len(p.b)
	if p.err != nil {
		return ""
	}
	s := p.text[at : at+n]
	if !validText(s) {
		p.fail(part)
		return ""
	}
	p.b = p.b[n:]
	return s
}

func (p *parser) process(pr *Process) {
	for _, s := range []*string{&pr.Service, &pr.Instance, &pr.Host, &pr.Version} {
		*s = p.string("process")
	}
}

func (p *parser) tables(r *Record) {
	r.Subjects = make([]Subject, p.count("subjects", 2))
	for i := range r.Subjects {
		kind := observe.Kind(p.string("kind"))
		r.Subjects[i] = Subject{kind, p.string("subject")}
	}
	r.Metrics = make([]Metric, p.count("metrics", 4))
	for i := range r.Metrics {
		in := observe.Instrument(p.byte("instrument"))
		if in > observe.Histogram {
			p.fail("instrument")
		}
		r.Metrics[i] = Metric{p.string("metric"), p.string("unit"), p.string("label name"), in}
	}
	r.Labels = make([]string, p.count("labels", 1))
	for i := range r.Labels {
		r.Labels[i] = p.string("label")
	}
}

func (p *parser) at(r *Record) (at At) {
	s, m, l := p.number("subject index"), p.number("metric index"), p.number("label index")
	if s >= uint64(len(r.Subjects)) || m >= uint64(len(r.Metrics)) || l >= uint64(len(r.Labels)) {
		p.fail("index")
		return At{}
	}
	return At{uint32(s), uint32(m), uint32(l)}
}

func (p *parser) figures(r *Record) {
	r.Figures = make([]Figure, p.count("figures", 4))
	for i := range r.Figures {
		at := p.at(r)
		v := p.value()
		if p.err != nil {
			return
		}
		if r.Metrics[at.Metric].Instrument == observe.Histogram {
			p.fail("figure of a histogram")
			return
		}
		r.Figures[i] = Figure{at, v}
	}
}

func (p *parser) value() float64 {
	n := p.number("value")
	if n&1 == 0 {
		if n>>1 >= exact {
			p.fail("value")
		}
		return float64(n >> 1)
	}
	if n != 1 || len(p.b) < 8 {
		p.fail("value")
		return 0
	}
	v := math.Float64frombits(binary.BigEndian.Uint64(p.b))
	p.b = p.b[8:]
	if !validValue(v) {
		p.fail("value")
	}
	return v
}

func (p *parser) distributions(r *Record) {
	r.Distributions = make([]Distribution, p.count("distributions", 5))
	for i := range r.Distributions {
		d := Distribution{At: p.at(r)}
		sum := p.number("sum")
		n := p.count("buckets", 2)
		if p.err != nil {
			return
		}
		if sum > math.MaxInt64 || n > histogram.Buckets || r.Metrics[d.Metric].Instrument != observe.Histogram {
			p.fail("distribution")
			return
		}
		d.Sum = time.Duration(sum)
		d.Buckets = make([]histogram.Bucket, n)
		last := 0
		for j := range d.Buckets {
			step := int(p.byte("bucket"))
			last += step
			d.Buckets[j] = histogram.Bucket{Index: uint8(last), N: p.number("bucket")}
			if last >= histogram.Buckets || j > 0 && step == 0 || p.err == nil && d.Buckets[j].N == 0 {
				p.fail("bucket")
			}
			if p.err != nil {
				return
			}
		}
		r.Distributions[i] = d
	}
}
