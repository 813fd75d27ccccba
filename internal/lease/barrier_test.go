package lease_test

import (
	"context"
	"testing"
	"time"

	"github.com/larder-go/larder/conn"
	"github.com/larder-go/larder/internal/entry"
	"github.com/larder-go/larder/internal/lease"
)

const barFor = 4 * time.Second

// bar puts up a barrier, or joins it.
func bar(t *testing.T, c conn.Conn, token uint64) {
	t.Helper()
	if now, err := lease.Bar(t.Context(), c, key, token, barFor); err != nil || now == 0 {
		t.Fatal(now, err)
	}
}

// lift ends a part in a barrier with a value, unless text is empty.
func lift(t *testing.T, c conn.Conn, token uint64, text string) bool {
	t.Helper()
	v := lease.Value{Key: key, Token: token, LoadedAt: 1234, TTL: ttl, Stale: stale}
	if text != "" {
		v.Raw = payload(9, text)
	}
	stored, err := lease.Lift(t.Context(), c, v)
	if err != nil {
		t.Fatal(err)
	}
	return stored
}

func invalidate(t *testing.T, c conn.Conn) bool {
	t.Helper()
	was, errs := lease.Invalidate(t.Context(), c, key)
	if errs[0] != nil {
		t.Fatal(errs[0])
	}
	return was[0]
}

func exists(t *testing.T, c conn.Conn) bool {
	t.Helper()
	v, err := c.Do(t.Context(), conn.Key("EXISTS", key))
	if err != nil {
		t.Fatal(err)
	}
	return v.Int == 1
}

func TestBarrierKeepsLoadsOut(t *testing.T) {
	onEach(t, func(t *testing.T, c conn.Conn) {
		del(t, c)
		acquire(t, c, 1, "", lease.Load)
		bar(t, c, 10)
		if fill(t, c, 1, payload(7, "old"), ttl, stale) {
			t.Error("the load that the barrier met was stored")
		}
		for _, mode := range []lease.Mode{lease.Load, lease.Wait} {
			if a := acquire(t, c, 2, "", mode); a.State != lease.Barred || a.Raw != "" || !about(a.Left, barFor) {
				t.Errorf("%s behind a barrier: %+v", mode, a)
			}
		}
		if fill(t, c, 2, payload(7, "old"), ttl, stale) {
			t.Error("a load behind the barrier was stored")
		}
		if e, left := stored(t, c); e.Flags != entry.Placeholder|entry.Barrier || !about(left, barFor) {
			t.Errorf("barrier %+v for %v", e.Header, left)
		}
		if !lift(t, c, 10, "new") {
			t.Error("the value of a writer that was alone was not stored")
		}
		if e, left := stored(t, c); string(e.Payload) != "new" || e.LoadedAt != 1234 || !about(left, ttl+stale) {
			t.Errorf("stored %+v %q for %v", e.Header, e.Payload, left)
		}
	})
}

func TestLastWriterStoresOnlyIfItWasAlone(t *testing.T) {
	onEach(t, func(t *testing.T, c conn.Conn) {
		for name, between := range map[string]func(){
			"another writer, gone first": func() { bar(t, c, 11); lift(t, c, 11, "other") },
			"an invalidation":            func() { invalidate(t, c) },
			"a Set":                      func() { acquire(t, c, 12, "", lease.Set) },
			"the barrier lost":           func() { del(t, c) },
			"the barrier lost, and a load": func() {
				del(t, c)
				acquire(t, c, 13, "", lease.Load)
				fill(t, c, 13, payload(7, "old"), ttl, stale)
			},
			"a tombstone": func() {
				if err := lease.Entomb(t.Context(), c, key, 0, time.Millisecond); err != nil {
					t.Fatal(err)
				}
			},
		} {
			del(t, c)
			bar(t, c, 10)
			between()
			if lift(t, c, 10, "mine") {
				t.Errorf("%s: the value was stored", name)
			}
			if name != "a tombstone" && exists(t, c) {
				t.Errorf("%s: something is left", name)
			}
		}
		del(t, c)
		bar(t, c, 10)
		bar(t, c, 11)
		if lift(t, c, 10, "first") {
			t.Error("a value was stored while another writer was there")
		}
		if a := acquire(t, c, 2, "", lease.Load); a.State != lease.Barred {
			t.Errorf("the barrier fell with its first writer: %+v", a)
		}
		if lift(t, c, 11, "second") || exists(t, c) {
			t.Error("the last of two writers stored its value")
		}
	})
}

func TestBarrierIsExtendedOnlyWhileItStands(t *testing.T) {
	onEach(t, func(t *testing.T, c conn.Conn) {
		del(t, c)
		bar(t, c, 10)
		for _, want := range []bool{true, false} {
			if stood, err := lease.Rebar(t.Context(), c, key, 10, time.Minute); stood != want || err != nil {
				t.Errorf("extended: %v, %v, want %v", stood, err, want)
			}
			if want {
				if _, left := stored(t, c); !about(left, time.Minute) {
					t.Errorf("extended to %v", left)
				}
			}
			del(t, c)
		}
	})
}

