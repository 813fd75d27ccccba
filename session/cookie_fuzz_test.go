package session

import (
	"net/http"
	"strings"
	"testing"
	"time"
)

// Whatever a browser sends is no id or one of the form of ours, which comes back
// through the line that sets it and never becomes part of another field.
func FuzzCookie(f *testing.F) {
	o := CookieOptions{}.withDefaults()
	id := newID("s", "42")
	f.Add(o.Name + "=" + string(id))
	f.Add(o.Name + "=x; " + o.Name + "=" + string(id))
	f.Add(o.Name + `="` + string(id) + `"; other=1`)
	f.Add(strings.Repeat(o.Name+"=;", 100))
	f.Fuzz(func(t *testing.T, header string) {
		r := &http.Request{Header: http.Header{"Cookie": {header}}}
		id, sent := o.read(r)
		if id == "" {
			return
		}
		if !sent || !id.valid() || strings.ContainsAny(string(id), "\r\n;,\" {}:") {
			t.Fatalf("%q is the id %q", header, string(id))
		}
		c, err := http.ParseSetCookie(o.set(id, time.Hour))
		if err != nil || c.Value != string(id) || !c.HttpOnly || !c.Secure {
			t.Errorf("%q: %+v, %v", string(id), c, err)
		}
		if a := id.address("s"); strings.Count(a.session, "{") != 1 || strings.Contains(a.session+a.index+a.generation, string(id)) {
			t.Errorf("%q is stored as %q", string(id), a.session)
		}
	})
}
