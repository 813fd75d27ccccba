package lease_test

import (
	"encoding/binary"
	"testing"
	"time"

	"github.com/larder-go/larder/conn"
	"github.com/larder-go/larder/internal/entry"
	"github.com/larder-go/larder/internal/lease"
)

// barrierUntil puts a barrier there whose only writer has died, and which ends then.
func barrierUntil(t *testing.T, c conn.Conn, until uint64) {
	t.Helper()
	raw := entry.Append(nil, entry.Header{Flags: entry.Placeholder | entry.Barrier, LeaseUntil: int64(until)}, nil, "")
	raw = binary.BigEndian.AppendUint64(raw, 7)
	raw = binary.BigEndian.AppendUint64(raw, until)
	if _, err := c.Do(t.Context(), conn.Key("SET", key, string(raw), "PX", "86400000")); err != nil {
		t.Fatal(err)
	}
}

// No lease and no barrier is longer than an hour. One that seems to be is from before
// the server's clock was set back, or not ours.
func TestBarrierOfAnotherClockDoesNotStand(t *testing.T) {
	onEach(t, func(t *testing.T, c conn.Conn) {
		for name, until := range map[string]uint64{
			"a day ahead": uint64(time.Now().Add(24 * time.Hour).UnixMilli()),
			"all ones":    1<<64 - 1,
		} {
			barrierUntil(t, c, until)
			if a := acquire(t, c, 1, "", lease.Load); a.State != lease.Granted {
				t.Errorf("%s: a load is answered %+v", name, a)
			}
			barrierUntil(t, c, until)
			if _, err := lease.Bar(t.Context(), c, key, 10, barFor); err != nil {
				t.Errorf("%s: a writer cannot put up its barrier: %v", name, err)
			}
			if _, err := lease.Lift(t.Context(), c, lease.Value{Key: key, Token: 10}); err != nil {
				t.Errorf("%s: a writer cannot lift its barrier: %v", name, err)
			}
			if _, left := stored2(t, c); left > time.Hour {
				t.Errorf("%s: after a writer came and went it still stands for %v", name, left)
			}
		}
	})
}

// stored2 is stored where there may be nothing.
func stored2(t *testing.T, c conn.Conn) (e entry.Entry, left time.Duration) {
	t.Helper()
	if !exists(t, c) {
		return e, 0
	}
	return stored(t, c)
}

// What a program with a bug, or an attacker, has put there.
func TestBarrierWithTooManyWritersIsReplaced(t *testing.T) {
	onEach(t, func(t *testing.T, c conn.Conn) {
		until := uint64(time.Now().Add(time.Minute).UnixMilli())
		raw := entry.Append(nil, entry.Header{Flags: entry.Placeholder | entry.Barrier, LeaseUntil: int64(until)}, nil, "")
		for token := range uint64(65) {
			raw = binary.BigEndian.AppendUint64(raw, token+1)
			raw = binary.BigEndian.AppendUint64(raw, until)
		}
		if _, err := c.Do(t.Context(), conn.Key("SET", key, string(raw), "PX", "60000")); err != nil {
			t.Fatal(err)
		}
		if _, err := lease.Bar(t.Context(), c, key, 1000, barFor); err != nil {
			t.Errorf("a writer cannot put up its barrier: %v", err)
		}
	})
}

// Bytes of whatever kind do not make a script fail.
func TestScriptsSurviveForeignBytes(t *testing.T) {
	onEach(t, func(t *testing.T, c conn.Conn) {
		head := func(h entry.Header) string { return string(entry.Append(nil, h, nil, "")) }
		for name, raw := range map[string]string{
			"one byte":                 "L",
			"a header cut short":       head(entry.Header{})[:89],
			"no header but its size":   string(make([]byte, entry.Size)),
			"all ones":                 "L\x01" + string(make([]byte, 88)),
			"barrier, no list":         head(entry.Header{Flags: 12, LeaseUntil: 1 << 52}),
			"barrier, odd list":        head(entry.Header{Flags: 12, LeaseUntil: 1 << 52}) + "odd",
			"barrier, not placeholder": head(entry.Header{Flags: 8, LeaseUntil: 1 << 52}),
			"many tags":                head(entry.Header{})[:88] + "\xff\xff" + string(make([]byte, 1000)),
			"tombstone for ever":       head(entry.Header{Flags: 4, StaleUntil: 1<<53 - 1}),
			"lease for ever":           head(entry.Header{Flags: 4, Token: 5, LeaseUntil: -1}),
			"value for ever":           head(entry.Header{FreshUntil: 1<<53 - 1, StaleUntil: 1<<53 - 1, Token: 5, LeaseUntil: -1}),
		} {
			for op, run := range map[string]func() error{
				"acquire": func() error {
					_, err := lease.Acquire(t.Context(), c, lease.Request{Key: key, Token: 1, Lease: leaseFor, Mode: lease.Load})
					return err
				},
				"ahead": func() error {
					_, err := lease.Acquire(t.Context(), c, lease.Request{Key: key, Token: 1, Lease: leaseFor, Mode: lease.Ahead, FreshUntil: 1 << 52})
					return err
				},
				"set": func() error {
					_, err := lease.Acquire(t.Context(), c, lease.Request{Key: key, Token: 1, Lease: leaseFor, Mode: lease.Set})
					return err
				},
				"fill": func() error {
					_, err := lease.Fill(t.Context(), c, lease.Value{Key: key, Token: 5, Raw: payload(1, "x"), TTL: ttl})
					return err
				},
				"release": func() error {
					_, err := lease.Release(t.Context(), c, key, 5, lease.Ending{Failed: time.Second})
					return err
				},
				"invalidate": func() error { _, errs := lease.Invalidate(t.Context(), c, key); return errs[0] },
				"entomb":     func() error { return lease.Entomb(t.Context(), c, key, 7, time.Minute) },
				"bar":        func() error { _, err := lease.Bar(t.Context(), c, key, 10, barFor); return err },
				"lift":       func() error { _, err := lease.Lift(t.Context(), c, lease.Value{Key: key, Token: 10}); return err },
			} {
				if _, err := c.Do(t.Context(), conn.Key("SET", key, raw, "PX", "60000")); err != nil {
					t.Fatal(err)
				}
				if err := run(); err != nil {
					t.Errorf("%s on %s: %v", op, name, err)
				}
				if v, err := c.Do(t.Context(), conn.Key("PTTL", key)); err != nil || v.Int == -1 {
					t.Errorf("%s on %s leaves a key without expiry", op, name)
				}
			}
		}
	})
}
