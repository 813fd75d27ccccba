package telemetry

import (
	"context"
	"fmt"
	"log/slog"
	"testing"
	"time"

	"github.com/larder-go/larder/conn"
	"github.com/larder-go/larder/internal/minute"
	"github.com/larder-go/larder/observe"
)

// benchFleet writes 60 minutes of 500 subjects with 20 figures and 4 histograms each.
func benchFleet(b *testing.B) (c conn.Conn, from, to time.Time) {
	b.Helper()
	c = engine(b)
	from = time.Now().Truncate(time.Minute).Add(-70 * time.Minute)
	f := newFlusher(c, Options{Retention: 3 * time.Hour, Logger: slog.New(slog.DiscardHandler)}, minute.Process{Service: "s", Interval: time.Hour}, from)
	metrics := make([]*observe.Metric, 20)
	for i := range metrics {
		metrics[i] = &observe.Metric{Name: fmt.Sprintf("larder.cache.figure_%d", i), Unit: "{hit}"}
	}
	var timers []*timer
	figures := map[series]float64{}
	for m := range 60 {
		for s := range 500 {
			for i, metric := range metrics {
				figures[series{observe.Cache, fmt.Sprintf("namespace-%d", s), metric, ""}] += float64(s*i + m + 1)
			}
			for v := range 4 {
				if m == 0 {
					timers = append(timers, &timer{series: series{observe.Cache, fmt.Sprintf("namespace-%d", s), operationMetric(observe.Cache), fmt.Sprintf("verb-%d", v)}})
				}
				for d := range 8 {
					timers[4*s+v].live.Record(time.Duration(m*s+1) << d)
				}
			}
		}
		to = from.Add(time.Duration(m)*time.Minute + 30*time.Second)
		f.sample(to, figures, timers)
		if m < 59 {
			f.sample(from.Add(time.Duration(m+1)*time.Minute), figures, timers)
		}
		if err := f.write(b.Context(), to, false); err != nil {
			b.Fatal(err)
		}
	}
	return c, from, to
}

// Reading an hour of 500 subjects: for the first time, and again, as larder top does.
func BenchmarkRead(b *testing.B) {
	c, from, to := benchFleet(b)
	read := func(b *testing.B, r *Reader) {
		f, err := r.Read(b.Context(), from, to)
		if err != nil || len(f.Series) != 10_000 || len(f.Durations) != 2000 {
			b.Fatal(err, len(f.Series), len(f.Durations))
		}
	}
	b.Run("first", func(b *testing.B) {
		for b.Loop() {
			r, err := NewReader(c, ReaderOptions{})
			if err != nil {
				b.Fatal(err)
			}
			read(b, r)
		}
	})
	b.Run("again", func(b *testing.B) {
		r, err := NewReader(c, ReaderOptions{})
		if err != nil {
			b.Fatal(err)
		}
		read(b, r)
		for b.Loop() {
			read(b, r)
		}
	})
}

// One operation, without an SDK of OpenTelemetry.
func BenchmarkBegin(b *testing.B) {
	tel, err := New(nil, Options{})
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = tel.Close(context.Background()) }()
	ctx := b.Context()
	op := observe.Operation{Kind: observe.Cache, Name: "user", Verb: "read"}
	b.ReportAllocs()
	for b.Loop() {
		_, end := tel.Begin(ctx, op)
		end(nil)
	}
}
