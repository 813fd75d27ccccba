package lease_test

import (
	"context"
	"os"
	"testing"
	"time"

	"github.com/larder-go/larder/conn"
	"github.com/larder-go/larder/embedded"
	"github.com/larder-go/larder/internal/entry"
	"github.com/larder-go/larder/internal/lease"
	"github.com/larder-go/larder/internal/redistest"
	"github.com/larder-go/larder/redisconn"
)

func TestMain(m *testing.M) { os.Exit(redistest.Run(m)) }

// onEach runs a test on the embedded engine and on a real Redis: the scripts
// must mean the same to both.
func onEach(t *testing.T, test func(t *testing.T, c conn.Conn)) {
	t.Helper()
	t.Run("embedded", func(t *testing.T) {
		c, err := embedded.Open(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = c.Close() }()
		test(t, c)
	})
	t.Run("redis", func(t *testing.T) {
		c, err := redisconn.Open(t.Context(), redistest.Shared(t).URL(), redisconn.Options{})
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = c.Close() }()
		test(t, c)
	})
}

const (
	key      = "lease-test:k"
	ttl      = time.Minute
	stale    = time.Hour
	leaseFor = 5 * time.Second
)

func payload(id uint64, text string) []byte {
	return append(entry.Append(nil, entry.Header{ID: id}, nil, ""), text...)
}

