package e2e

import (
	"encoding/json"
	"errors"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/larder-go/larder/session"
)

type cart struct{ Items int }

// A Node process, through larder serve, tells who is logged in by a session that a
// Go process has made, with the function that docs/session.md gives.
func TestOneSessionForGoAndTypeScript(t *testing.T) {
	t.Parallel()
	install(t)
	larder := buildLarder(t)
	for _, e := range engines {
		t.Run(e.name, func(t *testing.T) {
			t.Parallel()
			url := e.redis(t)
			env := serve(t, larder, url, e.name)
			sessions, err := session.New[cart](openBeside(t, url, env), session.Options{})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = sessions.Close() })
			create := func(user string) session.ID {
				t.Helper()
				s, err := sessions.Create(t.Context(), user, cart{Items: 1})
				if err != nil {
					t.Fatal(err)
				}
				return s.ID
			}
			phone, laptop, other, anonymous := create("åse"), create("åse"), create("42"), create("")
			who := func(want ...string) {
				t.Helper()
				ids := []string{string(phone), string(laptop), string(other), string(anonymous), "a guess", strings.Repeat("x", 59)}
				out := runNodeWith(t, strings.Join(ids, "\n"), env, "test/session.js")
				var users []string // null is ""
				if err := json.Unmarshal([]byte(out), &users); err != nil {
					t.Fatalf("%q: %v", out, err)
				}
				if !slices.Equal(users, want) {
					t.Errorf("Node says %q, want %q", users, want)
				}
			}
			who("åse", "åse", "42", "", "", "")

			// A changed session, a log-in, a log-out, and one from everywhere.
			_, err = sessions.Update(t.Context(), other, func(c *cart) error { c.Items++; return nil })
			in, loginErr := sessions.Renew(t.Context(), anonymous, "7", nil)
			old := anonymous
			anonymous = in.ID
			if err := errors.Join(err, loginErr, sessions.Destroy(t.Context(), phone)); err != nil {
				t.Fatal(err)
			}
			who("", "åse", "42", "7", "", "")
			anonymous = old
			if _, err := sessions.DestroyAll(t.Context(), "åse"); err != nil {
				t.Fatal(err)
			}
			who("", "", "42", "", "", "")
		})
	}
}

// What the documentation gives to copy is what runs above.
func TestDocumentedSessionCheck(t *testing.T) {
	source, err := os.ReadFile("test/session.js")
	if err != nil {
		t.Fatal(err)
	}
	doc, err := os.ReadFile("../docs/session.md")
	if err != nil {
		t.Fatal(err)
	}
	_, function, found := strings.Cut(string(source), "\nasync function userOf")
	function, _, ended := strings.Cut(function, "\n}\n")
	if !found || !ended || !strings.Contains(string(doc), "\nasync function userOf"+function+"\n}\n") {
		t.Error("docs/session.md and test/session.js have different functions userOf")
	}
}
