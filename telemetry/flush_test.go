package telemetry

import (
	"context"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/larder-go/larder/conn"
	"github.com/larder-go/larder/internal/minute"
	"github.com/larder-go/larder/observe"
)

// flaky is a connection whose answers can get lost, before or after the command was
// executed, and that counts what it was asked.
type flaky struct {
	conn.Pipeliner
	mu     sync.Mutex
	before bool
	after  bool
	gets   int
}

func (f *flaky) Pipeline(ctx context.Context, cmds ...conn.Command) []conn.Result {
	f.mu.Lock()
	before, after := f.before, f.after
	for _, c := range cmds {
		if c.Name() == "MGET" && !strings.Contains(c.Args[1], ":alive:") {
			f.gets += len(c.Args) - 1
		}
	}
	f.mu.Unlock()
	lost := make([]conn.Result, len(cmds))
	for i := range lost {
		lost[i].Err = &conn.Error{Op: "pipeline", Err: context.DeadlineExceeded}
	}
	if before {
		return lost
	}
	res := f.Pipeliner.Pipeline(ctx, cmds...)
	if after {
		return lost
	}
	return res
}

func (f *flaky) set(before, after bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.before, f.after = before, after
}

func (f *flaky) asked() (n int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	n, f.gets = f.gets, 0
	return n
}

// writer is a flusher with a counter, driven by hand.
type writer struct {
	t     *testing.T
	f     *flusher
	count float64
	gauge float64
	log   strings.Builder
}

func newWriter(t *testing.T, c conn.Pipeliner, service string, now time.Time) *writer {
	w := &writer{t: t}
	o := Options{Service: service, Retention: 3 * time.Hour, Logger: slog.New(slog.NewTextHandler(&w.log, nil))}
	w.f = newFlusher(c, o, minute.Process{Service: service, Interval: time.Hour, Started: now}, now)
	return w
}

func (w *writer) sample(now time.Time) {
	figures := map[series]float64{{observe.Cache, "user", hits, "l1"}: w.count}
	if w.gauge != 0 {
		figures[series{observe.Cache, "user", pending, ""}] = w.gauge
	}
	w.f.sample(now, figures, nil)
}

func (w *writer) flush(now time.Time) error {
	w.sample(now)
	return w.f.write(w.t.Context(), now, false)
}

func (w *writer) must(now time.Time) {
	w.t.Helper()
	if err := w.flush(now); err != nil {
		w.t.Fatal(err)
	}
}

// values reads a metric by the minute.
func values(t *testing.T, r *Reader, from, to time.Time, metric string) []float64 {
	t.Helper()
	f, err := r.Read(t.Context(), from, to)
	if err != nil {
		t.Fatal(err)
	}
	for s := range f.Each(Key{Metric: metric}) {
		return s.Values
	}
	return make([]float64, f.Minutes)
}

func same(t *testing.T, got []float64, want ...float64) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%v, want %v", got, want)
	}
	for i := range got {
		if got[i] != want[i] {
			t.Fatalf("%v, want %v", got, want)
		}
	}
}

func readerOf(t *testing.T, c conn.Pipeliner, service string) *Reader {
	t.Helper()
	r, err := NewReader(c, ReaderOptions{Service: service})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// noon is the beginning of a minute, not long ago, for records expire.
func noon() time.Time { return time.Now().Truncate(time.Minute).Add(-20 * time.Minute) }

// A minute holds what was counted in it: nothing twice, nothing lost, also where the
// answers to flushes get lost and where Redis is away for some minutes.
func TestMinutesAreExact(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, c conn.Conn) {
		t0 := noon()
		line := &flaky{Pipeliner: c}
		service := unique(t)
		w := newWriter(t, line, service, t0)
		r := readerOf(t, c, service)
		at := func(s int) time.Time { return t0.Add(time.Duration(s) * time.Second) }

		w.count = 5
		w.must(at(10))
		w.must(at(15))
		same(t, values(t, r, t0, at(0), hits.Name), 5)
		w.count = 7
		line.set(false, true)
		if err := w.flush(at(20)); err == nil {
			t.Fatal("a lost answer was not noticed")
		}
		same(t, values(t, r, t0, at(0), hits.Name), 7)
		line.set(false, false)
		w.must(at(25))
		same(t, values(t, r, t0, at(0), hits.Name), 7)

		// The end of the minute: what was counted before it belongs to it.
		w.count = 8
		w.sample(at(60))
		w.count = 10
		line.set(true, false) // Redis is away for two minutes and more
		for s := 65; s < 200; s += 5 {
			w.count++
			w.gauge = float64(s)
			if err := w.flush(at(s)); err == nil {
				t.Fatal("Redis is away")
			}
			if s%60 == 55 {
				w.sample(at(s + 5))
			}
		}
		line.set(false, false)
		w.must(at(200))
		// 10 when the second minute began, and 11, 12 and 4 flushes in each.
		got := values(t, r, t0, at(180), hits.Name)
		same(t, got, 8, 2+11, 12, 4)
		same(t, values(t, r, t0, at(180), pending.Name), 0, 115, 175, 195)
		if text := w.log.String(); strings.Count(text, "could not be written") != 2 || strings.Count(text, "written again") != 2 {
			t.Errorf("the log says\n%s", text)
		}
	})
}

