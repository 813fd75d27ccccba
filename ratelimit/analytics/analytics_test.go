package analytics

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"reflect"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/larder-go/larder/conn"
)

var noon = time.Date(2026, 3, 1, 12, 34, 56, 0, time.UTC)

func recorder(t *testing.T, c conn.Pipeliner, prefix string, clock func() time.Time) *Recorder {
	t.Helper()
	r, err := NewRecorder(c, Options{Prefix: prefix, Clock: clock})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = r.Close(context.Background()) })
	return r
}

func TestRecordAndRead(t *testing.T) {
	onEach(t, func(t *testing.T, c conn.Conn) {
		prefix := rand.Text() // run again on the same servers with -count
		now := noon
		rec := recorder(t, c, prefix, func() time.Time { return now })
		count := func(n int, e Event) {
			for range n {
				rec.Record(e)
			}
		}
		now = noon.Add(-2 * time.Hour)
		count(3, Event{Identifier: "ann", Outcome: Allowed})
		now = noon
		count(4, Event{Identifier: "ann", Outcome: Allowed, Country: "DE"})
		count(2, Event{Identifier: "ann", Outcome: Allowed, Country: "TR"})
		count(1, Event{Identifier: "ann"})
		count(5, Event{Identifier: "bob"})
		count(6, Event{Identifier: "1.2.3.4", Outcome: Denied})
		if err := rec.Flush(t.Context()); err != nil {
			t.Fatal(err)
		}
		count(1, Event{Identifier: "bob"}) // is added to what is there
		if err := rec.Close(t.Context()); err != nil {
			t.Fatal(err)
		}
		hour := noon.Truncate(time.Hour)

		k := fmt.Sprintf("%s:events:%d", prefix, hour.UnixMilli())
		v, err := c.Do(t.Context(), conn.Key("ZSCORE", k, `{"identifier":"bob","success":false}`))
		if err != nil || v.Str != "6" {
			t.Errorf("%+v, %v", v, err)
		}
		// The original's keys never expire. These do, 90 days after their hour.
		v, err = c.Do(t.Context(), conn.Key("TTL", k))
		if want := int64(hour.Add(time.Hour + DefaultRetention).Sub(noon).Seconds()); err != nil || v.Int > want || v.Int < want-60 {
			t.Errorf("expires in %d s, %v, want %d", v.Int, err, want)
		}

		r, err := NewReader(c, prefix)
		if err != nil {
			t.Fatal(err)
		}
		r.clock = func() time.Time { return noon }
		over, err := r.OverTime(t.Context(), 3*time.Hour, "success")
		want := []Hour{
			{hour, map[string]int64{"true": 6, "false": 7, "denied": 6}},
			{hour.Add(-time.Hour), map[string]int64{}},
			{hour.Add(-2 * time.Hour), map[string]int64{"true": 3}},
		}
		for i := range over {
			over[i].Time = over[i].Time.UTC()
		}
		if err != nil || !reflect.DeepEqual(over, want) {
			t.Errorf("%+v, %v", over, err)
		}
		// Members that lack the field fail the original's whole call.
		over, err = r.OverTime(t.Context(), time.Hour, "country")
		if err != nil || !reflect.DeepEqual(over[0].Counts, map[string]int64{"DE": 4, "TR": 2}) {
			t.Errorf("%+v, %v", over, err)
		}
		// The original counts "denied" as success, and one country overwrites the other.
		usage, err := r.Usage(t.Context(), 3*time.Hour)
		if err != nil || !reflect.DeepEqual(usage, map[string]Usage{"ann": {9, 1, 0}, "bob": {0, 6, 0}, "1.2.3.4": {0, 0, 6}}) {
			t.Errorf("%+v, %v", usage, err)
		}
		top, err := r.Top(t.Context(), time.Hour, 1)
		if err != nil || !reflect.DeepEqual(top, Top{[]Row{{"ann", 6}}, []Row{{"bob", 6}}, []Row{{"1.2.3.4", 6}}}) {
			t.Errorf("%+v, %v", top, err)
		}
		// More than one round trip's worth of hours.
		if over, err = r.OverTime(t.Context(), MaxHours*time.Hour, "identifier"); err != nil || len(over) != MaxHours || over[2].Counts["ann"] != 3 {
			t.Errorf("%d hours, %v", len(over), err)
		}
	})
}

