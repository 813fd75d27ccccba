package session_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/larder-go/larder/conn"
	"github.com/larder-go/larder/embedded"
	"github.com/larder-go/larder/internal/redistest"
	"github.com/larder-go/larder/internal/sidebyside"
	"github.com/larder-go/larder/session"
)

// BenchmarkGet compares reading a session with the limit: a bare MGET of as many
// bytes over the same connection and the same decoding, at 64 goroutines.
func BenchmarkGet(b *testing.B) {
	c := dial(b, redistest.Shared(b).URL())
	s := store(b, c, session.Options{})
	ctx := context.Background()
	one := create(b, s, "42", cart{Items: 1, Name: "somebody"})
	if _, err := c.Do(ctx, conn.Key("SET", "bare", `{"rev":"0123456789abcdef","gen":"0123456789abcdef","created":1700000000000,"expires":1700000000000,"user":"42","data":{"Items":1,"Name":"somebody"}}`, "EX", "3600")); err != nil {
		b.Fatal(err)
	}
	sidebyside.Run(b, 64, func(int) error {
		v, err := c.Do(ctx, conn.Key("MGET", "bare", "none"))
		if err != nil {
			return err
		}
		var got struct {
			User string
			Data cart
		}
		return json.Unmarshal([]byte(v.Elems[0].Str), &got)
	}, func(int) error {
		_, err := s.Get(ctx, one.ID)
		return err
	})
}

// BenchmarkMiddleware is a request whose handler reads its session, over the
// engine in the process: what the middleware itself costs is the difference to a
// request that asks for nothing.
func BenchmarkMiddleware(b *testing.B) {
	c, err := embedded.Open(context.Background())
	if err != nil {
		b.Fatal(err)
	}
	defer c.Close()
	s := store(b, c, session.Options{})
	m, err := session.NewMiddleware(s, session.CookieOptions{})
	if err != nil {
		b.Fatal(err)
	}
	one := create(b, s, "42", cart{Items: 1, Name: "somebody"})
	for name, fn := range map[string]http.HandlerFunc{
		"unused": func(http.ResponseWriter, *http.Request) {},
		"get": func(_ http.ResponseWriter, r *http.Request) {
			if _, err := m.Of(r).Get(r.Context()); err != nil {
				b.Error(err)
			}
		},
		"update": func(_ http.ResponseWriter, r *http.Request) {
			if err := m.Of(r).Update(r.Context(), func(c *cart) error { c.Items++; return nil }); err != nil {
				b.Error(err)
			}
		},
	} {
		b.Run(name, func(b *testing.B) {
			h := m.Wrap(fn)
			r := httptest.NewRequest(http.MethodGet, "/", nil)
			r.AddCookie(&http.Cookie{Name: session.DefaultCookieName, Value: string(one.ID)})
			w := httptest.NewRecorder()
			b.ReportAllocs()
			for b.Loop() {
				clear(w.Header())
				h.ServeHTTP(w, r)
			}
		})
	}
}

// answering answers each read with the same session, without a server.
type answering struct {
	conn.Conn
	session conn.Value
}

func (a *answering) Do(context.Context, conn.Command) (conn.Value, error) { return a.session, nil }

// What a request costs in memory, the server left out.
func TestAllocations(t *testing.T) {
	c, err := embedded.Open(soon(t))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	one := create(t, store(t, c, session.Options{Namespace: "s"}), "42", cart{Items: 1, Name: "somebody"})
	place := "s:{" + string(one.ID[:16]) + "}:"
	v, err := c.Do(soon(t), conn.Key("MGET", keyOf(one.ID, "s"), place+"generation"))
	if err != nil {
		t.Fatal(err)
	}
	s := store(t, &answering{c, v}, session.Options{Namespace: "s"})
	m, err := session.NewMiddleware(s, session.CookieOptions{})
	if err != nil {
		t.Fatal(err)
	}
	for name, tt := range map[string]struct {
		limit float64
		fn    http.HandlerFunc
	}{
		"unused": {12, func(http.ResponseWriter, *http.Request) {}},
		"get": {40, func(_ http.ResponseWriter, r *http.Request) {
			if got, err := m.Of(r).Get(r.Context()); err != nil || got.Data.Items != 1 {
				t.Error(errors.New("another session"), err)
			}
		}},
	} {
		h := m.Wrap(tt.fn)
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.AddCookie(&http.Cookie{Name: session.DefaultCookieName, Value: string(one.ID)})
		w := httptest.NewRecorder()
		got := testing.AllocsPerRun(200, func() {
			clear(w.Header())
			h.ServeHTTP(w, r)
		})
		t.Logf("%s: %v allocations", name, got)
		if got > tt.limit {
			t.Errorf("%s: %v allocations, more than %v", name, got, tt.limit)
		}
	}
}