func TestBarrierOfManyWritersIsBounded(t *testing.T) {
	onEach(t, func(t *testing.T, c conn.Conn) {
		del(t, c)
		const n = 200
		for token := range uint64(n) {
			// None may end while a loaded machine makes the others.
			if now, err := lease.Bar(t.Context(), c, key, token+1, time.Minute); err != nil || now == 0 {
				t.Fatal(now, err)
			}
		}
		if e, _ := stored(t, c); len(e.Payload) != 64*16 {
			t.Errorf("%d bytes of writers", len(e.Payload))
		}
		if stood, err := lease.Rebar(t.Context(), c, key, n, time.Hour); !stood || err != nil {
			t.Errorf("a writer without a place of its own: %v, %v", stood, err)
		}
		for token := range uint64(n) {
			if lift(t, c, token+1, "x") {
				t.Fatal("stored among many writers")
			}
		}
		if _, left := stored(t, c); left > time.Hour || left < time.Hour/2 {
			t.Errorf("those without a place are waited for %v", left)
		}
	})
}

func TestWriterThatDiedLeavesNoValue(t *testing.T) {
	onEach(t, func(t *testing.T, c conn.Conn) {
		del(t, c)
		if _, err := lease.Bar(t.Context(), c, key, 10, time.Millisecond); err != nil {
			t.Fatal(err)
		}
		until(t, func() bool { return !exists(t, c) })
		if a := acquire(t, c, 2, "", lease.Load); a.State != lease.Granted {
			t.Errorf("after the barrier's end: %+v", a)
		}
		// One that died beside a writer that goes on.
		del(t, c)
		bar(t, c, 10)
		if _, err := lease.Bar(t.Context(), c, key, 11, time.Millisecond); err != nil {
			t.Fatal(err)
		}
		if lift(t, c, 10, "mine") {
			t.Error("stored although the other writer may have written later")
		}
	})
}

func TestTombstoneRefusesLowerRevisions(t *testing.T) {
	revised := func(revision uint64, flags byte) []byte {
		return entry.Append(nil, entry.Header{ID: 7, Revision: revision, Flags: flags}, nil, "")
	}
	load := func(t *testing.T, c conn.Conn, raw []byte) lease.Filled {
		t.Helper()
		acquire(t, c, 1, "", lease.Load)
		got, err := lease.Fill(t.Context(), c, lease.Value{Key: key, Token: 1, Raw: raw, TTL: ttl, Stale: stale})
		if err != nil {
			t.Fatal(err)
		}
		return got
	}
	onEach(t, func(t *testing.T, c conn.Conn) {
		entomb := func(revision uint64) {
			if err := lease.Entomb(t.Context(), c, key, revision, time.Minute); err != nil {
				t.Fatal(err)
			}
		}
		del(t, c)
		acquire(t, c, 5, "", lease.Load)
		entomb(1<<63 + 7)
		if fill(t, c, 5, payload(7, "old"), ttl, stale) {
			t.Error("a load from before the tombstone was stored")
		}
		for range 2 { // the tombstone outlives refused loads and plain invalidations
			if got := load(t, c, revised(1<<63+6, 0)); got != lease.Behind {
				t.Errorf("a lower revision: %v", got)
			}
			if got := load(t, c, revised(0, entry.Negative)); got != lease.Behind {
				t.Errorf("a missing value under a tombstone: %v", got)
			}
			invalidate(t, c)
			if e, left := stored(t, c); e.Flags != entry.Placeholder || e.Revision != 1<<63+7 || e.Token != 0 || !about(left, time.Minute) {
				t.Errorf("tombstone %+v for %v", e.Header, left)
			}
		}
		if ok, err := lease.Release(t.Context(), c, key, 1, lease.Ending{}); ok || err != nil {
			t.Error(ok, err)
		}
		if got := load(t, c, revised(1<<63+7, 0)); got != lease.Stored {
			t.Errorf("the same revision: %v", got)
		}
		set := lease.Request{Key: key, Token: 3, Lease: leaseFor, Mode: lease.Set, Revision: 5}
		if a, err := lease.Acquire(t.Context(), c, set); err != nil || a.State != lease.Newer {
			t.Errorf("a Set of a lower revision: %+v, %v", a, err)
		}
		entomb(6) // lower than what stands
		if a := acquire(t, c, 4, "", lease.Load); a.State != lease.Fresh {
			t.Errorf("a tombstone of a lower revision: %+v", a)
		}
		set.Revision = 1<<63 + 8
		if a, err := lease.Acquire(t.Context(), c, set); err != nil || a.State != lease.Granted {
			t.Errorf("a Set of a higher revision: %+v, %v", a, err)
		}
		entomb(1<<63 + 9)
		bar(t, c, 10)
		if lift(t, c, 10, "unrevised") {
			t.Error("a writer stored a lower revision")
		}
		if e, left := stored(t, c); e.Revision != 1<<63+9 || !about(left, time.Minute) {
			t.Errorf("the tombstone behind the barrier: %+v for %v", e.Header, left)
		}
	})
}