// What others have left under the names does no harm.
func TestForeignMembers(t *testing.T) {
	c := engine(t)
	ctx := t.Context()
	for _, cmd := range []conn.Command{
		conn.Key("ZADD", key("p", bucket(noon)), "1", "no JSON", "2", "[1]", "3", `{"identifier":7}`, "4", `{"identifier":"u","success":true,"country":7}`),
		conn.Key("HSET", key("p", bucket(noon.Add(-time.Hour))), "a", "1"), // of an ancient version
	} {
		if _, err := c.Do(ctx, cmd); err != nil {
			t.Fatal(err)
		}
	}
	r, err := NewReader(c, "p")
	if err != nil {
		t.Fatal(err)
	}
	r.clock = func() time.Time { return noon }
	if u, err := r.Usage(ctx, 2*time.Hour); err != nil || len(u) != 1 || u["u"].Allowed != 4 {
		t.Errorf("%+v, %v", u, err)
	}
	if o, err := r.OverTime(ctx, 2*time.Hour, "country"); err != nil || len(o) != 2 || o[0].Counts["7"] != 4 {
		t.Errorf("%+v, %v", o, err)
	}
}

func TestBadArguments(t *testing.T) {
	c := engine(t)
	for name, o := range map[string]Options{
		"Options.Prefix":    {},
		"Options.Retention": {Prefix: "p", Retention: time.Minute},
		"Options.Interval":  {Prefix: "p", Interval: time.Millisecond},
	} {
		if _, err := NewRecorder(c, o); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := NewRecorder(nil, Options{Prefix: "p"}); err == nil {
		t.Error("no Conn is no error")
	}
	if _, err := NewReader(nil, "p"); err == nil {
		t.Error("no Conn is no error")
	}
	if _, err := NewReader(c, ""); err == nil {
		t.Error("no prefix is no error")
	}
	r, err := NewReader(c, "p")
	if err != nil {
		t.Fatal(err)
	}
	for _, back := range []time.Duration{0, -time.Hour, MaxHours*time.Hour + 1} {
		if _, err := r.Usage(t.Context(), back); err == nil || !strings.Contains(err.Error(), "256h") {
			t.Errorf("%v: %v", back, err)
		}
	}
	if _, err := r.OverTime(t.Context(), time.Hour, ""); err == nil {
		t.Error("no field is no error")
	}
	if _, err := r.Top(t.Context(), time.Hour, 0); err == nil {
		t.Error("top 0 is no error")
	}
}

// flaky fails while down is set.
type flaky struct {
	conn.Pipeliner
	down  atomic.Bool
	calls atomic.Int64
}

func (f *flaky) Pipeline(ctx context.Context, cmds ...conn.Command) []conn.Result {
	f.calls.Add(1)
	if f.down.Load() {
		out := make([]conn.Result, len(cmds))
		for i := range out {
			out[i].Err = &conn.Error{Op: "ZINCRBY", Err: errors.New("refused")}
		}
		return out
	}
	return f.Pipeliner.Pipeline(ctx, cmds...)
}

// Counts are written once a second, and kept while Redis is away.
func TestCountsAreKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := engine(t)
		f := &flaky{Pipeliner: c}
		f.down.Store(true)
		var log bytes.Buffer
		r, err := NewRecorder(f, Options{Prefix: "p", Logger: slog.New(slog.NewTextHandler(&log, nil))})
		if err != nil {
			t.Fatal(err)
		}
		for range 3 {
			r.Record(Event{Identifier: "u"})
			time.Sleep(time.Second + time.Millisecond)
		}
		synctest.Wait()
		if f.calls.Load() != 3 || strings.Count(log.String(), "\n") != 1 {
			t.Errorf("%d writes, log:\n%s", f.calls.Load(), &log)
		}
		f.down.Store(false)
		time.Sleep(time.Second)
		synctest.Wait()
		score := func() string {
			v, err := c.Do(t.Context(), conn.Key("ZSCORE", key("p", bucket(time.Now())), `{"identifier":"u","success":false}`))
			if err != nil {
				t.Fatal(err)
			}
			return v.Str
		}
		if s := score(); s != "3" {
			t.Errorf("counted %s", s)
		}
		r.Record(Event{Identifier: "u"})
		if err := r.Close(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err := r.Close(t.Context()); err != nil {
			t.Fatal(err)
		}
		if s := score(); s != "4" {
			t.Errorf("counted %s after the end", s)
		}
	})
}

func TestPendingIsBounded(t *testing.T) {
	r, err := NewRecorder(engine(t), Options{Prefix: "p", Interval: time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = r.Close(context.Background()) }()
	for i := range MaxPending + 50 {
		r.Record(Event{Identifier: fmt.Sprint(i)})
	}
	r.mu.Lock()
	pending, dropped := len(r.pending), r.dropped
	r.mu.Unlock()
	if pending > MaxPending || dropped != 50 {
		t.Errorf("%d pending, %d dropped", pending, dropped)
	}
}
