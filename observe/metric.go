package observe

// Instrument says how the figures of a Metric behave.
type Instrument int

// The instruments.
const (
	Counter   Instrument = iota // only grows, from 0 when the feature was made
	Gauge                       // goes up and down
	Histogram                   // durations, given to Observer.Record
)

// Metric is one thing that is counted. Features declare theirs as package-level
// values and pass pointers: two pointers are two metrics.
type Metric struct {
	// Name is dotted, in OpenTelemetry's manner: "larder.cache.hits".
	Name string
	// Unit is in UCUM's notation: "{hit}", "By", "s".
	Unit string
	// Help says in half a sentence what is counted.
	Help string
	// Instrument says whether it may fall.
	Instrument Instrument
	// Label names the one attribute that divides the metric beside the subject's
	// name: "larder.tier", "larder.reason". Empty where nothing does.
	Label string
}

// Yield takes one figure: the metric, the value of its label ("" where it has none)
// and the number. Durations are in seconds.
type Yield func(m *Metric, label string, n float64)