// More than MaxPending minutes without Redis: the oldest are lost, and it is said.
func TestPendingIsBounded(t *testing.T) {
	t.Parallel()
	line := &flaky{Pipeliner: engine(t)}
	line.set(true, false)
	t0 := noon()
	w := newWriter(t, line, "s", t0)
	for m := range MaxPending + 5 {
		w.count++
		_ = w.flush(t0.Add(time.Duration(m) * time.Minute))
		_ = w.flush(t0.Add(time.Duration(m)*time.Minute + 59*time.Second))
	}
	if len(w.f.pending) != MaxPending || !strings.Contains(w.log.String(), "the oldest minutes are lost") {
		t.Errorf("%d minutes wait\n%s", len(w.f.pending), w.log.String())
	}
}

// A clock that goes back starts a new life: what was written stays as it was.
func TestClockGoesBack(t *testing.T) {
	t.Parallel()
	c := engine(t)
	t0 := noon()
	w := newWriter(t, c, "s", t0)
	w.count = 5
	w.must(t0.Add(10 * time.Second))
	w.must(t0.Add(130 * time.Second)) // minute 2
	w.count = 6
	w.must(t0.Add(100 * time.Second)) // half a minute back: it stays minute 2
	w.count = 9
	first := w.f.id
	w.must(t0.Add(30 * time.Second))
	if w.f.id == first {
		t.Fatal("the same life goes through a minute twice")
	}
	r := readerOf(t, c, "")
	same(t, values(t, r, t0, t0.Add(2*time.Minute), hits.Name), 5+3, 0, 1)
}

// Closed minutes are read once; the running one, and one that comes late, again.
func TestReaderHoldsClosedMinutes(t *testing.T) {
	t.Parallel()
	line := &flaky{Pipeliner: engine(t)}
	t0 := noon()
	a, b := newWriter(t, line, "s", t0), newWriter(t, line, "s", t0)
	end := t0.Add(9*time.Minute + 30*time.Second)
	for _, w := range []*writer{a, b} {
		for m := range 10 {
			w.count += float64(m + 1)
			w.sample(t0.Add(time.Duration(m)*time.Minute + 30*time.Second))
			if m < 9 {
				w.sample(t0.Add(time.Duration(m+1) * time.Minute))
			}
		}
	}
	if err := a.f.write(t.Context(), end, false); err != nil {
		t.Fatal(err)
	}
	r := readerOf(t, line, "")
	want := func(factor float64) []float64 {
		v := make([]float64, 10)
		for m := range v {
			v[m] = factor * float64(m+1)
		}
		return v
	}
	for i, reads := range []int{10, 1, 1} {
		same(t, values(t, r, t0, end, hits.Name), want(1)...)
		if n := line.asked(); n != reads {
			t.Errorf("reading %d: %d records were asked for, want %d", i, n, reads)
		}
	}
	if err := b.f.write(t.Context(), end, false); err != nil {
		t.Fatal(err)
	}
	same(t, values(t, r, t0, end, hits.Name), want(2)...)
	if n := line.asked(); n != 11 {
		t.Errorf("%d records were asked for, want 11", n)
	}
	same(t, values(t, r, t0, end, hits.Name), want(2)...)
	if n := line.asked(); n != 2 {
		t.Errorf("%d records were asked for, want 2", n)
	}
}

// A gauge of a process that lives and has not written in this minute yet stands; one of a
// process that is gone does not.
func TestGaugeIsCarried(t *testing.T) {
	t.Parallel()
	c := engine(t)
	t0 := noon()
	a, b := newWriter(t, c, "s", t0), newWriter(t, c, "s", t0)
	a.gauge, b.gauge = 3, 4
	a.must(t0.Add(50 * time.Second))
	b.must(t0.Add(50 * time.Second))
	r := readerOf(t, c, "")
	now := t0.Add(62 * time.Second)
	same(t, values(t, r, t0, now, pending.Name), 7, 7)
	a.sample(t0.Add(60 * time.Second))
	a.gauge = 5
	a.must(now)
	same(t, values(t, r, t0, now, pending.Name), 7, 9)
	if err := b.f.write(t.Context(), now, true); err != nil { // the end of b
		t.Fatal(err)
	}
	same(t, values(t, r, t0, now, pending.Name), 7, 5)
}

// What others write under our keys is left out, and said.
func TestReaderSurvivesRubbish(t *testing.T) {
	t.Parallel()
	c := engine(t)
	t0 := noon()
	w := newWriter(t, c, "s", t0)
	w.count = 1
	w.must(t0.Add(time.Second))
	for _, cmd := range []conn.Command{
		conn.Key("SET", minute.Key(minuteOf(t0), "1-rubbish"), "rubbish", "EX", "60"),
		conn.Key("ZADD", minute.Index, "1e300", "1-rubbish", "9e15", "not an id", "9e15", "-"),
	} {
		if _, err := c.Do(t.Context(), cmd); err != nil {
			t.Fatal(err)
		}
	}
	f, err := readerOf(t, c, "").Read(t.Context(), t0, t0)
	if err != nil || !f.Incomplete || f.Total(Key{Metric: hits.Name}) != 1 {
		t.Errorf("%v: %+v", err, f)
	}
}

// A record has a limit; what is beyond it is left out.
func TestRecordIsBounded(t *testing.T) {
	t.Parallel()
	t0 := noon()
	w := newWriter(t, engine(t), "s", t0)
	figures := map[series]float64{}
	for i := range 60_000 {
		figures[series{observe.Cache, string(rune('a' + i%26)), &observe.Metric{Name: strings.Repeat("m", 1+i%200)}, strings.Repeat("l", i%250)}] = float64(i) + 0.5
	}
	w.f.sample(t0, figures, nil)
	b := w.f.encode(false)
	r, err := minute.Parse(b)
	if err != nil || len(b) > minute.MaxBytes || len(r.Figures) == 0 || !strings.Contains(w.log.String(), "left out") {
		t.Errorf("%d bytes: %v", len(b), err)
	}
}
