package session

import (
	"strings"
	"testing"
)

func TestEnvelope(t *testing.T) {
	t.Parallel()
	e := envelope{rev: "r", gen: "g", created: 1, expires: 2, user: `a"\é`, data: `{"x":1}`}
	raw := e.encode(nil, "hash")
	if want := `{"rev":"r","gen":"g","created":1,"expires":2,"user":"a\"\\é","data":{"x":1}}`; raw != want {
		t.Errorf("%s", raw)
	}
	if got, ok := parseEnvelope(raw, nil, "hash"); !ok || got != e {
		t.Errorf("%+v, %v", got, ok)
	}
	for n := range raw {
		if _, ok := parseEnvelope(raw[:n], nil, "hash"); ok && n != strings.LastIndex(raw, "}") {
			t.Errorf("cut to %q: accepted", raw[:n])
		}
	}
}

// Whatever is accepted is what encode would write, so it means the same to the
// scripts.
func FuzzEnvelope(f *testing.F) {
	f.Add(`{"rev":"r","gen":"","created":1,"expires":2,"user":"","data":null}`)
	f.Add(`{"rev":"r","gen":"g","created":1,"expires":2,"user":"a\u0041","data":{}}`)
	f.Add(`{"rev":"r","gen":"g","created":1,"expires":2,"user":"a","sealed":"AAAA"}`)
	f.Add(`{"rev":"","gen":"","created":-1,"expires":9999999999999999999,"user":"\"","data":}}`)
	f.Fuzz(func(t *testing.T, raw string) {
		e, ok := parseEnvelope(raw, nil, "hash")
		if !ok {
			return
		}
		again, ok := parseEnvelope(e.encode(nil, "hash"), nil, "hash")
		if !ok || again != e {
			t.Errorf("%q becomes %+v, then %+v", raw, e, again)
		}
	})
}

func FuzzHandle(f *testing.F) {
	f.Add(at("s", "aaaaaaaaaaaaaaaa", strings.Repeat("0a", 32)).handle())
	f.Add(".")
	f.Fuzz(func(t *testing.T, handle string) {
		a, ok := parseHandle("s", handle)
		if ok && (a.handle() != handle || strings.Count(a.session, "{") != 1 || strings.Count(a.session, "}") != 1) {
			t.Errorf("%q is the session %q", handle, a.session)
		}
	})
}

func TestIDs(t *testing.T) {
	t.Parallel()
	seen := map[ID]bool{}
	for _, user := range []string{"", "42"} {
		for range 100 {
			id := newID("s", user)
			if !id.valid() || seen[id] {
				t.Fatal("not valid, or not new")
			}
			if fixed := place(id[:placeChars]) == placeOf("s", user); fixed != (user != "") {
				t.Errorf("user %q: the place is fixed: %v", user, fixed)
			}
			seen[id] = true
		}
	}
	if placeOf("a", "42") == placeOf("b", "42") || placeOf("a", "42") == placeOf("a", "43") {
		t.Error("two users in one place")
	}
}
