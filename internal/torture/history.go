package torture

import (
	"cmp"
	"fmt"
	"slices"
	"time"
)

// Finding is a violation of a promise.
type Finding struct {
	Promise string `json:"promise"`
	Key     string `json:"key,omitempty"`
	What    string `json:"what"`
	// History is what led to it, a line each.
	History []string `json:"history,omitempty"`

	span time.Duration
}

// findings are what was found: all are counted, and of each promise those with the
// shortest histories are kept.
type findings struct {
	count    map[string]int
	kept     map[string][]Finding
	recovery time.Duration
	slowest  string // the fault after which it was
}

// keepEach is how many findings of a promise are kept.
const keepEach = 3

// addLocked counts a finding whose history lies between two moments and concerns a key;
// -1 for none.
func (c *checker) addLocked(f Finding, from, to int64, key int) {
	if c.found.count == nil {
		c.found.count, c.found.kept = map[string]int{}, map[string][]Finding{}
	}
	c.found.count[f.Promise]++
	kept := c.found.kept[f.Promise]
	f.span = time.Duration(to - from)
	if len(kept) == keepEach && kept[keepEach-1].span <= f.span {
		return
	}
	f.History = c.historyLocked(from, to, key)
	kept = append(kept, f)
	slices.SortStableFunc(kept, func(a, b Finding) int { return cmp.Compare(a.span, b.span) })
	c.found.kept[f.Promise] = kept[:min(len(kept), keepEach)]
}

// foundLocked is addLocked for a value that was read: its history begins with the load
// that brought it, or with the invalidation.
func (c *checker) foundLocked(promise string, o Op, i int, f floor, what string) {
	from, key := f.op.Begin, o.Keys[i]
	for _, l := range c.keys[key].loads {
		if l.ID == o.Loads[i] {
			from = min(from, l.Begin)
		}
	}
	c.addLocked(Finding{Promise: promise, Key: keyText(key), What: fmt.Sprintf(
		"%v of process %d returned version %d of load %x; version %d had been invalidated by %v of process %d: %s",
		o.Kind, o.Proc, o.Values[i], o.Loads[i], f.version-1, f.op.Kind, f.op.Proc, what)}, from, o.End, key)
	list := c.found.kept[promise]
	for j := range list {
		if list[j].span == time.Duration(o.End-from) && len(list[j].History) > 0 {
			line := fmt.Sprintf("%+9.3fms to %+.3fms: process %d: %v = %d", millis(o.Begin-from), millis(o.End-from), o.Proc, o.Kind, o.Values[i])
			if list[j].History[len(list[j].History)-1] != line {
				list[j].History = append(list[j].History, line)
			}
		}
	}
}

func millis(ns int64) float64 { return float64(ns) / 1e6 }

// maxLines bounds a history.
const maxLines = 40

// historyLocked lists the loads and writes of a key, and the faults, between two
// moments, in the order of their beginnings.
func (c *checker) historyLocked(from, to int64, key int) (lines []string) {
	type line struct {
		begin int64
		text  string
	}
	var all []line
	add := func(begin, end int64, format string, args ...any) {
		until := "…"
		if end != 0 {
			until = fmt.Sprintf("%+.3fms", millis(end-from))
		}
		all = append(all, line{begin, fmt.Sprintf("%+9.3fms to %s: ", millis(begin-from), until) + fmt.Sprintf(format, args...)})
	}
	meets := func(begin, end int64) bool { return begin <= to && (end == 0 || end >= from) }
	for _, w := range c.faults {
		if meets(w.from, w.to) {
			who := "all"
			if w.procs != nil {
				who = fmt.Sprint(w.procs)
			}
			add(w.from, w.to, "fault: %s (processes: %s)", w.name, who)
		}
	}
	if key >= 0 {
		for _, l := range c.keys[key].loads {
			if meets(l.Begin, l.End) {
				add(l.Begin, l.End, "process %d: load %x of version %d", l.Proc, l.ID, l.Version)
			}
		}
		for _, r := range c.keys[key].intents {
			if !meets(r.Begun, r.ended) {
				continue
			}
			text := "not committed"
			if i := slices.Index(r.Keys, key); r.committed != 0 && i >= 0 {
				text = fmt.Sprintf("version %d at %+.3fms", r.versions[i], millis(r.committed-from))
			}
			how := ""
			if r.op != nil && r.op.Outcome == Pending {
				how = ", pending"
			}
			add(r.Begun, r.ended, "process %d: %v (%s%s)", r.Proc, r.Kind, text, how)
		}
	}
	slices.SortStableFunc(all, func(a, b line) int { return cmp.Compare(a.begin, b.begin) })
	if over := len(all) - maxLines; over > 0 {
		lines = append(lines, fmt.Sprintf("(%d lines before that)", over))
		all = all[over:]
	}
	for _, l := range all {
		lines = append(lines, l.text)
	}
	return lines
}
