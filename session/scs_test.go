package session_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/larder-go/larder/conn"
	"github.com/larder-go/larder/embedded"
	"github.com/larder-go/larder/session"
)

// scsStore and scsCtxStore are scs.Store and scs.CtxStore of
// github.com/alexedwards/scs/v2; the module e2e runs a SessionManager.
type scsStore interface {
	Delete(token string) (err error)
	Find(token string) (b []byte, found bool, err error)
	Commit(token string, b []byte, expiry time.Time) (err error)
}

type scsCtxStore interface {
	scsStore
	DeleteCtx(ctx context.Context, token string) (err error)
	FindCtx(ctx context.Context, token string) (b []byte, found bool, err error)
	CommitCtx(ctx context.Context, token string, b []byte, expiry time.Time) (err error)
}

var _ scsCtxStore = (*session.SCS)(nil)

func TestSCS(t *testing.T) {
	t.Parallel()
	everywhere(t, func(t *testing.T, open func(testing.TB) conn.Conn) {
		for name, sealed := range map[string][]session.Key{"clear": nil, "sealed": {newKey(t, "k", 1)}} {
			t.Run(name, func(t *testing.T) {
				c, ns := open(t), namespace()
				s, err := session.NewSCS(c, session.Options{Namespace: ns, Keys: sealed, MaxBytes: 100})
				if err != nil {
					t.Fatal(err)
				}
				const data = "\x00\xff gob"
				find := func(token, want string) {
					t.Helper()
					if b, found, err := s.Find(token); err != nil || found != (want != "") || string(b) != want {
						t.Errorf("%s: %q, %v, %v", token, b, found, err)
					}
				}
				find("token", "")
				if err := s.Commit("token", []byte(data), time.Now().Add(time.Hour)); err != nil {
					t.Fatal(err)
				}
				find("token", data)
				find("other", "")
				all := keys(t, c, ns)
				if len(all) != 1 || contains(all, "token") {
					t.Errorf("keys %q", all)
				}
				v, err := c.Do(soon(t), conn.Key("GET", all[0]))
				if err != nil || strings.Contains(v.Str, "gob") != (sealed == nil) {
					t.Errorf("%q, %v", v.Str, err)
				}
				if err := s.Commit("token", make([]byte, 101), time.Now().Add(time.Hour)); !errors.Is(err, session.ErrTooLarge) {
					t.Errorf("too large: %v", err)
				}
				find("token", data)
				for range 2 {
					if err := s.Delete("token"); err != nil {
						t.Error(err)
					}
				}
				find("token", "")
				if err := errors.Join(s.Commit("token", []byte(data), time.Now().Add(time.Hour)), s.Commit("token", []byte(data), time.Now())); err != nil {
					t.Error(err)
				}
				find("token", "")
				if sealed != nil {
					if _, err := c.Do(soon(t), conn.Key("SET", all[0], "x", "EX", "9")); err != nil {
						t.Fatal(err)
					}
					if _, found, err := s.Find("token"); found || !errors.Is(err, session.ErrCorrupt) {
						t.Errorf("%v, %v", found, err)
					}
				}
			})
		}
	})
}

func TestSCSExpiry(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		engine, err := embedded.New(embedded.Options{})
		if err != nil {
			t.Fatal(err)
		}
		defer engine.Close()
		c := &cuttable{Conn: engine.Connect()}
		s, err := session.NewSCS(c, session.Options{})
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Commit("token", []byte("x"), time.Now().Add(time.Minute)); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Minute - time.Millisecond)
		if _, found, err := s.Find("token"); !found || err != nil {
			t.Error(found, err)
		}
		time.Sleep(time.Millisecond)
		if _, found, err := s.Find("token"); found || err != nil {
			t.Error(found, err)
		}
		c.cut.Store(true)
		if _, _, err := s.Find("token"); !errors.Is(err, session.ErrUnavailable) {
			t.Error(err)
		}
	})
	if _, err := session.NewSCS(nil, session.Options{}); err == nil {
		t.Error("nil accepted")
	}
}
