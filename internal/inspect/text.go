package inspect

import (
	"bufio"
	"fmt"
	"io"
	"strings"
	"time"
	"unicode/utf8"
)

// WriteText writes the report for people, one fact a line.
func (r Report) WriteText(w io.Writer) error {
	b := bufio.NewWriter(w)
	row := func(label, format string, args ...any) {
		fmt.Fprintf(b, "%-12s %s\n", label, fmt.Sprintf(format, args...))
	}
	row("verdict", "%s", r.Verdict)
	row("key", "%s", printable(r.RedisKey))
	row("lives in", "%s", r.Place)
	if r.Process != nil {
		r.Process.write(row)
	}
	if r.Exists {
		r.writeRows(row)
	}
	return b.Flush()
}

func (r Report) writeRows(row func(label, format string, args ...any)) {
	e := r.Entry
	switch {
	case e == nil && r.Type == "string":
		row("size", "%d bytes", r.Bytes)
	case e == nil:
		row("type", "%s", r.Type)
	default:
		row("holds", "%s", e.Kind.words())
		row("size", "%d bytes, %d of them payload", r.Bytes, e.PayloadBytes)
	}
	if r.Expires {
		row("TTL", "%s left in Redis", span(r.TTL))
	} else {
		row("TTL", "none: Redis keeps it for ever")
	}
	if e == nil {
		return
	}
	if e.Kind.holdsValue() {
		row("age", "%s, loaded at %s", span(e.Age), e.LoadedAt.Format(time.DateTime+" MST"))
		row("fresh for", "%s", remaining(e.FreshFor))
		row("served for", "%s", e.served())
		row("load cost", "%s", span(e.LoadCost))
	}
	e.writeFences(row)
	row("entry id", "%s", e.ID)
	row("schema", "%s", e.Schema)
	row("incarnation", "%s, %s", e.Incarnation, e.Life.words())
	if e.Generation != nil {
		width := utf8.RuneCountInString(printable(e.Generation.Name))
		for _, g := range e.Tags {
			width = max(width, utf8.RuneCountInString(printable(g.Name)))
		}
		row("namespace", "%-*s  %s", width, printable(e.Generation.Name), e.Generation.words())
		for _, g := range e.Tags {
			row("tag", "%-*s  %s", width, printable(g.Name), g.words())
		}
	}
}

// String is the server's kind and version, and the node of a cluster.
func (p Place) String() string {
	s := strings.TrimSpace(p.Server + " " + p.Version)
	if p.Slot != nil {
		s += fmt.Sprintf(", cluster slot %d", *p.Slot)
	}
	if p.Node != "" {
		s += " on " + p.Node
	}
	return s
}

func (k Kind) words() string {
	switch k {
	case Negative:
		return "a negative: the source has no such value"
	case Placeholder:
		return "a placeholder: no value"
	case Barrier:
		return "a barrier: a WriteThrough is under way"
	case Tombstone:
		return "a tombstone: an InvalidateBelow is remembered"
	}
	return "a value"
}

func (l Life) words() string {
	switch l {
	case ThisLife:
		return "the server's present one"
	case AnotherLife:
		return "of another life of the server"
	}
	return "the server's present one is not known"
}

func (g Generation) words() string {
	switch g.State {
	case Current:
		if g.By == "" {
			return "current, made " + span(g.Age) + " ago, at first use"
		}
		return "current, made " + span(g.Age) + " ago by " + printable(g.By)
	case Overtaken:
		return "overtaken, " + g.overtakenBy()
	case Barred:
		return "barred: a CommitTags is under way, " + span(g.Left) + " left"
	case Ending:
		return "ending: being " + g.overtakenBy() + ", this key counts for " + span(g.Left)
	}
	return string(g.State)
}

// overtakenBy says what has replaced the generation of an entry.
func (g Generation) overtakenBy() string {
	ago := span(g.Age) + " ago"
	switch {
	case g.By == "":
		return "deleted, evicted or lost, and made anew " + ago
	case g.Over.Duration > 0:
		return "cleared over " + span(g.Over) + ", beginning " + ago + ", by " + printable(g.By)
	}
	return "invalidated " + ago + " by " + printable(g.By)
}

// holdsValue tells whether there is an answer of the source.
func (k Kind) holdsValue() bool { return k == Value || k == Negative }

func (e Entry) served() string {
	if e.ServedFor.Duration == 0 {
		return "no longer: expired " + span(e.ExpiredFor) + " ago"
	}
	return span(e.ServedFor)
}

func remaining(d Duration) string {
	if d.Duration == 0 {
		return "no longer"
	}
	return span(d)
}
