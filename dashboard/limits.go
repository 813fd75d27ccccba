package dashboard

import (
	"context"
	"fmt"
	"net/url"
	"slices"
	"sync"
	"time"

	"github.com/larder-go/larder/conn"
	"github.com/larder-go/larder/dashboard/internal/chart"
	"github.com/larder-go/larder/observe"
	"github.com/larder-go/larder/ratelimit"
	"github.com/larder-go/larder/ratelimit/analytics"
)

const (
	// tallyAge is how old the analytics of a limiter may get.
	tallyAge = 20 * time.Second
	// tallyPatience is how long a page waits for them; later ones find them.
	tallyPatience = 80 * time.Millisecond
	// tallyTimeout bounds the reading.
	tallyTimeout = 10 * time.Second
	// tallyBack is how far they go back, topBack those of single identifiers.
	tallyBack = 24 * time.Hour
	topBack   = time.Hour
	topMost   = 10
	// maxTallies is how many limiters' analytics are remembered.
	maxTallies = 50
)

// decisions are what a limiter's analytics tell.
type decisions struct {
	at    time.Time
	hours []analytics.Hour
	top   analytics.Top
	err   error
}

// ledger reads analytics, which may be long, beside the pages.
type ledger struct {
	c conn.Pipeliner

	mu      sync.Mutex // protects the following
	known   map[string]decisions
	reading map[string]chan struct{} // closed when it is done
}

func newLedger(c conn.Pipeliner) *ledger {
	return &ledger{c: c, known: map[string]decisions{}, reading: map[string]chan struct{}{}}
}

// of returns what is known of a limiter, and begins to read where that is old. run
// runs a function beside.
func (l *ledger) of(ctx context.Context, prefix string, run func(func())) (decisions, bool) {
	l.mu.Lock()
	d, ok := l.known[prefix]
	if ok && time.Since(d.at) < tallyAge {
		l.mu.Unlock()
		return d, true
	}
	done := l.reading[prefix]
	if done == nil {
		done = make(chan struct{})
		l.reading[prefix] = done
		run(func() { l.read(prefix, done) })
	}
	l.mu.Unlock()
	if !ok {
		t := time.NewTimer(tallyPatience)
		defer t.Stop()
		select {
		case <-done:
		case <-t.C:
		case <-ctx.Done():
		}
		l.mu.Lock()
		d, ok = l.known[prefix]
		l.mu.Unlock()
	}
	return d, ok
}

func (l *ledger) read(prefix string, done chan struct{}) {
	ctx, cancel := context.WithTimeout(context.Background(), tallyTimeout)
	defer cancel()
	var d decisions
	r, err := analytics.NewReader(l.c, prefix)
	if err == nil {
		d.hours, err = r.OverTime(ctx, tallyBack, "success")
	}
	if err == nil {
		d.top, err = r.Top(ctx, topBack, topMost)
	}
	d.err, d.at = err, time.Now()
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.known) >= maxTallies {
		clear(l.known)
	}
	l.known[prefix] = d
	delete(l.reading, prefix)
	close(done)
}

// limiterHead names the limiters.
type limiterHead struct {
	Names []link
	Here  string
}

// topList is those who were allowed, limited and denied most.
type topList struct {
	Allowed, Limited, Denied []analytics.Row
	Known                    bool
	Problem                  string
}

func (d *Dashboard) limits(v *viewing) []panel {
	names := limiters(v.snap)
	head := limiterHead{Here: v.query.Get("name")}
	if !slices.Contains(names, head.Here) {
		head.Here = ""
		if len(names) > 0 {
			head.Here = names[0]
		}
	}
	for _, n := range names {
		head.Names = append(head.Names, link{Path: "limits?" + encode("name", n), Title: n, Here: n == head.Here})
	}
	panels := []panel{{ID: "limiters", Template: "limiters", Wide: true, Data: head}}
	if head.Here == "" {
		return panels
	}
	x := v.snap.figures
	ft := x.of(observe.Limiter, head.Here)
	allowed := ft.counts(metricAllowed, "")
	series := append([]chart.Series{{Name: "allowed", Values: allowed}}, ft.byLabel(metricLimited)...)
	if add(allowed)+ft.total(metricLimited) > 0 {
		panels = append(panels, panel{ID: "minutes", Template: "chart", Data: chartOf{
			Title: "Decisions each minute",
			SVG: x.lines(false, chart.Options{
				Says: "Decisions each minute over the last hour, by outcome", Format: count, Stacked: true,
			}, series...),
		}})
	}
	var dec decisions
	known := false
	if v.snap.problem == "" {
		dec, known = d.ledger.of(v.r.Context(), head.Here, d.running.Go)
	}
	top := topList{Allowed: dec.top.Allowed, Limited: dec.top.Limited, Denied: dec.top.Denied, Known: known}
	if dec.err != nil {
		top.Problem = whyAway(dec.err)
	}
	if known && dec.err == nil {
		panels = append(panels, panel{ID: "hours", Template: "chart", Data: hourChart(dec.hours)})
	}
	return append(panels,
		panel{ID: "top", Template: "top", Wide: true, Data: top},
		panel{ID: "tally", Template: "tally", Wide: true, Data: x.tallies(observe.Limiter, head.Here, v.now)},
	)
}

// limiters are those that report or are declared, and that of TypeScript's default
// where it has keys.
func limiters(s *snapshot) (names []string) {
	for _, sub := range s.names(observe.Limiter) {
		names = append(names, sub.name)
	}
	if _, ok := s.census.Spaces[ratelimit.DefaultPrefix]; ok && !slices.Contains(names, ratelimit.DefaultPrefix) {
		names = append(names, ratelimit.DefaultPrefix)
	}
	return names[:min(len(names), maxListed)]
}

func hourChart(hours []analytics.Hour) chartOf {
	n := len(hours)
	outcome := map[string][]float64{}
	for _, key := range []string{"true", "false", "denied"} {
		values := make([]float64, n)
		for i, h := range hours { // the newest first
			values[n-1-i] = float64(h.Counts[key])
		}
		outcome[key] = values
	}
	c := chartOf{Title: "Decisions each hour, in the last day"}
	if n == 0 {
		return c
	}
	c.SVG = chart.Lines(chart.Options{
		Says: fmt.Sprintf("Decisions each hour in the last day: %s allowed, %s limited, %s denied",
			count(add(outcome["true"])), count(add(outcome["false"])), count(add(outcome["denied"]))),
		From: hours[n-1].Time, Step: time.Hour, Format: count, Stacked: true,
	},
		chart.Series{Name: "allowed", Values: outcome["true"]},
		chart.Series{Name: "limited", Values: outcome["false"]},
		chart.Series{Name: "denied by a list", Values: outcome["denied"]})
	return c
}

// encode writes one query parameter.
func encode(name, value string) string { return url.Values{name: {value}}.Encode() }
