package torture

import (
	"errors"
	"strings"
	"testing"
	"time"
)

// A story is a history made by hand, in milliseconds from its beginning.
type story struct {
	t *testing.T
	c *checker
	// zero is its beginning, long enough ago that all of it is judged.
	zero int64
	ids  uint64
}

func tell(t *testing.T) *story {
	t.Helper()
	return &story{t: t, c: newChecker(limits{others: time.Second, settle: time.Second}), zero: now() - int64(time.Hour)}
}

func (s *story) at(ms float64) int64 { return s.zero + int64(ms*1e6) }

// write is a write of a key that has made a version, and returned at end.
func (s *story) write(proc int, kind Kind, begin, end float64, version int64, outcome Outcome) {
	s.begin(proc, kind, begin)
	s.c.hear(batch{Ops: []Op{{
		ID: s.ids, Proc: proc, Kind: kind, Keys: []int{0}, Values: []int64{version}, Begin: s.at(begin), End: s.at(end), Outcome: outcome,
	}}})
}

// begin is a write that does not end.
func (s *story) begin(proc int, kind Kind, at float64) {
	s.ids++
	s.c.begun(intent{ID: s.ids, Proc: proc, Kind: kind, Keys: []int{0}, Begun: s.at(at)})
}

// read is a Get of that key.
func (s *story) read(proc int, begin, end float64, version int64) {
	s.ids++
	s.c.hear(batch{Ops: []Op{{
		ID: s.ids, Proc: proc, Kind: Get, Keys: []int{0}, Values: []int64{version}, Loads: []uint64{77}, Begin: s.at(begin), End: s.at(end),
	}}})
}

func (s *story) load(l Load, begin, end float64) {
	s.ids++
	l.ID, l.Begin, l.End = s.ids, s.at(begin), s.at(end)
	s.c.hear(batch{Loads: []Load{l}})
}

func (s *story) stall(proc int, begin, end float64) {
	s.c.hear(batch{Stalls: []Stall{{proc, s.at(begin), s.at(end)}}})
}

// fault is one that befell a process, or all.
func (s *story) fault(begin, end float64, procs ...int) {
	s.c.faults = append(s.c.faults, window{name: "a fault", procs: procs, from: s.at(begin), to: s.at(end)})
}

// wants are the promises that are found broken, "" for none.
func (s *story) wants(promises string) {
	s.t.Helper()
	s.c.judge(true)
	r := Report{Seconds: 1}
	r.fill(s.c)
	var broken []string
	for _, f := range r.Findings {
		broken = append(broken, f.Promise)
	}
	if got := strings.Join(broken, " "); got != promises || r.Violations != len(broken) {
		s.t.Errorf("broken: %q (%d), want %q\n%+v", got, r.Violations, promises, r.Findings)
	}
}

func TestStaleReads(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		story  func(s *story)
		broken string
	}{
		"the process itself, after the invalidation": {func(s *story) {
			s.write(1, Invalidate, 0, 10, 5, OK)
			s.read(1, 11, 12, 4)
		}, "P1"},
		"the process itself, the new version": {func(s *story) {
			s.write(1, Invalidate, 0, 10, 5, OK)
			s.read(1, 11, 12, 5)
			s.read(1, 12, 13, 6)
		}, ""},
		"a read that began before the invalidation returned": {func(s *story) {
			s.write(1, Invalidate, 0, 10, 5, OK)
			s.read(1, 9, 100, 4)
		}, ""},
		"another process within the bound": {func(s *story) {
			s.write(1, Set, 0, 10, 5, OK)
			s.read(2, 1000, 1001, 4)
		}, ""},
		"another process beyond the bound": {func(s *story) {
			s.write(1, Set, 0, 10, 5, OK)
			s.read(2, 1120, 1121, 4)
		}, "P1"},
		"another process beyond the bound, which was not run meanwhile": {func(s *story) {
			s.write(1, Set, 0, 10, 5, OK)
			s.stall(2, 500, 600)
			s.read(2, 1200, 1201, 4)
		}, ""},
		"an older version that is behind two": {func(s *story) {
			s.write(1, Set, 0, 10, 5, OK)
			s.write(1, Set, 1000, 1010, 6, OK)
			s.read(2, 1120, 1121, 4) // behind the first for too long, not behind the second
			s.read(2, 1120, 1121, 5)
		}, "P1"},
		"floors that were heard of in another order": {func(s *story) {
			s.write(2, Set, 20, 30, 6, OK)
			s.write(1, Set, 0, 10, 5, OK)
			s.read(3, 1120, 1121, 4)
		}, "P1"},
		"a pending invalidation binds its process": {func(s *story) {
			s.write(1, Invalidate, 0, 10, 5, Pending)
			s.read(1, 11, 12, 4)
		}, "P5"},
		"a pending invalidation does not bind others": {func(s *story) {
			s.write(1, Invalidate, 0, 10, 5, Pending)
			s.read(2, 9000, 9001, 4)
		}, ""},
		"one that was delivered binds them": {func(s *story) {
			s.write(1, Invalidate, 0, 10, 5, Pending)
			s.c.hear(batch{Delivered: []Delivered{{Proc: 1, At: s.at(500)}}})
			s.read(2, 1400, 1401, 4)
			s.read(2, 1700, 1701, 4)
		}, "P5"},
		"another space's delivery does not": {func(s *story) {
			s.write(1, Invalidate, 0, 10, 5, Pending)
			s.c.hear(batch{Delivered: []Delivered{{Proc: 1, Space: 3, At: s.at(500)}, {Proc: 2, At: s.at(500)}, {Proc: 1, At: s.at(5)}}})
			s.read(2, 1700, 1701, 4)
		}, ""},
		"what a dead process had pending is lost": {func(s *story) {
			s.write(1, Invalidate, 0, 10, 5, Pending)
			s.c.died(1)
			s.c.hear(batch{Delivered: []Delivered{{Proc: 1, At: s.at(500)}}})
			s.read(2, 1700, 1701, 4)
		}, ""},
		"a write that failed before it has written": {func(s *story) {
			s.write(1, WriteThrough, 0, 10, 5, Failed)
			s.read(1, 11, 12, 4)
		}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := tell(t)
			tt.story(s)
			s.wants(tt.broken)
		})
	}
}

