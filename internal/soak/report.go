package soak

import (
	"errors"
	"fmt"
	"io"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"
)

// Report is the outcome of a run.
type Report struct {
	Settings Settings  `json:"settings"`
	Started  time.Time `json:"started"`
	Verdicts []Verdict `json:"verdicts"`
	Work     []Work    `json:"work"`
	Samples  []Sample  `json:"samples"`
}

// Settings are what a run depended on.
type Settings struct {
	For       string `json:"for"`
	Every     string `json:"every"`
	Rate      int    `json:"rate"`
	Seed      uint64 `json:"seed"`
	Redis     string `json:"redis"`    // what it is, not where
	Database  string `json:"database"` // the same
	Alone     bool   `json:"server_was_empty"`
	Cuts      bool   `json:"connections_cut"`
	Leak      string `json:"leak,omitempty"`
	GoVersion string `json:"go_version"`
	CPUs      int    `json:"cpus"`
}

func newSettings(o Options, e *env) Settings {
	s := Settings{
		For: o.For.String(), Every: o.Every.String(), Rate: o.Rate, Seed: o.Seed,
		Redis: "the embedded engine", Database: e.sql.what, Alone: e.server.alone, Cuts: e.cut != nil, Leak: o.Leak,
		GoVersion: runtime.Version(), CPUs: runtime.GOMAXPROCS(0),
	}
	if o.Redis != "" {
		caps := e.conn.Capabilities()
		s.Redis = strings.TrimSpace(caps.Server + " " + caps.Version)
	}
	return s
}

// Err says what is wrong: something leaks, or the load was none.
func (r Report) Err() error {
	var found []error
	for _, v := range r.Verdicts {
		if v.Leak {
			found = append(found, fmt.Errorf("soak: %s grew by %s, more than %s", v.Figure, v.show(v.Growth), v.show(v.Allowed)))
		}
	}
	for _, w := range r.Work {
		if err := w.Err(); err != nil {
			found = append(found, fmt.Errorf("soak: %w", err))
		}
	}
	if len(r.Verdicts) == 0 {
		found = append(found, errors.New("soak: nothing was judged"))
	}
	return errors.Join(found...)
}

// Operations are those of all workloads.
func (r Report) Operations() (ended, failed int64) {
	for _, w := range r.Work {
		ended, failed = ended+w.Operations, failed+w.Errors
	}
	return ended, failed
}

// WriteText writes the report for people: a table with the course of each figure,
// and the verdict.
func (r Report) WriteText(w io.Writer) error {
	s := r.Settings
	ended, failed := r.Operations()
	var b strings.Builder
	fmt.Fprintf(&b, "%s on %s and %s: %d operations, %d failed; a sample every %s\n\n", s.For, s.Redis, s.Database, ended, failed, s.Every)
	t := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	fmt.Fprint(t, "\tfirst half\tsecond half\tgrowth\tallowed\t\tthe whole run\n")
	for _, v := range r.Verdicts {
		if !v.Known {
			fmt.Fprintf(t, "%s\tnot told\t\t\t\t\t\n", v.Figure)
			continue
		}
		word := "ok"
		if v.Leak {
			word = "LEAK"
		}
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\t%s\t%s\n", v.Figure, v.show(v.First), v.show(v.Second), v.show(v.Growth), v.show(v.Allowed), word, chart(v.series))
	}
	_ = t.Flush() // into memory
	fmt.Fprint(&b, "\nworkloads ")
	for _, w := range r.Work {
		fmt.Fprintf(&b, " %s %d", w.Name, w.Operations)
		if w.Errors > 0 {
			fmt.Fprintf(&b, " (%d failed)", w.Errors)
		}
	}
	verdict := "nothing leaks"
	if err := r.Err(); err != nil {
		verdict = "FAILED: " + strings.ReplaceAll(err.Error(), "soak: ", "")
	}
	fmt.Fprintf(&b, "\nsettings   rate %d, seed %d; %s, %d CPUs; server was empty: %v, connections were cut: %v\n\n%s\n",
		s.Rate, s.Seed, s.GoVersion, s.CPUs, s.Alone, s.Cuts, verdict)
	if _, err := io.WriteString(w, b.String()); err != nil {
		return fmt.Errorf("soak: print the report: %w", err)
	}
	return nil
}

// show is a figure for people.
func (v Verdict) show(n float64) string {
	if v.bytes {
		return mebibytes(int64(n))
	}
	return strconv.FormatFloat(n, 'f', 0, 64)
}

// chartWidth is how many characters a chart has.
const chartWidth = 30

// chart draws a series, each part of it by its median, between the smallest of them
// and the largest.
func chart(series []point) string {
	bars := []rune("▁▂▃▄▅▆▇█")
	width := min(chartWidth, len(series))
	if width == 0 {
		return ""
	}
	parts := make([]float64, width)
	for i := range parts {
		parts[i] = middle(series[i*len(series)/width : (i+1)*len(series)/width])
	}
	low, high := slices.Min(parts), slices.Max(parts)
	var b strings.Builder
	for _, v := range parts {
		level := 0
		if high > low {
			level = int((v - low) / (high - low) * float64(len(bars)-1))
		}
		b.WriteRune(bars[level])
	}
	return b.String()
}
