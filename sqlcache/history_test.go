package sqlcache_test

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

// event is what a process did with a row, and what version of it that showed. Times
// are of the machine's clock, which all processes share.
type event struct {
	Process int
	Kind    eventKind
	Row     int
	Version int64
	// Began and Ended are Unix nanoseconds.
	Began, Ended int64
}

type eventKind string

const (
	wrote  eventKind = "wrote"  // through the wrapper; Ended is when its commit returned
	read   eventKind = "read"   // through the wrapper
	looked eventKind = "looked" // past it: what the database has
)

// report is what a history shows.
type report struct {
	violations []string
	writes     int
	races      int           // writes during which the row was read through the wrapper
	behind     int           // reads older than what another process had written
	longest    time.Duration // that one of them was behind
}

// judge checks a history. A read must not be older than what its own process wrote
// before it began, nor, but for bound, than what anybody wrote or saw before.
func judge(history []event, bound time.Duration) (r report) {
	rows := map[int][]event{}
	for _, e := range history {
		rows[e.Row] = append(rows[e.Row], e)
	}
	for _, events := range rows {
		judgeRow(events, bound, &r)
	}
	slices.Sort(r.violations)
	return r
}

func judgeRow(events []event, bound time.Duration, r *report) {
	var facts, reads []event
	for _, e := range events {
		if e.Kind == read {
			reads = append(reads, e)
		} else {
			facts = append(facts, e)
		}
	}
	slices.SortFunc(facts, func(a, b event) int { return cmp.Compare(a.Ended, b.Ended) })
	slices.SortFunc(reads, func(a, b event) int { return cmp.Compare(a.Began, b.Began) })
	r.writes += len(slices.DeleteFunc(slices.Clone(facts), func(e event) bool { return e.Kind != wrote }))
	r.races += racing(facts, reads)

	own := map[int]event{} // per process, the highest version it has written so far
	var top []event        // versions that were new for everybody, in their order
	at := 0
	for _, e := range reads {
		if e.Version >= rolledBack {
			r.violations = append(r.violations, fmt.Sprintf("row %d: process %d read what was rolled back", e.Row, e.Process))
			continue
		}
		for ; at < len(facts) && facts[at].Ended < e.Began; at++ {
			f := facts[at]
			if f.Kind == wrote && f.Version > own[f.Process].Version {
				own[f.Process] = f
			}
			if len(top) == 0 || f.Version > top[len(top)-1].Version {
				top = append(top, f)
			}
		}
		if w := own[e.Process]; e.Version < w.Version {
			r.violate(e, w)
			continue
		}
		newer, _ := slices.BinarySearchFunc(top, e.Version, func(f event, v int64) int {
			if f.Version <= v {
				return -1
			}
			return 1
		})
		if newer == len(top) {
			continue
		}
		late := time.Duration(e.Began - top[newer].Ended)
		r.behind++
		r.longest = max(r.longest, late)
		if late > bound {
			r.violate(e, top[newer])
		}
	}
}

func (r *report) violate(e, f event) {
	r.violations = append(r.violations, fmt.Sprintf(
		"row %d: process %d read version %d, %v after process %d %s version %d",
		e.Row, e.Process, e.Version, time.Duration(e.Began-f.Ended), f.Process, f.Kind, f.Version))
}

// racing counts the writes during which there was a read.
func racing(facts, reads []event) (n int) {
	ends := make([]int64, 0, len(reads)) // of reads up to here, the latest
	latest := int64(0)
	for _, e := range reads {
		latest = max(latest, e.Ended)
		ends = append(ends, latest)
	}
	for _, f := range facts {
		began, _ := slices.BinarySearchFunc(reads, f.Ended, func(e event, t int64) int { return cmp.Compare(e.Began, t) })
		if f.Kind == wrote && began > 0 && ends[began-1] > f.Began {
			n++
		}
	}
	return n
}

// A checker that cannot fail proves nothing.
func TestJudge(t *testing.T) {
	t.Parallel()
	const bound = 10
	write := func(process int, version, began, ended int64) event {
		return event{Process: process, Kind: wrote, Version: version, Began: began, Ended: ended}
	}
	reads := func(process int, version, began int64) event {
		return event{Process: process, Kind: read, Version: version, Began: began, Ended: began + 1}
	}
	for name, tt := range map[string]struct {
		history                   []event
		violations, races, behind int
	}{
		"new enough":                    {history: []event{write(1, 1, 0, 5), reads(1, 1, 6), reads(2, 1, 6)}},
		"newer than what has returned":  {history: []event{write(1, 1, 0, 5), reads(2, 1, 3)}, races: 1},
		"old while it is written":       {history: []event{write(1, 1, 0, 5), reads(1, 0, 4)}, races: 1},
		"old where it was written":      {history: []event{write(1, 1, 0, 5), reads(1, 0, 6)}, violations: 1},
		"old elsewhere, within bound":   {history: []event{write(1, 1, 0, 5), reads(2, 0, 15)}, behind: 1},
		"old elsewhere, after it":       {history: []event{write(1, 1, 0, 5), reads(2, 0, 16)}, behind: 1, violations: 1},
		"older than what another saw":   {history: []event{{Kind: looked, Version: 1, Ended: 5}, reads(2, 0, 16)}, behind: 1, violations: 1},
		"older than the first of two":   {history: []event{write(1, 1, 0, 5), write(1, 2, 12, 14), reads(2, 0, 16)}, behind: 1, violations: 1},
		"between two":                   {history: []event{write(1, 1, 0, 5), write(1, 2, 12, 14), reads(2, 1, 16)}, behind: 1},
		"facts that come out of order":  {history: []event{write(1, 2, 0, 5), write(2, 1, 0, 7), reads(2, 2, 30)}},
		"a rolled-back version is seen": {history: []event{reads(2, rolledBack, 1), write(1, 1, 2, 3), reads(2, 1, 4)}, violations: 1},
	} {
		got := judge(tt.history, bound)
		if len(got.violations) != tt.violations || got.races != tt.races || got.behind != tt.behind {
			t.Errorf("%s: %d races, %d behind, violations: %s", name, got.races, got.behind, strings.Join(got.violations, "; "))
		}
	}
}