// Long histories are thinned out, and lose nothing that matters.
func TestFloorsAreBounded(t *testing.T) {
	t.Parallel()
	s := tell(t)
	for i := range 3 * maxFloors {
		s.write(1, Invalidate, float64(i), float64(i), int64(i), OK)
	}
	if n := len(s.c.keys[0].others); n > maxFloors {
		t.Errorf("%d floors", n)
	}
	s.read(1, 3*maxFloors, 3*maxFloors+1, 3*maxFloors-2)
	s.wants("P1")
}

func TestLoadsTogether(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		story  func(s *story)
		broken string
	}{
		"two processes at the same time": {func(s *story) {
			s.load(Load{Proc: 1}, 0, 100)
			s.load(Load{Proc: 2}, 50, 150)
		}, "P3"},
		"one inside the other, heard of later": {func(s *story) {
			s.load(Load{Proc: 2}, 50, 60)
			s.load(Load{Proc: 1}, 0, 100)
		}, "P3"},
		"one after the other": {func(s *story) {
			s.load(Load{Proc: 1}, 0, 100)
			s.load(Load{Proc: 2}, 99, 150)
		}, ""},
		"of two keys": {func(s *story) {
			s.load(Load{Proc: 1}, 0, 100)
			s.load(Load{Proc: 2, Key: 1}, 50, 150)
		}, ""},
		"under a fault": {func(s *story) {
			s.fault(-500, 20, 2)
			s.load(Load{Proc: 1}, 0, 100)
			s.load(Load{Proc: 2}, 50, 150)
		}, ""},
		"shortly after a fault of all": {func(s *story) {
			s.fault(-2000, -1500)
			s.load(Load{Proc: 1}, 0, 100)
			s.load(Load{Proc: 2}, 50, 150)
		}, ""},
		"under a fault of another process": {func(s *story) {
			s.fault(-500, 20, 3)
			s.load(Load{Proc: 1}, 0, 100)
			s.load(Load{Proc: 2}, 50, 150)
		}, "P3"},
		"a while after a fault": {func(s *story) {
			s.fault(-9000, -3000)
			s.load(Load{Proc: 1}, 0, 100)
			s.load(Load{Proc: 2}, 50, 150)
		}, "P3"},
		"where Redis did not answer": {func(s *story) {
			s.load(Load{Proc: 1}, 0, 100)
			s.load(Load{Proc: 2, Cut: true}, 50, 150)
		}, ""},
		"after an invalidation": {func(s *story) {
			s.load(Load{Proc: 1}, 0, 100)
			s.write(3, Invalidate, 20, 30, 5, OK)
			s.load(Load{Proc: 2}, 50, 150)
		}, ""},
		"under a barrier": {func(s *story) {
			s.begin(3, WriteThrough, -500)
			s.load(Load{Proc: 1}, 0, 100)
			s.load(Load{Proc: 2}, 50, 150)
		}, ""},
		"after an invalidation that was long ago": {func(s *story) {
			s.write(3, Invalidate, -500, -490, 5, OK)
			s.load(Load{Proc: 1}, 0, 100)
			s.load(Load{Proc: 2}, 50, 150)
		}, "P3"},
		"under a barrier that could not be lifted": {func(s *story) {
			s.write(3, WriteThrough, -500, -490, 5, Pending)
			s.load(Load{Proc: 1}, 0, 100)
			s.load(Load{Proc: 2}, 50, 150)
		}, ""},
		"where one could not renew its lease": {func(s *story) {
			s.load(Load{Proc: 1}, 0, 3000)
			s.stall(1, 1000, 1900)
			s.load(Load{Proc: 2}, 1950, 1960)
		}, ""},
		"twice in one process, whatever the fault": {func(s *story) {
			s.fault(-500, 20)
			s.load(Load{Proc: 1, Twice: true}, 0, 100)
		}, "P3"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := tell(t)
			tt.story(s)
			s.wants(tt.broken)
		})
	}
}