func acquire(t *testing.T, c conn.Conn, token uint64, rejected string, mode lease.Mode) lease.Acquired {
	t.Helper()
	a, err := lease.Acquire(t.Context(), c, lease.Request{Key: key, Token: token, Lease: leaseFor, Rejected: rejected, Mode: mode})
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func fill(t *testing.T, c conn.Conn, token uint64, raw []byte, ttl, stale time.Duration) bool {
	t.Helper()
	ok, err := lease.Fill(t.Context(), c, lease.Value{Key: key, Token: token, Raw: raw, LoadedAt: 1234, TTL: ttl, Stale: stale})
	if err != nil {
		t.Fatal(err)
	}
	return ok == lease.Stored
}

// stored returns the entry as it is in the server, and its remaining life.
func stored(t *testing.T, c conn.Conn) (e entry.Entry, left time.Duration) {
	t.Helper()
	rs := c.Pipeline(t.Context(), conn.Key("GET", key), conn.Key("PTTL", key))
	for _, r := range rs {
		if r.Err != nil {
			t.Fatal(r.Err)
		}
	}
	e, err := entry.Parse(rs[0].Value.Str)
	if err != nil {
		t.Fatalf("%q: %v", rs[0].Value.Str, err)
	}
	return e, time.Duration(rs[1].Value.Int) * time.Millisecond
}

func about(d, want time.Duration) bool { return d <= want && d > want-2*time.Second }

func TestLoadIsGrantedOnceAndFills(t *testing.T) {
	onEach(t, func(t *testing.T, c conn.Conn) {
		del(t, c)
		a := acquire(t, c, 1, "", lease.Load)
		if a.State != lease.Granted || a.Raw != "" || a.Left != leaseFor {
			t.Fatalf("first: %+v", a)
		}
		if e, left := stored(t, c); e.Flags != entry.Placeholder || e.Token != 1 || !about(left, leaseFor) {
			t.Errorf("placeholder %+v for %v", e.Header, left)
		}
		if b := acquire(t, c, 2, "", lease.Load); b.State != lease.Held || b.Raw != "" || !about(b.Left, leaseFor) {
			t.Errorf("second: %+v", b)
		}
		if fill(t, c, 2, payload(7, "x"), ttl, stale) {
			t.Error("a fill without the lease was stored")
		}
		if !fill(t, c, 1, payload(7, "value"), ttl, stale) {
			t.Error("the fill was refused")
		}
		e, left := stored(t, c)
		if string(e.Payload) != "value" || e.ID != 7 || e.Token != 0 || e.LoadedAt != 1234 ||
			e.FreshUntil-a.Now < ttl.Milliseconds() || e.StaleUntil-e.FreshUntil != stale.Milliseconds() || !about(left, ttl+stale) {
			t.Errorf("stored %+v, %q for %v", e.Header, e.Payload, left)
		}
		if b := acquire(t, c, 3, "", lease.Load); b.State != lease.Fresh || b.Raw == "" {
			t.Errorf("a fresh entry: %+v", b)
		}
		if fill(t, c, 1, payload(8, "again"), ttl, stale) {
			t.Error("a token was good for two fills")
		}
	})
}

func TestDeleteTakesTheToken(t *testing.T) {
	onEach(t, func(t *testing.T, c conn.Conn) {
		del(t, c)
		acquire(t, c, 1, "", lease.Load)
		del(t, c)
		if fill(t, c, 1, payload(1, "old"), ttl, stale) {
			t.Error("a fill after the delete was stored")
		}
		acquire(t, c, 2, "", lease.Load) // the same client again: the token is another
		if fill(t, c, 1, payload(1, "old"), ttl, stale) {
			t.Error("the first load's fill was stored under the second lease")
		}
		if !fill(t, c, 2, payload(2, "new"), ttl, stale) {
			t.Error("the second load's fill was refused")
		}
	})
}

func TestRejectedEntryIsNotReturned(t *testing.T) {
	onEach(t, func(t *testing.T, c conn.Conn) {
		del(t, c)
		acquire(t, c, 1, "", lease.Load)
		fill(t, c, 1, payload(0x0102030405060708, "old"), ttl, stale)
		rejected := "\x01\x02\x03\x04\x05\x06\x07\x08"
		if a := acquire(t, c, 2, rejected, lease.Load); a.State != lease.Granted || a.Raw != "" {
			t.Errorf("%+v", a)
		}
		if e, _ := stored(t, c); e.Flags != entry.Placeholder {
			t.Error("the rejected value is still there to be served stale")
		}
		if a := acquire(t, c, 3, rejected, lease.Load); a.State != lease.Held {
			t.Errorf("a second one that rejects it: %+v", a)
		}
	})
}

func TestStaleValueStaysWhileItIsReloaded(t *testing.T) {
	onEach(t, func(t *testing.T, c conn.Conn) {
		del(t, c)
		acquire(t, c, 1, "", lease.Load)
		fill(t, c, 1, payload(1, "old"), 0, stale)
		a := acquire(t, c, 2, "", lease.Load)
		if a.State != lease.Granted || a.Raw == "" {
			t.Fatalf("%+v", a)
		}
		if e, left := stored(t, c); string(e.Payload) != "old" || e.Token != 2 || !about(left, stale) {
			t.Errorf("%+v %q for %v", e.Header, e.Payload, left)
		}
		if b := acquire(t, c, 3, "", lease.Load); b.State != lease.Held || b.Raw == "" {
			t.Errorf("%+v", b)
		}
		if ok, err := lease.Release(t.Context(), c, key, 2, lease.Ending{Hold: time.Minute}); !ok || err != nil {
			t.Fatal(ok, err)
		}
		b := acquire(t, c, 4, "", lease.Load)
		if b.State != lease.Held || b.Raw == "" || !about(b.Left, time.Minute) {
			t.Errorf("after a failed load nobody tries for a while: %+v", b)
		}
		if fill(t, c, 2, payload(2, "late"), ttl, stale) {
			t.Error("a released token could still fill")
		}
		if _, left := stored(t, c); !about(left, stale) {
			t.Errorf("the stale value lives %v more", left)
		}
	})
}

func TestReleaseWithoutValueRemoves(t *testing.T) {
	onEach(t, func(t *testing.T, c conn.Conn) {
		del(t, c)
		acquire(t, c, 1, "", lease.Load)
		for i, want := range []bool{true, false} {
			if ok, err := lease.Release(t.Context(), c, key, 1, lease.Ending{Hold: time.Minute}); ok != want || err != nil {
				t.Errorf("release %d: %v, %v", i, ok, err)
			}
		}
		if a := acquire(t, c, 2, "", lease.Load); a.State != lease.Granted {
			t.Errorf("%+v", a)
		}
	})
}

func renew(t *testing.T, c conn.Conn, token uint64) (bool, error) {
	t.Helper()
	stood, errs := lease.RenewEach(t.Context(), c, []lease.HeldLease{{Key: key, Token: token}}, time.Minute)
	return stood[0], errs[0]
}

func TestRenewKeepsTheLeaseAndNothingElse(t *testing.T) {
	onEach(t, func(t *testing.T, c conn.Conn) {
		del(t, c)
		acquire(t, c, 1, "", lease.Load)
		if ok, err := renew(t, c, 1); !ok || err != nil {
			t.Fatal(ok, err)
		}
		if _, left := stored(t, c); !about(left, time.Minute) {
			t.Errorf("the lease lives %v", left)
		}
		if ok, err := renew(t, c, 2); ok || err != nil {
			t.Errorf("another token renewed it: %v, %v", ok, err)
		}
		del(t, c)
		if ok, err := renew(t, c, 1); ok || err != nil {
			t.Errorf("a deleted lease was renewed: %v, %v", ok, err)
		}
	})
}

func TestSetTakesTheLease(t *testing.T) {
	onEach(t, func(t *testing.T, c conn.Conn) {
		del(t, c)
		acquire(t, c, 1, "", lease.Load)
		if a := acquire(t, c, 2, "", lease.Set); a.State != lease.Granted {
			t.Fatalf("%+v", a)
		}
		if fill(t, c, 1, payload(1, "loaded"), ttl, stale) {
			t.Error("the load's fill was stored over the Set")
		}
		if !fill(t, c, 2, payload(2, "set"), ttl, stale) {
			t.Error("the Set's fill was refused")
		}
		if a := acquire(t, c, 3, "", lease.Set); a.State != lease.Granted || a.Raw != "" {
			t.Errorf("a Set over a fresh value: %+v", a)
		}
	})
}

func TestForeignBytesAreNotALease(t *testing.T) {
	onEach(t, func(t *testing.T, c conn.Conn) {
		far := entry.Header{Token: 9, LeaseUntil: 1 << 50, FreshUntil: 1, StaleUntil: 2}
		for name, raw := range map[string]string{
			"short": "L\x01", "text": "something else altogether", "a lease for a thousand years": string(entry.Append(nil, far, nil, "")),
		} {
			if r := c.Pipeline(t.Context(), conn.Key("SET", key, raw, "PX", "60000")); r[0].Err != nil {
				t.Fatal(r[0].Err)
			}
			if a := acquire(t, c, 1, "", lease.Load); a.State != lease.Granted || a.Raw != "" {
				t.Errorf("%s: %+v", name, a)
			}
			if !fill(t, c, 1, payload(1, "v"), ttl, stale) {
				t.Errorf("%s: the fill was refused", name)
			}
		}
	})
}

func del(t *testing.T, c conn.Conn) {
	t.Helper()
	if _, err := c.Do(context.Background(), conn.Key("DEL", key)); err != nil {
		t.Fatal(err)
	}
}
