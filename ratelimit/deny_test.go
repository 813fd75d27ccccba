package ratelimit

import (
	"context"
	"errors"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/larder-go/larder/conn"
)

func TestDenyList(t *testing.T) {
	onEach(t, func(t *testing.T, c conn.Conn) {
		for i, a := range []Algorithm{FixedWindow(3, time.Minute), SlidingWindow(3, time.Minute), TokenBucket(1, time.Minute, 3), GCRA(1, time.Minute, 3), CachedFixedWindow(3, time.Minute)} {
			o := Options{Algorithm: a, DenyList: true, Clock: newClock(vectorTime).now, Prefix: prefixOf(t) + number(int64(i))}
			l := limiter(t, c, o)
			err := l.Deny(t.Context(), "mallory", "198.51.100.7", "203.0.113.77/24", "2001:db8::/32", "curl/8", "XX")
			if err != nil {
				t.Fatal(err)
			}
			limit(t, l, "u") // cached windows are known from here on
			for _, tt := range []struct {
				id     string
				client Client
				denied string
			}{
				{"mallory", Client{}, "mallory"},
				{"u", Client{IP: "198.51.100.7"}, "198.51.100.7"},
				{"u", Client{IP: "::ffff:198.51.100.7"}, "::ffff:198.51.100.7"},
				{"u", Client{IP: "203.0.113.200"}, "203.0.113.200"},
				{"u", Client{IP: "2001:db8:1:2::3"}, "2001:db8:1:2::3"},
				{"u", Client{UserAgent: "curl/8", IP: "192.0.2.1"}, "curl/8"},
				{"u", Client{Country: "XX"}, "XX"},
			} {
				for range 2 { // once by Redis, once from memory
					d := limit(t, l, tt.id, From(tt.client))
					if d.Allowed || d.Reason != ReasonDenied || d.Denied != tt.denied {
						t.Errorf("%+v: %+v: %+v", a, tt, d)
					}
				}
				soon, cancel := context.WithTimeout(t.Context(), 10*time.Second)
				if _, err := l.Wait(soon, tt.id, From(tt.client)); !errors.Is(err, ErrDenied) {
					t.Errorf("%+v: wait: %v", tt, err)
				}
				cancel()
			}
			// In the original each of these would have taken a token.
			fine := From(Client{IP: "198.51.100.8", UserAgent: "curl/9", Country: "DE"})
			for left := int64(1); left >= 0; left-- {
				if d := limit(t, l, "u", fine); !d.Allowed || d.Remaining != left {
					t.Errorf("%+v: %+v, want %d left", a, d, left)
				}
			}
			if err := l.Permit(t.Context(), "mallory", "203.0.113.0/24"); err != nil {
				t.Fatal(err)
			}
			if d := limit(t, l, "mallory", From(Client{IP: "203.0.113.200"})); !d.Allowed {
				t.Errorf("%+v: permitted again: %+v", a, d)
			}
		}
	})
}

// What TypeScript adds to the set is denied here.
func TestDenyListIsSharedWithTypeScript(t *testing.T) {
	c := engine(t)
	do(t, c, "SADD", "p:denyList:all", "192.0.2.66")
	l := limiter(t, c, Options{Algorithm: FixedWindow(3, time.Minute), DenyList: true, Prefix: "p"})
	if d := limit(t, l, "u", From(Client{IP: "192.0.2.66"})); d.Reason != ReasonDenied {
		t.Errorf("%+v", d)
	}
	if n := do(t, c, "EXISTS", "p:ipDenyListStatus").Int; n != 0 {
		t.Error("the refresh of TypeScript's list was taken over")
	}
}

func TestDeniedIsRememberedForAMinute(t *testing.T) {
	clock := newClock(vectorTime)
	counter := &counting{Conn: engine(t)}
	l := limiter(t, counter, Options{Algorithm: FixedWindow(3, time.Minute), DenyList: true, Clock: clock.now})
	if err := l.Deny(t.Context(), "u"); err != nil {
		t.Fatal(err)
	}
	limit(t, l, "u")
	do(t, counter.Conn, "DEL", l.names.denyList)
	before := counter.trips.Load()
	clock.advance(deniedFor - 1)
	if d := limit(t, l, "u"); d.Reason != ReasonDenied || counter.trips.Load() != before {
		t.Errorf("%+v", d)
	}
	clock.advance(time.Millisecond)
	clock.advance(deniedFor)
	if d := limit(t, l, "u"); !d.Allowed {
		t.Errorf("%+v", d)
	}
}

