package telemetry

import (
	"cmp"
	"maps"
	"slices"

	"github.com/larder-go/larder/internal/histogram"
	"github.com/larder-go/larder/observe"
)

// fill makes series of the minutes that are held and of those that are open.
func (r *Reader) fill(f *Fleet, first int64, open map[int64]*closed) {
	f.Reporting = make([]int, f.Minutes)
	used := make([]bool, len(r.table.rows))
	each := func(fn func(m int, s *closed)) {
		for m := range f.Minutes {
			for _, minutes := range []map[int64]*closed{r.minutes, open} {
				if c := minutes[first+int64(m)]; c != nil {
					fn(m, c)
				}
			}
		}
	}
	each(func(m int, c *closed) {
		f.Reporting[m] += len(c.from)
		for n, v := range c.values {
			used[n] = used[n] || v != 0
		}
		for i := range c.durations {
			used[c.durations[i].n] = true
		}
	})
	numbers := r.table.sorted(func(n int) bool { return used[n] })
	if most := maxValues / f.Minutes; len(numbers) > most {
		numbers, f.Incomplete = numbers[:most], true
	}
	// Where the values of a number are, +1: 0 for none.
	series, durations := make([]int, len(used)), make([]int, len(used))
	for _, n := range numbers {
		row := &r.table.rows[n]
		if row.instrument == observe.Histogram {
			f.Durations = append(f.Durations, Durations{Key: row.Key, Unit: row.unit, LabelName: row.labelName})
			durations[n] = len(f.Durations)
		} else {
			f.Series = append(f.Series, Series{Key: row.Key, Unit: row.unit, LabelName: row.labelName, Instrument: row.instrument})
			series[n] = len(f.Series)
		}
	}
	values := make([]float64, len(f.Series)*f.Minutes)
	for i := range f.Series {
		f.Series[i].Values = values[i*f.Minutes:][:f.Minutes:f.Minutes]
	}
	counts := make([]Distribution, len(f.Durations)*f.Minutes)
	for i := range f.Durations {
		f.Durations[i].Values = counts[i*f.Minutes:][:f.Minutes:f.Minutes]
	}
	each(func(m int, c *closed) {
		for n, v := range c.values {
			if i := series[n]; v != 0 && i > 0 {
				values[(i-1)*f.Minutes+m] += v
			}
		}
		for j := range c.durations {
			d := &c.durations[j]
			if i := durations[d.n]; i > 0 {
				at := &counts[(i-1)*f.Minutes+m].c
				*at = histogram.Sum(*at, d.Counts)
			}
		}
	})
}

// carry gives the last minute the gauges of processes that have not written in it yet:
// they stand as they were in the minute before, and are not 0.
func (r *Reader) carry(live []life, last int64, open map[int64]*closed) {
	for _, l := range live {
		p := r.processes[l.id]
		if p == nil || !l.alive || p.minute != last-1 {
			continue
		}
		if open[last] == nil {
			open[last] = newClosed()
		}
		for n, v := range p.gauges {
			open[last].addValue(n, v)
		}
	}
}

// list adds the processes.
func (r *Reader) list(f *Fleet, live []life, first, last int64) {
	for _, l := range live {
		k := r.processes[l.id]
		if k == nil || l.begin > last || minuteOf(l.lastSeen) < first || r.opts.Service != "" && k.Service != r.opts.Service {
			continue
		}
		p := k.Process
		p.LastSeen, p.Alive = l.lastSeen, l.alive
		f.Processes = append(f.Processes, p)
	}
	slices.SortFunc(f.Processes, func(a, b Process) int {
		return cmp.Or(cmp.Compare(a.Service, b.Service), cmp.Compare(a.Instance, b.Instance),
			a.Started.Compare(b.Started), cmp.Compare(a.ID, b.ID))
	})
}

// forget lets go of what is beyond the limits: the oldest minutes first, and processes
// that nothing knows any more.
func (r *Reader) forget(live []life) {
	held := 0
	known := map[string]bool{}
	for _, l := range live {
		known[l.id] = true
	}
	for _, m := range slices.Backward(slices.Sorted(maps.Keys(r.minutes))) {
		c := r.minutes[m]
		if held += len(c.values) + 4*len(c.durations) + 8*len(c.from); held > maxHeld {
			delete(r.minutes, m)
			continue
		}
		for id := range c.from {
			known[id] = true
		}
	}
	for id := range r.processes {
		if !known[id] {
			delete(r.processes, id) // it comes back with the next record that is read
		}
	}
}
