package ratelimit

import (
	"context"
	"errors"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/larder-go/larder/conn"
	"github.com/larder-go/larder/embedded"
)

func engine(t testing.TB) conn.Conn {
	t.Helper()
	c, err := embedded.Open(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

// Each error names the field and what is allowed.
func TestBadOptions(t *testing.T) {
	c := engine(t)
	good := FixedWindow(1, time.Second)
	for name, tt := range map[string]struct {
		o    Options
		want string
	}{
		"no algorithm":           {Options{}, "Options.Algorithm is the zero value"},
		"limit 0":                {Options{Algorithm: FixedWindow(0, time.Second)}, "FixedWindow: limit is 0; allowed: 1 to 1e12"},
		"negative limit":         {Options{Algorithm: SlidingWindow(-1, time.Second)}, "SlidingWindow: limit is -1"},
		"limit beyond":           {Options{Algorithm: FixedWindow(MaxLimit+1, time.Second)}, "limit is 1000000000001"},
		"window 0":               {Options{Algorithm: CachedFixedWindow(1, 0)}, "CachedFixedWindow: window is 0s; allowed: 1ms"},
		"negative window":        {Options{Algorithm: FixedWindow(1, -time.Second)}, "window is -1s"},
		"fractional window":      {Options{Algorithm: FixedWindow(1, 1500*time.Microsecond)}, "window is 1.5ms; allowed: whole milliseconds"},
		"window beyond":          {Options{Algorithm: FixedWindow(1, math.MaxInt64)}, "window is 2562047h"},
		"interval":               {Options{Algorithm: TokenBucket(1, time.Microsecond, 1)}, "TokenBucket: interval is 1µs"},
		"refill rate":            {Options{Algorithm: TokenBucket(0, time.Second, 1)}, "TokenBucket: refillRate is 0"},
		"max tokens":             {Options{Algorithm: TokenBucket(1, time.Second, 0)}, "TokenBucket: maxTokens is 0"},
		"burst":                  {Options{Algorithm: GCRA(1, time.Second, 0)}, "GCRA: burst is 0"},
		"gcra too fine":          {Options{Algorithm: GCRA(1001, time.Millisecond, 1)}, "GCRA: limit is 1001; allowed: at most one for each microsecond"},
		"gcra too long":          {Options{Algorithm: GCRA(1, time.Hour, MaxLimit)}, "GCRA: burst is 1000000000000; allowed: a burst that fills again"},
		"gcra period":            {Options{Algorithm: GCRA(1, 400*24*time.Hour, 1)}, "GCRA: period is 9600h0m0s"},
		"prefix with space":      {Options{Algorithm: good, Prefix: "a b"}, "Options.Prefix is a b"},
		"prefix with braces":     {Options{Algorithm: good, Prefix: "{a}"}, "Options.Prefix"},
		"long prefix":            {Options{Algorithm: good, Prefix: strings.Repeat("p", 201)}, "up to 200 bytes"},
		"timeout":                {Options{Algorithm: good, Timeout: -1}, "Options.Timeout is -1ns"},
		"away":                   {Options{Algorithm: good, Away: 7}, "Options.Away is 7; allowed: AwayLocal"},
		"share":                  {Options{Algorithm: good, Share: 1.5}, "Options.Share is 1.5"},
		"share not a number":     {Options{Algorithm: good, Share: math.NaN()}, "Options.Share is NaN"},
		"block for":              {Options{Algorithm: good, BlockFor: time.Microsecond}, "Options.BlockFor is 1µs"},
		"max blocked":            {Options{Algorithm: good, MaxBlocked: -1}, "Options.MaxBlocked is -1"},
		"max local":              {Options{Algorithm: good, MaxLocal: -1}, "Options.MaxLocal is -1"},
		"retention":              {Options{Algorithm: good, Retention: time.Minute}, "Options.Retention is 1m0s; allowed: whole hours"},
		"dynamic cached":         {Options{Algorithm: CachedFixedWindow(1, time.Second), DynamicLimit: true}, "Options.DynamicLimit is true"},
		"local with deny list":   {Options{Algorithm: good, Local: true, DenyList: true}, "Options.DenyList is true"},
		"local with analytics":   {Options{Algorithm: good, Local: true, Analytics: true}, "Options.Analytics is true"},
		"a Conn, and local":      {Options{Algorithm: good, Local: true, MaxLocal: -2}, "Options.Local is set and there is a Conn"},
		"no Conn, and not local": {Options{Algorithm: good, MaxLocal: -3}, "the Conn is nil"},
	} {
		arg := c
		if tt.o.Local && tt.o.MaxLocal != -2 || tt.o.MaxLocal == -3 {
			arg = nil
		}
		l, err := New(arg, tt.o)
		if err == nil || !strings.Contains(err.Error(), tt.want) || l != nil {
			t.Errorf("%s: %v, want %q", name, err, tt.want)
		}
	}
}

func TestBadCalls(t *testing.T) {
	c := engine(t)
	clock := newClock(vectorTime)
	fixed := limiter(t, c, Options{Algorithm: FixedWindow(3, time.Minute), Clock: clock.now})
	bucket := limiter(t, c, Options{Algorithm: TokenBucket(1, time.Minute, 3), Clock: clock.now, Prefix: "bucket"})
	fine := limiter(t, c, Options{Algorithm: FixedWindow(3, time.Millisecond), Clock: newClock(1700002800000).now, Prefix: "fine"})
	spaced := limiter(t, c, Options{Algorithm: GCRA(3, time.Minute, 2), Clock: clock.now, Prefix: "gcra"})
	for name, tt := range map[string]struct {
		l    *Limiter
		id   string
		cost int64
		is   error
		want string
	}{
		"empty identifier":         {fixed, "", 1, ErrIdentifier, "ratelimit: limit: ratelimit: bad identifier: it is empty"},
		"long identifier":          {fixed, strings.Repeat("i", MaxIdentifierBytes+1), 1, ErrIdentifier, "it has 1025 bytes, more than 1024"},
		"the dynamic limit's key":  {bucket, "dynamic:global", 1, ErrIdentifier, "the dynamic limit"},
		"the deny list's key":      {bucket, "denyList:all", 1, ErrIdentifier, "the deny list"},
		"the other deny list":      {bucket, "denyList:ipDenyList", 1, ErrIdentifier, "the deny list"},
		"its status":               {bucket, "ipDenyListStatus", 1, ErrIdentifier, "the deny list"},
		"the analytics' key":       {bucket, "events:1700002800000", 1, ErrIdentifier, "the analytics"},
		"the analytics' by number": {fine, "events", 1, ErrIdentifier, "the analytics"},
		"cost over the limit":      {fixed, "u", 4, ErrCost, "more than the limit"},
		"cost over the bucket":     {bucket, "u", 4, ErrCost, "more than the limit"},
		"cost over the burst":      {spaced, "u", 3, ErrCost, "more than the limit"},
		"absurd cost":              {fixed, "u", math.MaxInt64, ErrCost, "allowed: -1e12 to 1e12"},
		"absurd refund":            {fixed, "u", math.MinInt64, ErrCost, "allowed: -1e12 to 1e12"},
	} {
		d, err := tt.l.Limit(t.Context(), tt.id, Cost(tt.cost))
		if !errors.Is(err, tt.is) || !strings.Contains(err.Error(), tt.want) || d.Allowed {
			t.Errorf("%s: %+v, %v, want %q", name, d, err, tt.want)
		}
		if e, ok := errors.AsType[*Error](err); !ok || e.Op != "limit" {
			t.Errorf("%s: %T", name, err)
		}
	}
	// None of them has written a key.
	if err := c.Scan(t.Context(), "*", func(keys []string) error {
		t.Errorf("keys %q", keys)
		return nil
	}); err != nil {
		t.Fatal(err)
	}
}

// Names that are reserved in one algorithm are ordinary identifiers in the others.
func TestIdentifiersThatLookReserved(t *testing.T) {
	c := engine(t)
	clock := newClock(vectorTime)
	for _, a := range []Algorithm{FixedWindow(1, time.Minute), SlidingWindow(1, time.Minute), GCRA(1, time.Minute, 1), TokenBucket(1, time.Minute, 1)} {
		l := limiter(t, c, Options{Algorithm: a, Clock: clock.now, DynamicLimit: true, DenyList: true, Prefix: "p" + number(int64(a.kind))})
		if err := l.SetDynamicLimit(t.Context(), 1); err != nil {
			t.Fatal(err)
		}
		if err := l.Deny(t.Context(), "mallory"); err != nil {
			t.Fatal(err)
		}
		for _, id := range []string{"events", "denyList", "dynamic", "dynamic:", "events:1", "events:x", "*", "u*", "[a]", "\x00", "é\u2028", "{u}"} {
			for _, allowed := range []bool{true, false} {
				if d := limit(t, l, id); d.Allowed != allowed {
					t.Errorf("%+v: %q: %+v", a, id, d)
				}
			}
			if err := l.Reset(t.Context(), id); err != nil {
				t.Fatal(err)
			}
			if d := limit(t, l, id); !d.Allowed {
				t.Errorf("%+v: %q after its reset: %+v", a, id, d)
			}
		}
		if n, err := l.DynamicLimit(t.Context()); n != 1 || err != nil {
			t.Errorf("%+v: the dynamic limit is %d, %v", a, n, err)
		}
		if d := limit(t, l, "mallory"); d.Reason != ReasonDenied {
			t.Errorf("%+v: %+v", a, d)
		}
	}
}

func TestAbsurdClocks(t *testing.T) {
	for name, at := range map[string]time.Time{
		"the zero time":    {},
		"before 1970":      time.Unix(-1, 0),
		"the year 2200":    time.UnixMilli(maxNow + 1),
		"the end of int64": time.Unix(math.MaxInt64/1000, 0),
	} {
		l := limiter(t, nil, Options{Algorithm: FixedWindow(1, time.Minute), Clock: func() time.Time { return at }})
		if d, err := l.Limit(t.Context(), "u"); err == nil || !strings.Contains(err.Error(), "the clock shows the year") || d.Allowed {
			t.Errorf("%s: %+v, %v", name, d, err)
		}
	}
	for _, ms := range []int64{1, maxNow} {
		for _, a := range []Algorithm{FixedWindow(1, maxWindow), SlidingWindow(1, time.Millisecond), TokenBucket(1, maxWindow, MaxLimit), GCRA(1, time.Hour, 1)} {
			l := limiter(t, engine(t), Options{Algorithm: a, Clock: newClock(ms).now, Prefix: "clock" + number(int64(a.kind))})
			// All at once: the longest expiry there is.
			if d, err := l.Limit(t.Context(), "u", Cost(a.policy().Quota)); err != nil || !d.Allowed {
				t.Errorf("at %d, %+v: %+v, %v", ms, a, d, err)
			}
			if ttl := do(t, l.c, "PTTL", l.names.current("u", ms)).Int; ttl <= 0 && a.window > time.Second {
				t.Errorf("at %d, %+v: PTTL %d", ms, a, ttl)
			}
			if d, err := l.Limit(t.Context(), "u", Cost(-MaxLimit)); err != nil || !d.Allowed {
				t.Errorf("at %d, %+v: refund: %+v, %v", ms, a, d, err)
			}
		}
	}
}

func TestEndedContextsAndClosedLimiters(t *testing.T) {
	l := limiter(t, engine(t), Options{Algorithm: FixedWindow(5, time.Minute), DynamicLimit: true, DenyList: true})
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if d, err := l.Limit(ended, "u"); !errors.Is(err, context.Canceled) || d.Allowed {
		t.Errorf("%+v, %v", d, err)
	}
	for range 2 {
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
	}
	ctx := t.Context()
	for name, call := range map[string]func() error{
		"limit":       func() error { _, err := l.Limit(ctx, "u"); return err },
		"wait":        func() error { _, err := l.Wait(ctx, "u"); return err },
		"remaining":   func() error { _, err := l.Remaining(ctx, "u"); return err },
		"reset":       func() error { return l.Reset(ctx, "u") },
		"deny":        func() error { return l.Deny(ctx, "u") },
		"permit":      func() error { return l.Permit(ctx, "u") },
		"set dynamic": func() error { return l.SetDynamicLimit(ctx, 1) },
		"get dynamic": func() error { _, err := l.DynamicLimit(ctx); return err },
	} {
		if err := call(); !errors.Is(err, ErrClosed) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// A key of another type is the caller's to know, and not a reason to let through.
func TestForeignKeysAreErrors(t *testing.T) {
	onEach(t, func(t *testing.T, c conn.Conn) {
		for _, a := range []Algorithm{FixedWindow(5, time.Minute), SlidingWindow(5, time.Minute), TokenBucket(1, time.Minute, 5), GCRA(1, time.Minute, 5), CachedFixedWindow(5, time.Minute)} {
			l := limiter(t, c, Options{Algorithm: a, Clock: newClock(vectorTime).now, Away: AwayAllow, Prefix: prefixOf(t) + number(int64(a.kind))})
			key := l.names.current("u", vectorTime)
			do(t, c, "RPUSH", key, "x")
			do(t, c, "PEXPIRE", key, "60000")
			if d, err := l.Limit(t.Context(), "u"); err == nil || d.Allowed {
				t.Errorf("%+v: %+v, %v", a, d, err)
			}
			if _, err := l.Remaining(t.Context(), "u"); conn.Code(err) != "WRONGTYPE" {
				t.Errorf("%+v: remaining: %v", a, err)
			}
		}
	})
}