func TestMissingValueReplacesAnyRevision(t *testing.T) {
	onEach(t, func(t *testing.T, c conn.Conn) {
		del(t, c)
		acquire(t, c, 1, "", lease.Load)
		fill(t, c, 1, entry.Append(nil, entry.Header{ID: 7, Revision: 9}, nil, ""), time.Millisecond, stale)
		until(t, func() bool { return acquire(t, c, 2, "", lease.Load).State == lease.Granted })
		if !fill(t, c, 2, entry.Append(nil, entry.Header{ID: 8, Flags: entry.Negative}, nil, ""), ttl, 0) {
			t.Error("the value was not replaced")
		}
	})
}

func TestSourceThatIsBehindIsNotAskedAtOnce(t *testing.T) {
	onEach(t, func(t *testing.T, c conn.Conn) {
		del(t, c)
		acquire(t, c, 1, "", lease.Load)
		fill(t, c, 1, entry.Append(nil, entry.Header{ID: 7, Revision: 9}, nil, ""), time.Millisecond, stale)
		until(t, func() bool { return acquire(t, c, 2, "", lease.Load).State == lease.Granted })
		if fill(t, c, 2, entry.Append(nil, entry.Header{ID: 8, Revision: 8}, nil, ""), ttl, stale) {
			t.Error("a lower revision replaced a higher one")
		}
		if a := acquire(t, c, 3, "", lease.Load); a.State != lease.Held || a.Raw == "" {
			t.Errorf("right after: %+v", a)
		}
	})
}

func TestAheadIsGrantedForTheValueThatWasSeen(t *testing.T) {
	onEach(t, func(t *testing.T, c conn.Conn) {
		del(t, c)
		acquire(t, c, 1, "", lease.Load)
		fill(t, c, 1, payload(7, "first"), ttl, stale)
		e, _ := stored(t, c)
		ahead := func(token uint64) lease.Acquired {
			t.Helper()
			a, err := lease.Acquire(t.Context(), c, lease.Request{Key: key, Token: token, Lease: leaseFor, Mode: lease.Ahead, FreshUntil: e.FreshUntil})
			if err != nil {
				t.Fatal(err)
			}
			return a
		}
		if a := ahead(2); a.State != lease.Granted || a.Raw == "" {
			t.Fatalf("ahead: %+v", a)
		}
		if a := ahead(3); a.State != lease.Held {
			t.Errorf("a second one: %+v", a)
		}
		if a := acquire(t, c, 3, "", lease.Load); a.State != lease.Fresh {
			t.Errorf("meanwhile: %+v", a)
		}
		if !fill(t, c, 2, payload(8, "second"), 2*ttl, stale) {
			t.Error("the fill was refused")
		}
		if a := ahead(4); a.State != lease.Fresh {
			t.Errorf("one that comes late: %+v", a)
		}
	})
}

func TestThoseWhoWaitedHearOfTheFailure(t *testing.T) {
	onEach(t, func(t *testing.T, c conn.Conn) {
		del(t, c)
		acquire(t, c, 1, "", lease.Load)
		if ok, err := lease.Release(t.Context(), c, key, 1, lease.Ending{Failed: time.Second}); !ok || err != nil {
			t.Fatal(ok, err)
		}
		if e, _ := stored(t, c); e.Token != lease.FailedToken {
			t.Errorf("%+v", e.Header)
		}
		if a := acquire(t, c, 2, "", lease.Wait); a.State != lease.Failed {
			t.Errorf("one who waited: %+v", a)
		}
		if a := acquire(t, c, 3, "", lease.Load); a.State != lease.Granted {
			t.Errorf("one who comes now: %+v", a)
		}
		if a := acquire(t, c, 2, "", lease.Wait); a.State != lease.Held {
			t.Errorf("one who waits for the next: %+v", a)
		}
	})
}

func TestInvalidateDropsWhateverIsThere(t *testing.T) {
	onEach(t, func(t *testing.T, c conn.Conn) {
		del(t, c)
		if invalidate(t, c) {
			t.Error("dropped nothing")
		}
		if _, err := c.Do(t.Context(), conn.Key("HSET", key, "f", "v")); err != nil {
			t.Fatal(err)
		}
		if !invalidate(t, c) || exists(t, c) {
			t.Error("a foreign hash is still there")
		}
	})
}

func until(t *testing.T, ok func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for !ok() {
		select {
		case <-tick.C:
		case <-ctx.Done():
			t.Fatal("not in time")
		}
	}
}
