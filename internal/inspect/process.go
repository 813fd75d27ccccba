package inspect

import "time"

// Process is what one process knows of a key, for people. A Report that was made
// from outside has none.
type Process struct {
	// L1 says what it holds, and whether that is served.
	L1 string
	// Flight says which load it has under way, "" for none.
	Flight string
	// Writing tells of a WriteThrough that no barrier tells of.
	Writing bool
	// Pending tells that an invalidation waits to be delivered.
	Pending bool
	// Last is the last invalidation known of, nil for none.
	Last *Last
}

// Last is the invalidation of a tag, or of the namespace.
type Last struct {
	What, Name string
	By         string
	Age        time.Duration
}

func (p Process) write(row func(label, format string, args ...any)) {
	row("in L1", "%s", p.L1)
	if p.Flight != "" {
		row("flight", "%s", p.Flight)
	}
	if p.Writing {
		row("writing", "a WriteThrough is under way")
	}
	if p.Pending {
		row("pending", "an invalidation by this process has not reached Redis yet")
	}
	if l := p.Last; l != nil {
		row("invalidated", "%s %s, %s ago by %s", l.What, printable(l.Name), Span(l.Age), printable(l.By))
	}
}

// Span writes a duration for people, in at most two units.
func Span(d time.Duration) string { return span(Duration{d}) }

// Printable quotes what could disturb a terminal.
func Printable(s string) string { return printable(s) }
