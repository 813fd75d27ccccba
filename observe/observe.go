package observe

import (
	"context"
	"log/slog"
	"time"
)

// Observer is told what a feature does.
type Observer interface {
	// Register adds a source. The function that it returns takes it out again; what
	// the source counted until then stays counted. Two sources may have the same
	// kind and name: their figures are added.
	Register(src Source) (unregister func())

	// Begin is called where an operation begins that leaves the process. The
	// operation runs under the context that it returns; the function, which must be
	// called once, ends it. The error is the operation's outcome; what is known only
	// at the end goes into attrs.
	Begin(ctx context.Context, op Operation) (context.Context, End)

	// Record notes a duration that no operation has, of a metric that is a Histogram.
	Record(kind Kind, name string, m *Metric, d time.Duration)
}

// End ends what Begin began.
type End func(err error, attrs ...slog.Attr)

// Operation is one piece of work.
type Operation struct {
	Kind Kind   // of the feature
	Name string // of the feature: its namespace, its prefix, its topic
	Verb string // what is done: "read", "load", "fill", "decide", "GET"
	// Attrs are what is known at the beginning, under the names of OpenTelemetry's
	// semantic conventions where there is one. Never a value, a token or a session
	// id; keys only where they are routes or names that a developer chose.
	Attrs []slog.Attr
}

// Source is a feature that is watched.
type Source struct {
	Subject Subject
	// Metrics are those that Read yields, and the histograms that the feature records.
	Metrics []*Metric
	// Read yields every figure that is not zero, and may yield zeros.
	Read func(Yield)
}
