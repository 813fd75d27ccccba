package telemetry

import (
	"bufio"
	"cmp"
	"net/http"
	"runtime"
	"runtime/metrics"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/larder-go/larder/internal/histogram"
	"github.com/larder-go/larder/observe"
)

// contentType is that of Prometheus' text format.
const contentType = "text/plain; version=0.0.4; charset=utf-8"

// The buckets that Prometheus gets: powers of two from 2^14 ns (16 µs) to 2^34 ns
// (17 s), which are boundaries of ours, so that the counts are exact.
const (
	firstBucket = 14
	lastBucket  = 34
)

// Handler serves the figures of this process in Prometheus' text format. It asks the
// sources each time, and needs no Redis.
//
// The names are those of OpenTelemetry by its rules for Prometheus: dots become
// underscores, units a suffix, counters end in _total.
func (t *Telemetry) Handler() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			w.Header().Set("Allow", "GET, HEAD")
			http.Error(w, "method not allowed", http.StatusMethodNotAllowed)
			return
		}
		w.Header().Set("Content-Type", contentType)
		w.Header().Set("Cache-Control", "no-store")
		if r.Method == http.MethodHead {
			return
		}
		b := bufio.NewWriter(w)
		t.writePrometheus(b)
		_ = b.Flush() // the scraper has gone if this fails
	})
}

// family is all series of one metric.
type family struct {
	name, help, kind string
	samples          []sample
}

// sample is one line, or the lines of one histogram.
type sample struct {
	labels string // a="b",c="d"
	value  float64
	counts histogram.Counts
}

func (t *Telemetry) writePrometheus(b *bufio.Writer) {
	families := t.process()
	timers := t.timers.all()
	byMetric := map[*observe.Metric]*family{}
	add := func(s series, sm sample) {
		f := byMetric[s.metric]
		if f == nil {
			f = &family{name: prometheusName(s.metric), help: s.metric.Help, kind: "counter"}
			switch s.metric.Instrument {
			case observe.Gauge:
				f.kind = "gauge"
			case observe.Histogram:
				f.kind = "histogram"
			}
			byMetric[s.metric] = f
			families = append(families, f)
		}
		sm.labels = labels(s)
		f.samples = append(f.samples, sm)
	}
	for s, n := range t.figures(timers) {
		add(s, sample{value: n})
	}
	for _, tm := range timers {
		add(tm.series, sample{counts: tm.live.Counts()})
	}
	slices.SortFunc(families, func(x, y *family) int { return cmp.Compare(x.name, y.name) })
	last := ""
	for _, f := range families {
		if f.name != last { // two metrics with one name would make the whole page invalid
			f.write(b)
		}
		last = f.name
	}
}

func (f *family) write(b *bufio.Writer) {
	slices.SortFunc(f.samples, func(x, y sample) int { return cmp.Compare(x.labels, y.labels) })
	if f.help != "" {
		_, _ = b.WriteString("# HELP " + f.name + " " + helpEscape.Replace(f.help) + "\n")
	}
	_, _ = b.WriteString("# TYPE " + f.name + " " + f.kind + "\n")
	for _, s := range f.samples {
		if f.kind != "histogram" {
			line(b, f.name, s.labels, s.value)
			continue
		}
		comma := ""
		if s.labels != "" {
			comma = ","
		}
		for exp := firstBucket; exp <= lastBucket; exp++ {
			le := time.Duration(1 << exp).Seconds()
			line(b, f.name+"_bucket", s.labels+comma+`le="`+number64(le)+`"`, float64(s.counts.Below(exp)))
		}
		n := float64(s.counts.Count())
		line(b, f.name+"_bucket", s.labels+comma+`le="+Inf"`, n)
		line(b, f.name+"_sum", s.labels, s.counts.Sum.Seconds())
		line(b, f.name+"_count", s.labels, n)
	}
}

func line(b *bufio.Writer, name, labels string, v float64) {
	_, _ = b.WriteString(name)
	if labels != "" {
		_, _ = b.WriteString("{" + labels + "}")
	}
	_, _ = b.WriteString(" " + number64(v) + "\n")
}

func number64(v float64) string { return strconv.FormatFloat(v, 'g', -1, 64) }

var (
	helpEscape  = strings.NewReplacer(`\`, `\\`, "\n", `\n`)
	valueEscape = strings.NewReplacer(`\`, `\\`, "\n", `\n`, `"`, `\"`)
)

func labels(s series) string {
	var b strings.Builder
	for i, kv := range s.attributes() {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString(sanitized(string(kv.Key)) + `="` + valueEscape.Replace(kv.Value.String()) + `"`)
	}
	return b.String()
}

// units are the suffixes of the units that have one.
var units = map[string]string{"s": "_seconds", "ms": "_milliseconds", "By": "_bytes", "%": "_percent"}

// prometheusName is a metric's name by OpenTelemetry's rules for Prometheus.
func prometheusName(m *observe.Metric) string {
	name := sanitized(m.Name)
	suffix := units[m.Unit]
	if m.Unit == "1" && m.Instrument == observe.Gauge {
		suffix = "_ratio"
	}
	if !strings.HasSuffix(name, suffix) {
		name += suffix
	}
	if m.Instrument == observe.Counter && !strings.HasSuffix(name, "_total") {
		name += "_total"
	}
	return name
}

// sanitized makes a name of letters, digits and underscores.
func sanitized(name string) string {
	clean := strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '_' {
			return r
		}
		return '_'
	}, name)
	if clean == "" || clean[0] >= '0' && clean[0] <= '9' {
		clean = "_" + clean
	}
	return clean
}

// process are figures of the process and of its build.
func (t *Telemetry) process() []*family {
	read := []metrics.Sample{
		{Name: "/sched/goroutines:goroutines"}, {Name: "/memory/classes/heap/objects:bytes"}, {Name: "/memory/classes/total:bytes"},
	}
	metrics.Read(read)
	value := func(i int) float64 {
		if read[i].Value.Kind() != metrics.KindUint64 {
			return 0
		}
		return float64(read[i].Value.Uint64())
	}
	gauge := func(name, help, labels string, v float64) *family {
		return &family{name: name, help: help, kind: "gauge", samples: []sample{{labels: labels, value: v}}}
	}
	build := `service="` + valueEscape.Replace(t.opts.Service) + `",version="` + valueEscape.Replace(version()) +
		`",go_version="` + valueEscape.Replace(runtime.Version()) + `"`
	return []*family{
		gauge("larder_build_info", "the program that is measured; always 1", build, 1),
		gauge("process_start_time_seconds", "when the telemetry was made, Unix time", "", float64(t.started.UnixMilli())/1000),
		gauge("go_goroutines", "goroutines", "", value(0)),
		gauge("go_memory_heap_objects_bytes", "live objects and dead ones not yet swept", "", value(1)),
		gauge("go_memory_total_bytes", "what the Go runtime has mapped", "", value(2)),
	}
}
