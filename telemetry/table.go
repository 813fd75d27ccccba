package telemetry

import (
	"cmp"
	"slices"

	"github.com/larder-go/larder/internal/minute"
	"github.com/larder-go/larder/observe"
)

// table numbers what figures are of, so that minutes can be added by number. It only
// grows; the Reader starts over where it gets too large.
type table struct {
	subjects map[minute.Subject]uint32
	metrics  map[minute.Metric]uint32
	labels   map[string]uint32
	numbers  map[[3]uint32]uint32
	rows     []row
}

// row is what one number stands for.
type row struct {
	Key
	unit, labelName string
	instrument      observe.Instrument
}

func newTable() *table {
	return &table{
		subjects: map[minute.Subject]uint32{}, metrics: map[minute.Metric]uint32{},
		labels: map[string]uint32{}, numbers: map[[3]uint32]uint32{},
	}
}

func number[K comparable](m map[K]uint32, k K) uint32 {
	n, ok := m[k]
	if !ok {
		n = uint32(len(m))
		m[k] = n
	}
	return n
}

// lookup returns a function from the places of a record to numbers.
func (t *table) lookup(r *minute.Record) func(minute.At) uint32 {
	subjects := make([]uint32, len(r.Subjects))
	for i, s := range r.Subjects {
		subjects[i] = number(t.subjects, s)
	}
	metrics := make([]uint32, len(r.Metrics))
	for i, m := range r.Metrics {
		metrics[i] = number(t.metrics, m)
	}
	labels := make([]uint32, len(r.Labels))
	for i, l := range r.Labels {
		labels[i] = number(t.labels, l)
	}
	return func(at minute.At) uint32 {
		k := [3]uint32{subjects[at.Subject], metrics[at.Metric], labels[at.Label]}
		n, ok := t.numbers[k]
		if !ok {
			n = uint32(len(t.rows))
			t.numbers[k] = n
			s, m := r.Subjects[at.Subject], r.Metrics[at.Metric]
			t.rows = append(t.rows, row{Key{s.Kind, s.Name, m.Name, r.Labels[at.Label]}, m.Unit, m.Label, m.Instrument})
		}
		return n
	}
}

// sorted returns the numbers that are used, by Key.
func (t *table) sorted(used func(n int) bool) []uint32 {
	var ns []uint32
	for n := range t.rows {
		if used(n) {
			ns = append(ns, uint32(n))
		}
	}
	slices.SortFunc(ns, func(a, b uint32) int {
		x, y := &t.rows[a], &t.rows[b]
		return cmp.Or(cmp.Compare(x.Kind, y.Kind), cmp.Compare(x.Name, y.Name),
			cmp.Compare(x.Metric, y.Metric), cmp.Compare(x.Label, y.Label))
	})
	return ns
}
