package sealing

import (
	"bytes"
	"encoding/hex"
	"errors"
	"strings"
	"testing"
)

var someContext = []byte{1, 2, 3, 4, 5, 6, 7, 8}

func newKey(tb testing.TB, id string, first byte) *Key {
	tb.Helper()
	secret := make([]byte, KeyBytes)
	for i := range secret {
		secret[i] = first + byte(i)
	}
	k, err := NewKey(id, secret)
	if err != nil {
		tb.Fatal(err)
	}
	clear(secret) // the key has copied it
	return k
}

func seal(r *Ring, head, value string) []byte {
	return r.Seal(append(r.Reserve([]byte(head)), value...), len(head))
}

func TestRoundTrip(t *testing.T) {
	for name, tt := range map[string]struct{ id, value string }{
		"empty":      {"k", ""},
		"short":      {"k1", "larder"},
		"long":       {"k1", strings.Repeat("0123456789", 10_000)},
		"longest ID": {strings.Repeat("k", MaxIDBytes), "larder"},
	} {
		t.Run(name, func(t *testing.T) {
			r := NewRing(someContext, newKey(t, tt.id, 0))
			b := seal(r, "head", tt.value)
			if string(b[:4]) != "head" || len(b) != 4+Overhead+len(tt.id)+len(tt.value) {
				t.Fatalf("%d bytes, beginning with %q", len(b), b[:4])
			}
			if tt.value != "" && bytes.Contains(b, []byte(tt.value)) {
				t.Error("the value is in clear")
			}
			before := bytes.Clone(b)
			got, err := r.Open(b[4:])
			if err != nil || string(got) != tt.value {
				t.Errorf("%q, %v", got, err)
			}
			if !bytes.Equal(b, before) {
				t.Error("Open has changed its input")
			}
			if again := seal(r, "head", tt.value); bytes.Equal(again, b) {
				t.Error("the nonce repeats")
			}
		})
	}
}

// Made with the AES-GCM of another library (Python's cryptography 48).
func TestReadsValuesOfOthers(t *testing.T) {
	sealed, err := hex.DecodeString("01026b31a0a1a2a3a4a5a6a7a8a9aaab" +
		"8a790e4920b922d40700f7a02713b42d74cc8865232b0ff1d6bf07a43eee07")
	if err != nil {
		t.Fatal(err)
	}
	got, err := NewRing(someContext, newKey(t, "k1", 0)).Open(sealed)
	if err != nil || string(got) != "larder keeps it" {
		t.Errorf("%q, %v", got, err)
	}
}

func TestOpenKnowsItsKeys(t *testing.T) {
	old, fresh := newKey(t, "old", 0), newKey(t, "new", 50)
	sealed := seal(NewRing(someContext, old), "", "larder")
	for name, tt := range map[string]struct {
		ring *Ring
		err  error
	}{
		"the key":             {NewRing(someContext, old), nil},
		"the key behind":      {NewRing(someContext, fresh, old), nil},
		"the key removed":     {NewRing(someContext, fresh), ErrUnknownKey},
		"another key's ID":    {NewRing(someContext, newKey(t, "old", 50)), ErrForged},
		"the secret renamed":  {NewRing(someContext, newKey(t, "new", 0)), ErrUnknownKey},
		"another context":     {NewRing([]byte("another!"), old), ErrForged},
		"no context":          {NewRing(nil, old), ErrForged},
		"a prefix of its ID":  {NewRing(someContext, newKey(t, "ol", 0)), ErrUnknownKey},
		"a context of the ID": {NewRing(append([]byte("d"), someContext...), newKey(t, "ol", 0)), ErrUnknownKey},
	} {
		if got, err := tt.ring.Open(sealed); !errors.Is(err, tt.err) || err == nil && string(got) != "larder" {
			t.Errorf("%s: %q, %v, want %v", name, got, err, tt.err)
		}
	}
	if b := seal(NewRing(someContext, fresh, old), "", ""); string(b[2:5]) != "new" {
		t.Errorf("sealed under %q, not under the first key", b[2:5])
	}
}

// The ID is authenticated: the same secret under two IDs does not make them
// interchangeable.
func TestOpenBindsTheID(t *testing.T) {
	r := NewRing(someContext, newKey(t, "k1", 0), newKey(t, "k2", 0))
	sealed := seal(r, "", "larder")
	sealed[3] = '2'
	if _, err := r.Open(sealed); !errors.Is(err, ErrForged) {
		t.Errorf("error %v, want ErrForged", err)
	}
}

func TestOpenNoticesDamage(t *testing.T) {
	r := NewRing(someContext, newKey(t, "k1", 0))
	sealed := seal(r, "", "a pantry, a larder, a store")
	for n := range sealed {
		if _, err := r.Open(sealed[:n:n]); err == nil {
			t.Errorf("cut to %d bytes of %d: accepted", n, len(sealed))
		}
	}
	if _, err := r.Open(append(bytes.Clone(sealed), 0)); err == nil {
		t.Error("a byte appended: accepted")
	}
	for bit := range 8 * len(sealed) {
		damaged := bytes.Clone(sealed)
		damaged[bit/8] ^= 1 << (bit % 8)
		if _, err := r.Open(damaged); err == nil {
			t.Errorf("bit %d flipped: accepted", bit)
		}
	}
}

func TestNewKeyChecks(t *testing.T) {
	for name, tt := range map[string]struct {
		id     string
		secret int
	}{
		"no ID": {"", 32}, "long ID": {strings.Repeat("k", 17), 32}, "AES-128": {"k", 16}, "no secret": {"k", 0},
	} {
		if _, err := NewKey(tt.id, make([]byte, tt.secret)); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

func FuzzOpen(f *testing.F) {
	r := NewRing(someContext, newKey(f, "k1", 0))
	f.Add(seal(r, "", "larder"))
	f.Add([]byte{version, 2, 'k', '1'})
	f.Add([]byte{version, 255})
	f.Fuzz(func(t *testing.T, b []byte) {
		value, err := r.Open(b)
		if err != nil {
			return
		}
		if len(b) != len(value)+Overhead+2 {
			t.Errorf("%x opens as %x", b, value)
		}
	})
}
