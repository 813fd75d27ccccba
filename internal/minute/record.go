package minute

import (
	"math"
	"time"
	"unicode/utf8"

	"github.com/larder-go/larder/internal/histogram"
	"github.com/larder-go/larder/observe"
)

// MaxBytes bounds a record, MaxText each text in it. Texts that are longer are cut.
const (
	MaxBytes = 1 << 20
	MaxText  = 256
)

// Record is what one process counted in one minute.
type Record struct {
	Process Process
	// Minute is its beginning in Unix minutes.
	Minute int64
	// Closed is true where the minute is over and the contents are final.
	Closed bool
	// Written is when the contents were read, Unix milliseconds.
	Written int64

	// The tables, which figures point into. The first label is "".
	Subjects []Subject
	Metrics  []Metric
	Labels   []string

	Figures       []Figure
	Distributions []Distribution
}

// Process says who counted.
type Process struct {
	Service, Instance, Host, Version string
	PID                              int
	Started                          time.Time     // to the millisecond
	Interval                         time.Duration // between two writings
}

// Subject is a feature.
type Subject struct {
	Kind observe.Kind
	Name string
}

// Metric is observe.Metric without its help.
type Metric struct {
	Name, Unit, Label string
	Instrument        observe.Instrument
}

// At says what a figure is of: indices into the tables of the Record.
type At struct{ Subject, Metric, Label uint32 }

// Figure is the increment of a counter in the minute, or the latest value of a gauge.
type Figure struct {
	At
	Value float64
}

// Distribution is the durations of the minute.
type Distribution struct {
	At
	histogram.Counts
}

// Text makes s fit for a Record: valid UTF-8, at most MaxText bytes.
func Text(s string) string {
	if !utf8.ValidString(s) {
		s = string([]rune(s))
	}
	if len(s) <= MaxText {
		return s
	}
	end := MaxText
	for !utf8.RuneStart(s[end]) {
		end--
	}
	return s[:end]
}

func validText(s string) bool { return len(s) <= MaxText && utf8.ValidString(s) }

func validValue(v float64) bool { return !math.IsNaN(v) && !math.IsInf(v, 0) }

// Compact takes what no figure points to out of the tables.
func (r *Record) Compact() {
	subjects, metrics, labels := squeezed[Subject]{old: r.Subjects}, squeezed[Metric]{old: r.Metrics}, squeezed[string]{old: r.Labels}
	move := func(at At) At {
		return At{subjects.keep(at.Subject), metrics.keep(at.Metric), labels.keep(at.Label)}
	}
	for i := range r.Figures {
		r.Figures[i].At = move(r.Figures[i].At)
	}
	for i := range r.Distributions {
		r.Distributions[i].At = move(r.Distributions[i].At)
	}
	r.Subjects, r.Metrics, r.Labels = subjects.kept, metrics.kept, labels.kept
}

// squeezed is a table of which only what is used is kept.
type squeezed[T any] struct {
	old, kept []T
	at        map[uint32]uint32
}

func (s *squeezed[T]) keep(i uint32) uint32 {
	if n, ok := s.at[i]; ok {
		return n
	}
	if s.at == nil {
		s.at = map[uint32]uint32{}
	}
	n := uint32(len(s.kept))
	s.kept, s.at[i] = append(s.kept, s.old[i]), n
	return n
}
