package inspect

import (
	"encoding/binary"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/larder-go/larder/internal/entry"
	"github.com/larder-go/larder/internal/lease"
)

func dur(d time.Duration) Duration { return Duration{d} }

func TestJudge(t *testing.T) {
	t.Parallel()
	gen := func(name string, s GenerationState, age time.Duration) Generation {
		return Generation{Name: name, State: s, Age: dur(age)}
	}
	live := gen("user", Current, time.Hour)
	by := func(g Generation) Generation { g.By = "web-1/7"; return g }
	over := by(gen("user", Ending, time.Minute))
	over.Over, over.Left = dur(time.Hour), dur(10*time.Minute)
	held := Lease{Held: true, Left: dur(4 * time.Second)}
	for _, tt := range []struct {
		name  string
		e     Entry
		state State
		want  string
	}{
		{"fresh", Entry{Kind: Value, FreshFor: dur(1), ServedFor: dur(1), Generation: &live}, Fresh, "served fresh"},
		{"fresh negative", Entry{Kind: Negative, FreshFor: dur(1), ServedFor: dur(1), Generation: &live}, Fresh, "served fresh as not found"},
		{"fresh, life unknown", Entry{Kind: Value, Life: UnknownLife, FreshFor: dur(1), ServedFor: dur(1), Generation: &live}, Fresh, "served fresh"},
		{"stale", Entry{Kind: Value, ServedFor: dur(1), Generation: &live}, Stale, "served stale while one loads: the next Get begins"},
		{"stale, loading", Entry{Kind: Value, ServedFor: dur(1), Generation: &live, Lease: held}, Stale, "served stale while one loads, 4 s left"},
		{"stale after a failure", Entry{Kind: Value, ServedFor: dur(1), Generation: &live, Lease: Lease{Paused: true, Left: dur(900 * time.Millisecond)}}, Stale, "served stale: the last load failed, the next may begin in 900 ms"},
		{"expired", Entry{Kind: Value, ExpiredFor: dur(3 * time.Second), Generation: &live}, Miss, "a miss: expired 3 s ago"},
		{"expired, loading", Entry{Kind: Value, ExpiredFor: dur(3 * time.Second), Generation: &live, Lease: held}, Miss, "a miss: expired 3 s ago; being loaded, 4 s left"},
		{"leased", Entry{Kind: Placeholder, Lease: held}, Miss, "a miss: being loaded, 4 s left"},
		{"lease ended", Entry{Kind: Placeholder}, Miss, "a miss: its load ended without a value"},
		{"another life", Entry{Kind: Value, Life: AnotherLife, FreshFor: dur(1), ServedFor: dur(1), Generation: &live}, Miss, "a miss: stored before its server was restarted or replaced"},
		{
			"tag overtaken",
			Entry{Kind: Value, FreshFor: dur(1), ServedFor: dur(1), Generation: &live, Tags: []Generation{gen("teams", Current, 0), by(gen("users", Overtaken, 3*time.Second))}},
			Miss, "a miss: tag users was invalidated 3 s ago by web-1/7",
		},
		{
			"tag made anew",
			Entry{Kind: Value, FreshFor: dur(1), ServedFor: dur(1), Generation: &live, Tags: []Generation{gen("users", Overtaken, 3*time.Second)}},
			Miss, "a miss: tag users was deleted, evicted or lost, and made anew 3 s ago",
		},
		{
			"made by who disturbs a terminal",
			Entry{Kind: Value, ServedFor: dur(1), Generation: &Generation{Name: "user", State: Overtaken, By: "\x1b[2J/7"}},
			Miss, `a miss: namespace user was invalidated 0 ms ago by "\x1b[2J/7"`,
		},
		{
			"being cleared",
			Entry{Kind: Value, FreshFor: dur(1), ServedFor: dur(1), Generation: &over},
			Fresh, "served fresh; namespace user is being cleared, this key in 10 m",
		},
		{
			"stale and being cleared",
			Entry{Kind: Value, ServedFor: dur(1), Generation: &over},
			Stale, "served stale while one loads: the next Get begins; namespace user is being cleared, this key in 10 m",
		},
		{
			"stale after a failure, or behind",
			Entry{Kind: Value, Revision: 7, ServedFor: dur(1), Generation: &live, Lease: Lease{Paused: true, Left: dur(time.Second)}},
			Stale, "served stale: the last load failed or brought a lower revision, the next may begin in 1 s",
		},
		{
			"load failed",
			Entry{Kind: Placeholder, Lease: Lease{Failed: true, Left: dur(time.Second)}},
			Miss, "a miss: its load failed, which those who waited for it are told for 1 s",
		},
		{
			"barrier of another life",
			Entry{Kind: Barrier, Life: AnotherLife, Writers: &Writers{Count: 1, Left: dur(9 * time.Second)}},
			Miss, "a miss: 1 WriteThrough is under way, 9 s left unless extended; a Get loads and does not store",
		},
		{
			"tombstone of another life",
			Entry{Kind: Tombstone, Life: AnotherLife, Revision: 7, RefusedFor: dur(time.Minute)},
			Miss, "a miss: invalidated below revision 7, lower ones are refused for 1 m",
		},

		{
			"tag missing",
			Entry{Kind: Value, ServedFor: dur(1), Generation: &live, Tags: []Generation{gen("a\x1b[2J", Missing, 0)}},
			Miss, `a miss: the generation of tag "a\x1b[2J" is missing: expired, evicted, or of an earlier life of its server`,
		},
		{
			"namespace overtaken, loading",
			Entry{Kind: Value, ServedFor: dur(1), Lease: held, Generation: &Generation{Name: "user", State: Overtaken, Age: dur(2 * time.Minute), By: "web-1/7"}},
			Miss, "a miss: namespace user was invalidated 2 m ago by web-1/7; being loaded, 4 s left",
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if state, verdict := judge(tt.e); state != tt.state || verdict != tt.want {
				t.Errorf("%s, %q; want %s, %q", state, verdict, tt.state, tt.want)
			}
		})
	}
}

