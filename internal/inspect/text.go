package inspect

import (
	"bufio"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"
	"unicode"
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
	if e.Kind != Placeholder {
		row("age", "%s, loaded at %s", span(e.Age), e.LoadedAt.Format(time.DateTime+" MST"))
		row("fresh for", "%s", remaining(e.FreshFor))
		row("served for", "%s", e.served())
		row("load cost", "%s", span(e.LoadCost))
	}
	row("lease", "%s", e.Lease)
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

// String says whether a lease is held; its token is a secret.
func (l Lease) String() string {
	switch {
	case l.Held:
		return "held by a load, " + span(l.Left) + " left"
	case l.Paused:
		return "none before " + span(l.Left) + " have passed: the last load failed"
	}
	return "none"
}

func (k Kind) words() string {
	switch k {
	case Negative:
		return "a negative: the source has no such value"
	case Placeholder:
		return "a placeholder: a lease without a value"
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
		return "current, made " + span(g.Age) + " ago"
	case Overtaken:
		return "overtaken, invalidated " + span(g.Age) + " ago"
	}
	return string(g.State)
}

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

// span writes a duration in at most two units.
func span(of Duration) string {
	d := of.Duration
	if d < 10*time.Millisecond {
		return strconv.FormatFloat(float64(d.Round(10*time.Microsecond))/float64(time.Millisecond), 'f', -1, 64) + " ms"
	}
	if d = d.Round(time.Millisecond); d < time.Second {
		return fmt.Sprintf("%d ms", d/time.Millisecond)
	}
	d = d.Round(time.Second)
	const day = 24 * time.Hour
	for _, u := range []struct {
		more        time.Duration
		unit, parts string
		of          time.Duration
	}{
		{2 * day, "d", "h", day},
		{time.Hour, "h", "m", time.Hour},
		{time.Minute, "m", "s", time.Minute},
	} {
		if d < u.more {
			continue
		}
		sub := map[string]time.Duration{"h": time.Hour, "m": time.Minute, "s": time.Second}[u.parts]
		text := fmt.Sprintf("%d %s", d/u.of, u.unit)
		if rest := d % u.of / sub; rest > 0 {
			text += fmt.Sprintf(" %d %s", rest, u.parts)
		}
		return text
	}
	return fmt.Sprintf("%d s", d/time.Second)
}

// printable quotes what could disturb a terminal.
func printable(s string) string {
	if !utf8.ValidString(s) || strings.ContainsFunc(s, func(r rune) bool { return !unicode.IsPrint(r) }) {
		return strconv.Quote(s)
	}
	return s
}
