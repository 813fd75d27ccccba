package minute

import (
	"bytes"
	"encoding/hex"
	"errors"
	"flag"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/larder-go/larder/internal/histogram"
	"github.com/larder-go/larder/observe"
)

var update = flag.Bool("update", false, "write the golden file")

// sample has every kind of field and figure.
func sample() *Record {
	return &Record{
		Process: Process{
			Service: "shop", Instance: "shop-1", Host: "host-a", Version: "v1.2.3", PID: 4242,
			Started: time.UnixMilli(1_790_000_000_123), Interval: 5 * time.Second,
		},
		Minute: 29_833_334, Closed: true, Written: 1_790_000_100_000,
		Subjects: []Subject{{observe.Cache, "user"}, {observe.Redis, "127.0.0.1:6379"}},
		Metrics: []Metric{
			{"larder.cache.hits", "{hit}", "larder.tier", observe.Counter},
			{"larder.cache.pending", "{invalidation}", "", observe.Gauge},
			{"db.client.operation.duration", "s", "db.operation.name", observe.Histogram},
		},
		Labels: []string{"", "l1", "GET"},
		Figures: []Figure{
			{At{0, 0, 1}, 1_000_000},
			{At{0, 1, 0}, 0},
			{At{0, 1, 0}, -1.5},
			{At{1, 1, 0}, 0.25},
		},
		Distributions: []Distribution{
			{At{1, 2, 2}, histogram.Counts{Sum: 1234567, Buckets: []histogram.Bucket{{Index: 0, N: 1}, {Index: 30, N: 300}, {Index: 209, N: 2}}}},
		},
	}
}

// The golden file pins the bytes; docs/wire-format.md describes them.
func TestGolden(t *testing.T) {
	t.Parallel()
	got := Append(nil, sample())
	name := filepath.Join("testdata", "record-1.hex")
	if *update {
		if err := os.WriteFile(name, []byte(hex.Dump(got)), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if hex.Dump(got) != string(want) {
		t.Errorf("the bytes have changed:\n%s\nwant:\n%s", hex.Dump(got), want)
	}
	r, err := Parse(got)
	if err != nil || !reflect.DeepEqual(r, sample()) {
		t.Errorf("%v: %+v", err, r)
	}
}

// Whatever is cut off, or follows, is noticed.
func TestParseRefuses(t *testing.T) {
	t.Parallel()
	whole := Append(nil, sample())
	for n := range whole {
		if _, err := Parse(whole[:n]); err == nil {
			t.Errorf("%d of %d bytes were accepted", n, len(whole))
		}
	}
	change := func(edit func(r *Record)) []byte {
		r := sample()
		edit(r)
		return Append(nil, r)
	}
	for name, b := range map[string][]byte{
		"more bytes":            append(slices.Clone(whole), 0),
		"too long":              make([]byte, MaxBytes+1),
		"another magic":         append([]byte("L"), whole[1:]...),
		"unknown flags":         append([]byte{magic, version, 2, 0}, whole[4:]...),
		"an index too high":     change(func(r *Record) { r.Figures[0].Metric = 9 }),
		"a figure of durations": change(func(r *Record) { r.Figures[0].Metric = 2 }),
		"durations of a count":  change(func(r *Record) { r.Distributions[0].Metric = 0 }),
		"not a number":          change(func(r *Record) { r.Figures[0].Value = math.NaN() }),
		"an endless number":     change(func(r *Record) { r.Figures[0].Value = math.Inf(1) }),
		"an empty bucket":       change(func(r *Record) { r.Distributions[0].Buckets[1].N = 0 }),
		"a bucket twice":        change(func(r *Record) { r.Distributions[0].Buckets[1].Index = 0 }),
		"a bucket too high":     change(func(r *Record) { r.Distributions[0].Buckets[2].Index = histogram.Buckets }),
		"an unknown instrument": change(func(r *Record) { r.Metrics[0].Instrument = 3 }),
		"a text too long":       change(func(r *Record) { r.Subjects[0].Name = strings.Repeat("n", MaxText+1) }),
		"a text that is none":   change(func(r *Record) { r.Subjects[0].Name = "\xff" }),
	} {
		if _, err := Parse(b); err == nil {
			t.Errorf("%s was accepted", name)
		}
	}
	if _, err := Parse(append([]byte{magic, version + 1}, whole[2:]...)); !errors.Is(err, ErrVersion) {
		t.Errorf("another version: %v", err)
	}
}

func TestText(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"": "", "user": "user", "a\xffb": "a\uFFFDb",
		strings.Repeat("é", 200): strings.Repeat("é", 128), "x" + strings.Repeat("é", 200): "x" + strings.Repeat("é", 127),
	} {
		if got := Text(in); got != want || !validText(got) || !utf8.ValidString(got) {
			t.Errorf("%q becomes %q, want %q", in, got, want)
		}
	}
}

func TestID(t *testing.T) {
	t.Parallel()
	for id, want := range map[string]int64{
		ID(29_833_334, "ABC"): 29_833_334, "0-a-b": 0,
		"": -1, "12": -1, "12-": -1, "-5-a": -1, "x-a": -1, "1-" + strings.Repeat("a", maxID): -1,
	} {
		m, ok := Begin(id)
		if !ok {
			m = -1
		}
		if m != want {
			t.Errorf("%q begins in minute %d, want %d", id, m, want)
		}
	}
}

// What parses is written as it was read, so nothing gets lost between two readers.
func FuzzParse(f *testing.F) {
	f.Add(Append(nil, sample()))
	f.Add(Append(nil, &Record{}))
	f.Fuzz(func(t *testing.T, b []byte) {
		r, err := Parse(b)
		if err != nil {
			return
		}
		again, err := Parse(Append(nil, r))
		if err != nil || !reflect.DeepEqual(again, r) {
			t.Errorf("%v: %+v became %+v", err, r, again)
		}
		if one := Append(nil, r); !bytes.Equal(one, Append(nil, again)) {
			t.Error("one record has two forms")
		}
	})
}
