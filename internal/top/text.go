package top

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"
	"unicode"
)

// The most rows of each table.
const (
	maxProcesses = 20
	maxCaches    = 40
	maxOthers    = 20
)

// WriteText prints the summary as tables.
func (s *Summary) WriteText(w io.Writer) error {
	var b strings.Builder
	fmt.Fprintf(&b, "larder top  %s  last %s  %d alive, %d gone\n", s.At.Local().Format(time.TimeOnly), brief(s.Window), s.Alive, s.Gone)
	fmt.Fprintf(&b, "hit ratio %s   invalidations pending %s   connections shut %s   past Redis %s/s   stale %s\n",
		percent(s.HitRatio), count(s.Pending), count(s.Shut), rate(s.Unreachable), s.staleness())
	if s.Incomplete {
		b.WriteString("some of the fleet's figures are missing: too many, or unreadable\n")
	}
	if len(s.Processes) == 0 {
		b.WriteString("\nNo process has written figures in this time: give one a telemetry.Telemetry.\n")
	}
	table(&b, "PROCESS\tSERVICE\tUP\tSEEN\t", s.Processes, maxProcesses, func(p Process) string {
		up := brief(p.Up)
		if !p.Alive {
			up = "gone"
		}
		return fmt.Sprintf("%s\t%s\t%s\t%s ago\t", clean(p.Instance), clean(p.Service), up, brief(p.Seen))
	})
	table(&b, "NAMESPACE\tGETS/S\tHITS\tL1\tLOADS/S\tREAD P50\tP99\tLOAD P50\tP99\tERRORS/S\tPENDING\tENTRIES\tBYTES\t", s.Caches, maxCaches, func(c Cache) string {
		return fmt.Sprintf("%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t", clean(c.Name), rate(c.Gets), percent(c.HitRatio), percent(c.L1Ratio),
			rate(c.Loads), took(c.ReadP50), took(c.ReadP99), took(c.LoadP50), took(c.LoadP99), rate(c.Errors), count(c.Pending), count(c.Entries), count(c.Bytes))
	})
	table(&b, "KIND\tNAME\tCALLS/S\tP50\tP99\tERRORS/S\t", s.Others, maxOthers, func(o Other) string {
		return fmt.Sprintf("%s\t%s\t%s\t%s\t%s\t%s\t", clean(string(o.Kind)), clean(o.Name), rate(o.Calls), took(o.P50), took(o.P99), rate(o.Errors))
	})
	_, err := io.WriteString(w, b.String())
	return err
}

// staleness is what the consistency probes have found.
func (s *Summary) staleness() string {
	if s.Probed == 0 {
		return "not probed"
	}
	return fmt.Sprintf("%s of %s probed", count(s.Stale), count(s.Probed))
}

// table prints rows in columns, nothing where there are none.
func table[T any](b *strings.Builder, head string, rows []T, most int, row func(T) string) {
	if len(rows) == 0 {
		return
	}
	b.WriteByte('\n')
	w := tabwriter.NewWriter(b, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, head)
	for i, r := range rows {
		if i == most {
			fmt.Fprintf(w, "… %d more\n", len(rows)-most)
			break
		}
		fmt.Fprintln(w, row(r))
	}
	_ = w.Flush() // into memory
}

// clean makes a name that a process chose harmless to a terminal.
func clean(name string) string {
	name = strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return '?'
		}
		return r
	}, name)
	if runes := []rune(name); len(runes) > 40 {
		name = string(runes[:39]) + "…"
	}
	return name
}

func percent(share float64) string {
	if share < 0 {
		return "-"
	}
	return fmt.Sprintf("%.1f%%", 100*share)
}

// rate prints small numbers with decimals.
func rate(n float64) string {
	switch {
	case n == 0:
		return "0"
	case n < 10:
		return fmt.Sprintf("%.2g", n)
	}
	return count(n)
}

// count prints large numbers with a suffix.
func count(n float64) string {
	for _, u := range []struct {
		size float64
		name string
	}{{1e9, "G"}, {1e6, "M"}, {1e3, "k"}} {
		if n >= 10*u.size {
			return fmt.Sprintf("%.0f%s", n/u.size, u.name)
		}
	}
	return fmt.Sprintf("%.0f", n)
}

// took prints a duration with three digits.
func took(d time.Duration) string {
	switch {
	case d == 0:
		return "-"
	case d < time.Millisecond:
		return fmt.Sprintf("%dµs", d.Microseconds())
	case d < time.Second:
		return fmt.Sprintf("%.3gms", d.Seconds()*1000)
	}
	return fmt.Sprintf("%.3gs", d.Seconds())
}

// brief prints how long something has been.
func brief(d time.Duration) string {
	switch {
	case d < time.Minute:
		return fmt.Sprintf("%ds", int(d.Seconds()))
	case d < time.Hour:
		return fmt.Sprintf("%dm", int(d.Minutes()))
	case d < 48*time.Hour:
		return fmt.Sprintf("%dh", int(d.Hours()))
	}
	return fmt.Sprintf("%dd", int(d.Hours()/24))
}