func TestCallsThatTakeTooLong(t *testing.T) {
	t.Parallel()
	s := tell(t)
	s.write(1, Invalidate, 0, 700, 5, OK)
	s.read(1, 0, 5000, 5)
	s.wants("")

	s = tell(t)
	s.write(1, Invalidate, 0, 800, 5, OK)
	s.wants("P4")

	s = tell(t)
	s.stall(1, 100, 200)
	s.write(1, Invalidate, 0, 800, 5, OK)
	s.wants("")

	s = tell(t)
	s.read(1, 0, 6000, 5)
	s.wants("P4")

	s = tell(t) // behind a slow source
	s.c.hear(batch{Ops: []Op{{Kind: WriteThrough, Begin: s.at(0), End: s.at(3000), Inner: 2800 * time.Millisecond}}})
	s.wants("")
}

func TestFailuresWithoutReason(t *testing.T) {
	t.Parallel()
	s := tell(t)
	s.c.hear(batch{Ops: []Op{{Kind: Get, Begin: s.at(0), End: s.at(1), Outcome: Unexpected, Text: "strange"}}})
	s.wants("P4")

	s = tell(t)
	s.c.diedUnasked(1, errors.New("exit status 2: panic"))
	s.wants("P4")

	s = tell(t)
	s.c.hung(1)
	s.wants("P4")

	s = tell(t)
	s.c.undelivered(1, 3)
	s.wants("P5")

	s = tell(t)
	s.c.everlasting("torture-x:1")
	s.wants("P7")
}

func TestWhatIsNotBounded(t *testing.T) {
	t.Parallel()
	s := tell(t)
	s.c.hear(batch{Samples: []Sample{{Proc: 1, Goroutines: 100, Heap: 1 << 20, L1Bytes: maxL1, Pending: 10}}})
	s.c.left(1, maxLeft)
	s.wants("")
	for _, sample := range []Sample{
		{Proc: 1, Goroutines: maxGoroutines + 1},
		{Proc: 1, Heap: maxHeap + 1},
		{Proc: 1, L1Bytes: maxL1Bytes + 1},
		{Proc: 1, Pending: maxPending + 1},
	} {
		s := tell(t)
		s.c.hear(batch{Samples: []Sample{sample}})
		s.wants("P6")
	}
	s = tell(t)
	s.c.left(1, maxLeft+1)
	s.wants("P6")
}

// The history of a violation has what led to it, in order, and the shortest is kept.
func TestHistory(t *testing.T) {
	t.Parallel()
	s := tell(t)
	for i := range 5 { // each longer than the one before
		at := float64(10000 * i)
		s.load(Load{Proc: 1, Version: int64(i)}, at-float64(10*(i+1)), at+5)
		brought := s.ids
		s.write(1, Invalidate, at, at+10, int64(i+1), OK)
		s.ids++
		s.c.hear(batch{Ops: []Op{{
			ID: s.ids, Proc: 1, Kind: Get, Keys: []int{0}, Values: []int64{int64(i)}, Loads: []uint64{brought}, Begin: s.at(at + 20), End: s.at(at + 21),
		}}})
	}
	s.fault(-3, 5, 1)
	s.c.judge(true)
	r := Report{Seconds: 1}
	r.fill(s.c)
	if r.Violations != 5 || len(r.Findings) != keepEach || r.ByPromise["P1"] != 5 {
		t.Fatalf("%d violations, %d kept", r.Violations, len(r.Findings))
	}
	f := r.Findings[0]
	if len(f.History) != 4 {
		t.Fatalf("history:\n%s", strings.Join(f.History, "\n"))
	}
	for i, want := range []string{"load 1 of version 0", "fault: a fault", "process 1: Invalidate", "process 1: Get = 0"} {
		if !strings.Contains(f.History[i], want) {
			t.Errorf("line %d is %q, want %q in it", i, f.History[i], want)
		}
	}
	var b strings.Builder
	if err := r.WriteTable(&b); err != nil || !strings.Contains(b.String(), "P1 VIOLATED plain/0") {
		t.Errorf("%v\n%s", err, b.String())
	}
	if r.Err() == nil {
		t.Error("no error")
	}
}

func TestRecovery(t *testing.T) {
	t.Parallel()
	s := tell(t)
	sample := func(at float64, reached uint64) {
		s.c.hear(batch{Samples: []Sample{{Proc: 1, At: s.at(at), Reached: reached}}})
	}
	sample(0, 5)
	s.c.samples[1].since, s.c.samples[1].fault = s.at(10), "a fault"
	sample(20, 5)
	sample(250, 6)
	sample(900, 9)
	r := Report{Seconds: 1}
	r.fill(s.c)
	if r.Recovery != 240 || r.RecoveryAfter != "a fault" {
		t.Errorf("%v ms after %q", r.Recovery, r.RecoveryAfter)
	}
}