func TestLease(t *testing.T) {
	t.Parallel()
	const now = 1_000_000
	for _, tt := range []struct {
		token uint64
		until int64
		want  Lease
	}{
		{0, now + 5000, Lease{}},
		{7, now + 5000, Lease{Held: true, Left: dur(5 * time.Second)}},
		{7, now, Lease{}},
		{7, now + 3_600_001, Lease{}}, // longer than any lease: not one of ours
		{7, -1, Lease{}},
		{noLoader, now + 1, Lease{Paused: true, Left: dur(time.Millisecond)}},
		{lease.FailedToken, now + 1, Lease{Failed: true, Left: dur(time.Millisecond)}},
		{lease.FailedToken, now, Lease{}},
	} {
		if got := leaseOf(now, entry.Header{Token: tt.token, LeaseUntil: tt.until}); got != tt.want {
			t.Errorf("token %d until %d: %+v, want %+v", tt.token, tt.until, got, tt.want)
		}
	}
}

// An entry without value is what stands now: what has ended does not count.
func TestDescribeEmpty(t *testing.T) {
	t.Parallel()
	const now = 1_000_000
	writers := func(until ...int64) (list []byte) {
		for i, u := range until {
			list = binary.BigEndian.AppendUint64(list, uint64(i+1))
			list = binary.BigEndian.AppendUint64(list, uint64(u))
		}
		return list
	}
	second := dur(time.Second)
	for _, tt := range []struct {
		name    string
		h       entry.Header
		payload []byte
		want    Entry
	}{
		{"a lease", entry.Header{Flags: entry.Placeholder}, nil, Entry{Kind: Placeholder}},
		{"a tombstone", entry.Header{Flags: entry.Placeholder, StaleUntil: now + 1000}, nil, Entry{Kind: Tombstone, RefusedFor: second}},
		{"a tombstone that has ended", entry.Header{Flags: entry.Placeholder, StaleUntil: now}, nil, Entry{Kind: Placeholder}},
		{
			"a barrier",
			entry.Header{Flags: entry.Placeholder | entry.Barrier, LeaseUntil: now + 1000},
			writers(now + 1000),
			Entry{Kind: Barrier, Writers: &Writers{Count: 1, Left: second}},
		},
		{
			"a contended barrier",
			entry.Header{Flags: entry.Placeholder | entry.Barrier, LeaseUntil: now + 1000, Cost: 1},
			writers(now+1000, now+500),
			Entry{Kind: Barrier, Writers: &Writers{Count: 2, Contended: true, Left: second}},
		},
		{
			"a barrier one of whose writers has died",
			entry.Header{Flags: entry.Placeholder | entry.Barrier, LeaseUntil: now + 1000},
			writers(now, now+1000),
			Entry{Kind: Barrier, Writers: &Writers{Count: 1, Contended: true, Left: second}},
		},
		{
			"a barrier of a clock that was ahead",
			entry.Header{Flags: entry.Placeholder | entry.Barrier, LeaseUntil: now + 3_600_001},
			writers(now + 3_600_001),
			Entry{Kind: Placeholder},
		},
		{
			"a barrier one of whose writers has a clock that was ahead",
			entry.Header{Flags: entry.Placeholder | entry.Barrier, LeaseUntil: now + 1000},
			writers(now+1000, now+3_600_001),
			Entry{Kind: Barrier, Writers: &Writers{Count: 1, Contended: true, Left: second}},
		},
		{
			"a barrier that has ended over a tombstone",
			entry.Header{Flags: entry.Placeholder | entry.Barrier, LeaseUntil: now, StaleUntil: now + 1000},
			writers(now),
			Entry{Kind: Tombstone, RefusedFor: second},
		},
		{
			"a barrier over a tombstone, cut short",
			entry.Header{Flags: entry.Placeholder | entry.Barrier, LeaseUntil: now + 1000, StaleUntil: now + 1000},
			[]byte("short"),
			Entry{Kind: Barrier, RefusedFor: second, Writers: &Writers{Left: second}},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			raw := string(append(entry.Append(nil, tt.h, nil, ""), tt.payload...))
			e, err := entry.Parse(raw)
			if err != nil {
				t.Fatal(err)
			}
			d := describe(stored{now: now, size: int64(len(raw)), raw: raw}, e)
			got := Entry{Kind: d.Kind, PayloadBytes: d.PayloadBytes, RefusedFor: d.RefusedFor, Writers: d.Writers, Lease: d.Lease}
			if !reflect.DeepEqual(got, tt.want) {
				t.Errorf("%+v, writers %+v; want %+v, %+v", got, got.Writers, tt.want, tt.want.Writers)
			}
		})
	}
}

