package telemetry

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/larder-go/larder/conn"
	"github.com/larder-go/larder/observe"
)

// Two processes write, and what is read is what both did.
func TestFleetAddsUp(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, c conn.Conn) {
		service := unique(t)
		a := watch(t, c, Options{Service: service, Instance: "a"})
		b := watch(t, c, Options{Service: service, Instance: "b"})
		var fa, fb feature
		fa.l1.Store(10)
		fa.l2.Store(3)
		fb.l1.Store(5)
		fb.pending.Store(2)
		gone := a.Register(fa.source("user"))
		b.Register(fb.source("user"))
		for _, tel := range []*Telemetry{a, b} {
			ctx, end := tel.Begin(t.Context(), observe.Operation{Kind: observe.Redis, Name: "127.0.0.1:6379", Verb: "GET"})
			if ctx.Err() != nil {
				t.Fatal(ctx.Err())
			}
			end(nil)
			_, end = tel.Begin(t.Context(), observe.Operation{Kind: observe.Cache, Name: "user", Verb: "load"})
			end(context.DeadlineExceeded)
			tel.Record(observe.Cache, "user", waits, 40*time.Millisecond)
			if err := tel.Flush(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		check := func(l1, l2, pendingNow float64, alive int) {
			t.Helper()
			f := recent(t, c, service)
			for k, want := range map[Key]float64{
				{Kind: observe.Cache, Name: "user", Metric: hits.Name, Label: "l1"}: l1,
				{Kind: observe.Cache, Name: "user", Metric: hits.Name, Label: "l2"}: l2,
				{Metric: hits.Name}:    l1 + l2,
				{Metric: pending.Name}: pendingNow,
				{Metric: failureMetric(observe.Cache).Name, Label: "load timeout"}: 2,
			} {
				if got := f.Total(k); got != want {
					t.Errorf("%+v is %v, want %v", k, got, want)
				}
			}
			for k, want := range map[Key]uint64{
				{Metric: "db.client.operation.duration", Label: "GET"}: 2,
				{Kind: observe.Cache, Label: "load"}:                   2,
				{Metric: waits.Name}:                                   2,
			} {
				if got := f.Distribution(k).Count(); got != want {
					t.Errorf("%+v: %d durations, want %d", k, got, want)
				}
			}
			if q := f.Distribution(Key{Metric: waits.Name}).Quantile(0.5); q < 37500*time.Microsecond || q > 42500*time.Microsecond {
				t.Errorf("the median of 40 ms is %v", q)
			}
			n := 0
			for _, p := range f.Processes {
				if p.Service != service || p.PID == 0 || p.Host == "" || p.Started.IsZero() || p.LastSeen.Before(p.Started.Truncate(time.Millisecond)) {
					t.Errorf("process %+v", p)
				}
				if p.Alive {
					n++
				}
			}
			if len(f.Processes) != 2 || n != alive || f.Incomplete {
				t.Errorf("%d processes, %d alive, want 2 and %d: %+v", len(f.Processes), n, alive, f)
			}
		}
		check(15, 3, 2, 2)

		// What a source counted stays counted when it is gone, and only once.
		fa.l2.Add(1)
		gone()
		gone()
		fa.l2.Add(100)
		for range 2 {
			if err := a.Flush(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		check(15, 4, 2, 2)

		fb.l1.Add(2)
		if err := b.Close(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err := b.Close(t.Context()); err != nil {
			t.Error(err)
		}
		check(17, 4, 2, 1)
	})
}

// Everything that is written expires.
func TestKeysExpire(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, c conn.Conn) {
		tel := watch(t, c, Options{Service: t.Name(), Retention: 2 * time.Minute})
		if err := tel.Flush(t.Context()); err != nil {
			t.Fatal(err)
		}
		n := 0
		err := c.Scan(t.Context(), "~{telemetry}:*", func(keys []string) error {
			for _, key := range keys {
				v, err := c.Do(t.Context(), conn.Key("PTTL", key))
				if err != nil || v.Int == -1 {
					return fmt.Errorf("%s lives for ever: %w", key, err)
				}
				n++
			}
			return nil
		})
		if err != nil || n < 3 {
			t.Errorf("%d keys: %v", n, err)
		}
	})
}

func TestOptions(t *testing.T) {
	t.Parallel()
	for field, o := range map[string]Options{
		"Options.FlushEvery":  {FlushEvery: time.Millisecond},
		"Options.Retention":   {Retention: MaxRetention + 1},
		"Options.MaxSubjects": {MaxSubjects: -1},
		"Options.Service":     {Service: strings.Repeat("s", 257)},
		"Options.Instance":    {Instance: "\xff"},
	} {
		tel, err := New(nil, o)
		var mistake *OptionError
		if !errors.As(err, &mistake) || mistake.Field != field || mistake.Allowed == "" || tel != nil {
			t.Errorf("%s: %v", field, err)
		}
	}
	if _, err := NewReader(nil, ReaderOptions{}); err == nil {
		t.Error("a Reader of nothing")
	}
	r, err := NewReader(engine(t), ReaderOptions{})
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	for _, d := range []time.Duration{-2 * time.Minute, MaxRetention + time.Minute} {
		if _, err := r.Read(t.Context(), now, now.Add(d)); err == nil {
			t.Errorf("%v was read", d)
		}
	}
}

// A connection can be watched by the Telemetry that writes through it.
func TestAttach(t *testing.T) {
	t.Parallel()
	service := unique(t)
	tel := watch(t, nil, Options{Service: service})
	var f feature
	f.l1.Store(3)
	tel.Register(f.source("user"))
	c := engine(t)
	tel.Attach(c)
	if err := tel.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	if n := recent(t, c, service).Total(Key{Metric: hits.Name}); n != 3 {
		t.Errorf("%v hits, want 3", n)
	}
}

func TestWithoutRedis(t *testing.T) {
	t.Parallel()
	tel := watch(t, nil, Options{})
	var f feature
	f.l1.Store(1)
	tel.Register(f.source("user"))
	if err := tel.Flush(t.Context()); err != nil {
		t.Error(err)
	}
}
