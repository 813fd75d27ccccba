package keycodec

import (
	"math"
	"strings"
	"testing"
)

type userID int64

type page struct {
	Tenant string
	Number int `larder:"n"`
}

type deep struct {
	Page  page
	Flags [2]bool
}

func text[K comparable](t *testing.T, key K) string {
	t.Helper()
	c, err := For[K]()
	if err != nil {
		t.Fatal(err)
	}
	s := string(c.Append(nil, key))
	back, ok := c.Parse(s)
	if !ok || back != key {
		t.Errorf("%v -> %q -> %v, %v", key, s, back, ok)
	}
	return s
}

func TestText(t *testing.T) {
	for _, tt := range []struct{ got, want string }{
		{text(t, "a:b c\x00"), "a:b c\x00"},
		{text(t, ""), ""},
		{text(t, 42), "42"},
		{text(t, userID(-7)), "-7"},
		{text(t, int64(math.MinInt64)), "-9223372036854775808"},
		{text(t, uint64(math.MaxUint64)), "18446744073709551615"},
		{text(t, int8(-128)), "-128"},
		{text(t, true), "true"},
		{text(t, page{"a&b=c", 3}), "tenant=a%26b%3Dc&n=3"},
		{text(t, deep{page{"é", -1}, [2]bool{true, false}}), "page.tenant=%C3%A9&page.n=-1&flags.0=true&flags.1=false"},
	} {
		if tt.got != tt.want {
			t.Errorf("got %q, want %q", tt.got, tt.want)
		}
	}
}

func TestPattern(t *testing.T) {
	pattern := func(c interface{ Pattern() string }, err error) string {
		if err != nil {
			t.Error(err)
			return ""
		}
		return c.Pattern()
	}
	for _, tt := range []struct{ got, want string }{
		{pattern(For[string]()), "<string>"},
		{pattern(For[userID]()), "<int64>"},
		{pattern(For[bool]()), "<bool>"},
		{pattern(For[page]()), "tenant=<string>&n=<int>"},
		{pattern(For[deep]()), "page.tenant=<string>&page.n=<int>&flags.0=<bool>&flags.1=<bool>"},
	} {
		if tt.got != tt.want {
			t.Errorf("%q, want %q", tt.got, tt.want)
		}
	}
}

func TestOtherSpellingsAreNoKeys(t *testing.T) {
	ints, _ := For[int64]()
	for _, s := range []string{"", "+1", "01", "-0", "1.0", "9223372036854775808", " 1", "0x1", "-"} {
		if k, ok := ints.Parse(s); ok {
			t.Errorf("%q was read as %d", s, k)
		}
	}
	pages, _ := For[page]()
	for _, s := range []string{"", "tenant=a", "n=1&tenant=a", "tenant=a&n=1&", "tenant=a&n=1&x=2", "tenant=%61&n=1", "tenant=a b&n=1", "tenant=%&n=1", "tenant=a&n=01"} {
		if k, ok := pages.Parse(s); ok {
			t.Errorf("%q was read as %v", s, k)
		}
	}
}

func TestUnusableKeysAreRefused(t *testing.T) {
	check := func(err error, want string) {
		t.Helper()
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v does not mention %q", err, want)
		}
	}
	_, err := For[float64]()
	check(err, "float64")
	_, err = For[*int]()
	check(err, "*int")
	_, err = For[struct{ a int }]()
	check(err, "not exported")
	_, err = For[struct{ A any }]()
	check(err, "field a")
	_, err = For[struct{}]()
	check(err, "no fields")
	_, err = For[struct {
		A int `larder:"x"`
		B int `larder:"x"`
	}]()
	check(err, "two fields")
	_, err = For[struct {
		A int `larder:"x=y"`
	}]()
	check(err, "allowed")
}

func TestHotPathDoesNotAllocate(t *testing.T) {
	strs, _ := For[string]()
	ints, _ := For[userID]()
	buf := make([]byte, 0, 64)
	n := testing.AllocsPerRun(100, func() {
		buf = strs.Append(buf[:0], "some key")
		buf = ints.Append(buf, 12345)
		_, _ = strs.Parse("some key")
		_, _ = ints.Parse("12345")
	})
	if n != 0 {
		t.Errorf("%v allocations, want none", n)
	}
}

func FuzzStructKeyIsCanonical(f *testing.F) {
	f.Add("tenant=a%26b&n=3")
	f.Add("tenant=&n=-9")
	pages, _ := For[page]()
	f.Fuzz(func(t *testing.T, s string) {
		key, ok := pages.Parse(s)
		if ok && string(pages.Append(nil, key)) != s {
			t.Errorf("%q and %q are both %v", s, pages.Append(nil, key), key)
		}
	})
}