func TestSpan(t *testing.T) {
	t.Parallel()
	for d, want := range map[time.Duration]string{
		0:                             "0 ms",
		1234 * time.Microsecond:       "1.23 ms",
		250 * time.Millisecond:        "250 ms",
		999_900 * time.Microsecond:    "1 s",
		59*time.Second + 600e6:        "1 m",
		125 * time.Second:             "2 m 5 s",
		3*time.Hour + 2*time.Minute:   "3 h 2 m",
		47 * time.Hour:                "47 h",
		5*24*time.Hour + 3*time.Hour:  "5 d 3 h",
		10 * 365 * 24 * time.Hour:     "3650 d",
		time.Duration(1<<63 - 1):      "106751 d 23 h",
		48*time.Hour + 30*time.Minute: "2 d",
		time.Hour + 29*time.Second:    "1 h",
		9999 * time.Microsecond:       "10 ms",
	} {
		if got := span(dur(d)); got != want {
			t.Errorf("%v: %q, want %q", d, got, want)
		}
	}
}

func TestMillisSaturates(t *testing.T) {
	t.Parallel()
	for n, want := range map[int64]time.Duration{-5: 0, 7: 7 * time.Millisecond, 1<<63 - 1: time.Duration(1<<63 - 1).Truncate(time.Millisecond)} {
		if got := millis(n); got.Duration != want {
			t.Errorf("%d: %v, want %v", n, got, want)
		}
	}
}

func TestCheckNames(t *testing.T) {
	t.Parallel()
	for _, ns := range []string{"", "~tag", "a b", "a:b", "a\n", "\xff", strings.Repeat("n", 101)} {
		if err := CheckNamespace(ns); !IsName(err) {
			t.Errorf("%q is allowed", ns)
		}
	}
	if ns, key, err := Split("user:a:b"); ns != "user" || key != "a:b" || err != nil {
		t.Error(ns, key, err)
	}
	for _, rk := range []string{"user", ":42", "~tag:users"} {
		if _, _, err := Split(rk); !IsName(err) {
			t.Errorf("%q is allowed", rk)
		}
	}
}