func TestBadDenials(t *testing.T) {
	l := limiter(t, engine(t), Options{Algorithm: FixedWindow(3, time.Minute), DenyList: true})
	for _, values := range [][]string{{""}, {strings.Repeat("v", 1025)}, {"2001:db8::/65"}, {"0.0.0.0/0"}, {"::/8"}, make([]string, 1001)} {
		if err := l.Deny(t.Context(), values...); !errors.Is(err, ErrIdentifier) {
			t.Errorf("%.40q: %v", values, err)
		}
	}
	if err := l.Deny(t.Context()); err != nil {
		t.Error(err)
	}
	off := limiter(t, engine(t), Options{Algorithm: FixedWindow(3, time.Minute)})
	if err := off.Deny(t.Context(), "u"); err == nil || !strings.Contains(err.Error(), "Options.DenyList is false") {
		t.Error(err)
	}
}

func TestDenyListFromAFile(t *testing.T) {
	list, err := ParseDenyList(strings.NewReader(`
# who misbehaved
mallory
  198.51.100.7
10.20.30.40/8
::ffff:192.0.2.0/120
2001:db8::/32
2001:db9::1
Mozilla/5.0 (evil)
XX`))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []conn.Conn{nil, engine(t)} {
		counter := &counting{Conn: c}
		var arg conn.Conn = counter
		if c == nil {
			arg = nil
		}
		l := limiter(t, arg, Options{Algorithm: FixedWindow(1, time.Minute), Denied: list})
		for _, tt := range []struct {
			client Client
			denied bool
		}{
			{Client{IP: "198.51.100.7"}, true},
			{Client{IP: "::ffff:198.51.100.7"}, true},
			{Client{IP: "10.255.0.1"}, true},
			{Client{IP: "11.0.0.1"}, false},
			{Client{IP: "192.0.2.200"}, true},
			{Client{IP: "2001:db8:ffff::1%eth0"}, true},
			{Client{IP: "2001:0db9:0:0:0:0:0:1"}, true},
			{Client{IP: "2001:dba::1"}, false},
			{Client{IP: "not an address"}, false},
			{Client{UserAgent: "Mozilla/5.0 (evil)"}, true},
			{Client{UserAgent: "Mozilla/5.0"}, false},
			{Client{Country: "XX"}, true},
		} {
			d := limit(t, l, "u", From(tt.client), Cost(0))
			if (d.Reason == ReasonDenied) != tt.denied {
				t.Errorf("%+v: %+v", tt, d)
			}
		}
		before := counter.trips.Load()
		if d := limit(t, l, "mallory"); d.Denied != "mallory" || counter.trips.Load() != before {
			t.Errorf("%+v", d)
		}
	}
	for _, text := range []string{strings.Repeat("v", 1025), strings.Repeat("v", 10_000)} {
		if _, err := ParseDenyList(strings.NewReader("a\n" + text)); err == nil || !strings.Contains(err.Error(), "line 2") {
			t.Errorf("%v", err)
		}
	}
}

// Each range that Deny takes is found by each of its addresses, and by no other.
func FuzzRanges(f *testing.F) {
	f.Add("10.1.2.3", 8, "10.255.0.1")
	f.Add("2001:db8::1", 32, "2001:db8:5::9")
	f.Add("::ffff:10.0.0.1", 120, "10.0.0.77")
	f.Fuzz(func(t *testing.T, base string, bits int, ip string) {
		addr, err := netip.ParseAddr(base)
		other, err2 := netip.ParseAddr(ip)
		if err != nil || err2 != nil || addr.Zone() != "" {
			return
		}
		p, err := addr.Prefix(bits)
		if err != nil {
			return
		}
		p = canonical(p)
		if p.Bits() == 0 || !rangeLength(p.Addr(), p.Bits()) {
			return
		}
		q := query{id: "u", client: Client{IP: ip}}
		found := false
		for _, v := range q.deniable()[2:] {
			found = found || v == p.String()
		}
		list, err := ParseDenyList(strings.NewReader(p.String()))
		if err != nil {
			t.Fatal(err)
		}
		want := p.Contains(other.Unmap().WithZone(""))
		if found != want || list.covers(ip) != want {
			t.Errorf("%v and %s: looked up %v, listed %v, contained %v", p, ip, found, list.covers(ip), want)
		}
	})
}

// The original remembers denied values for all limiters of the process.
func TestDeniedMemoryBelongsToTheLimiter(t *testing.T) {
	c := engine(t)
	strict := limiter(t, c, Options{Algorithm: FixedWindow(3, time.Minute), DenyList: true, Prefix: "strict"})
	if err := strict.Deny(t.Context(), "u"); err != nil {
		t.Fatal(err)
	}
	if d := limit(t, strict, "u"); d.Reason != ReasonDenied {
		t.Errorf("%+v", d)
	}
	for name, o := range map[string]Options{
		"without a deny list":    {Algorithm: FixedWindow(3, time.Minute), Prefix: "strict2"},
		"with another deny list": {Algorithm: FixedWindow(3, time.Minute), Prefix: "other", DenyList: true},
	} {
		if d := limit(t, limiter(t, c, o), "u"); !d.Allowed {
			t.Errorf("%s: %+v", name, d)
		}
	}
}
