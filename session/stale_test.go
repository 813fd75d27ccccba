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
	"github.com/larder-go/larder/internal/redistest"
	"github.com/larder-go/larder/session"
)

// An outage is not a logout.
func TestRedisAway(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	s := store(t, dial(t, server.URL()), session.Options{IdleTimeout: time.Hour})
	one := create(t, s, "42", cart{Items: 1})
	server.Stop()
	ctx := soon(t)
	_, createErr := s.Create(ctx, "42", cart{})
	_, getErr := s.Get(ctx, one.ID)
	_, updateErr := s.Update(ctx, one.ID, func(*cart) error { return nil })
	_, renewErr := s.Renew(ctx, one.ID, "42", nil)
	_, listErr := s.List(ctx, "42")
	_, countErr := s.Count(ctx, "42")
	_, allErr := s.DestroyAll(ctx, "42")
	for op, err := range map[string]error{
		"create": createErr, "get": getErr, "update": updateErr, "renew": renewErr, "list": listErr, "count": countErr,
		"destroy all": allErr, "touch": s.Touch(ctx, one.ID), "destroy": s.Destroy(ctx, one.ID), "handle": s.DestroyHandle(ctx, one.Handle),
	} {
		var e *session.Error
		if !errors.Is(err, session.ErrUnavailable) || !errors.Is(err, conn.ErrUnavailable) || errors.Is(err, session.ErrNotFound) || !errors.As(err, &e) {
			t.Errorf("%s: %v", op, err)
			continue
		}
		if strings.Contains(err.Error(), string(one.ID)) || strings.Contains(err.Error(), "42") {
			t.Errorf("%s prints too much: %v", op, err)
		}
	}
}

// A server that refuses to answer has not said that there is no session.
func TestRefusalsAreNotLogouts(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	s := store(t, dial(t, server.URL()), session.Options{IdleTimeout: time.Hour})
	one := create(t, s, "42", cart{Items: 1})
	if _, err := server.Do("CONFIG", "SET", "maxmemory", "1", "maxmemory-policy", "noeviction"); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Create(soon(t), "42", cart{}); !errors.Is(err, session.ErrUnavailable) || conn.Code(err) != "OOM" {
		t.Errorf("create on a full server: %v", err)
	}
	has(t, s, one.ID, 1)
	if _, err := s.DestroyAll(soon(t), "42"); err != nil {
		t.Errorf("a full server does not log out: %v", err)
	}
	gone(t, s, one.ID)
}

func TestServeStale(t *testing.T) {
	t.Parallel()
	const bound, life = time.Minute, time.Hour
	engineOf := func(t *testing.T) (*embedded.Engine, *cuttable) {
		engine, err := embedded.New(embedded.Options{})
		if err != nil {
			t.Fatal(err)
		}
		return engine, &cuttable{Conn: engine.Connect()}
	}
	for name, tt := range map[string]struct {
		before func(ctx context.Context, mine, other *session.Store[cart], id session.ID) error // with Redis there
		after  func(ctx context.Context, mine *session.Store[cart], id session.ID) error        // with Redis away
		wait   time.Duration
		served bool
	}{
		"at once":                {nil, nil, 0, true},
		"within the bound":       {nil, nil, bound - time.Millisecond, true},
		"at the bound":           {nil, nil, bound, false},
		"changed elsewhere":      {changeElsewhere, nil, 0, false},
		"destroyed elsewhere":    {destroyElsewhere, nil, 0, false},
		"all destroyed":          {destroyAllElsewhere, nil, 0, false},
		"logged out while away":  {nil, destroyAway, 0, false},
		"all ended while away":   {nil, destroyAllAway, 0, false},
		"updated while away":     {nil, updateAway, 0, false},
		"changed, and read then": {changeAndRead, nil, 0, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				engine, c := engineOf(t)
				defer engine.Close()
				o := session.Options{Namespace: "s", Lifetime: life, ServeStale: bound}
				mine, err := session.New[cart](c, o)
				if err != nil {
					t.Fatal(err)
				}
				defer mine.Close()
				other, err := session.New[cart](engine.Connect(), session.Options{Namespace: "s", Lifetime: life})
				if err != nil {
					t.Fatal(err)
				}
				ctx := t.Context()
				one, err := other.Create(ctx, "42", cart{Items: 1})
				if err != nil {
					t.Fatal(err)
				}
				if _, err := mine.Get(ctx, one.ID); err != nil {
					t.Fatal(err)
				}
				if tt.before != nil {
					if err := tt.before(ctx, mine, other, one.ID); err != nil {
						t.Fatal(err)
					}
				}
				c.cut.Store(true)
				if tt.after != nil {
					if err := tt.after(ctx, mine, one.ID); !errors.Is(err, session.ErrUnavailable) {
						t.Fatal(err)
					}
				}
				time.Sleep(tt.wait)
				got, err := mine.Get(ctx, one.ID)
				switch {
				case tt.served && (err != nil || !got.Stale || got.Data.Items == 0 || got.User != "42" || got.ID != one.ID):
					t.Errorf("%+v, %v", got, err)
				case !tt.served && !errors.Is(err, session.ErrUnavailable):
					t.Errorf("%+v, %v, want ErrUnavailable", got, err)
				}
				c.cut.Store(false)
				if got, err := mine.Get(ctx, one.ID); err == nil && got.Stale {
					t.Error("stale while Redis is there")
				}
			})
		})
	}
}

func changeElsewhere(ctx context.Context, _, other *session.Store[cart], id session.ID) error {
	_, err := other.Update(ctx, id, func(c *cart) error { c.Items++; return nil })
	return err
}

func changeAndRead(ctx context.Context, mine, other *session.Store[cart], id session.ID) error {
	if err := changeElsewhere(ctx, mine, other, id); err != nil {
		return err
	}
	_, err := mine.Get(ctx, id)
	return err
}

func destroyElsewhere(ctx context.Context, _, other *session.Store[cart], id session.ID) error {
	return other.Destroy(ctx, id)
}

func destroyAllElsewhere(ctx context.Context, _, other *session.Store[cart], _ session.ID) error {
	_, err := other.DestroyAll(ctx, "42")
	return err
}

func destroyAway(ctx context.Context, mine *session.Store[cart], id session.ID) error {
	return mine.Destroy(ctx, id)
}

func destroyAllAway(ctx context.Context, mine *session.Store[cart], _ session.ID) error {
	_, err := mine.DestroyAll(ctx, "42")
	return err
}

func updateAway(ctx context.Context, mine *session.Store[cart], id session.ID) error {
	_, err := mine.Update(ctx, id, func(c *cart) error { c.Items++; return nil })
	return err
}

func TestStaleSessionsAreBounded(t *testing.T) {
	t.Parallel()
	engine, err := embedded.New(embedded.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer engine.Close()
	c := &cuttable{Conn: engine.Connect()}
	s := store(t, c, session.Options{ServeStale: time.Hour, MaxStale: 3})
	var ids []session.ID
	for i := range 5 {
		ids = append(ids, create(t, s, "", cart{Items: i}).ID)
		has(t, s, ids[i], i)
	}
	has(t, s, ids[2], 2) // read last
	has(t, s, ids[0], 0)
	c.cut.Store(true)
	for i, want := range []bool{true, false, true, false, true} {
		if got, err := s.Get(soon(t), ids[i]); (err == nil) != want || err == nil && got.Data.Items != i {
			t.Errorf("session %d: %+v, %v", i, got, err)
		}
	}
}

// A reply that was overtaken by a change is not remembered.
func TestOvertakenReadsAreNotRemembered(t *testing.T) {
	t.Parallel()
	engine, err := embedded.New(embedded.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer engine.Close()
	c := &cuttable{Conn: engine.Connect()}
	mine := store(t, c, session.Options{Namespace: "s", ServeStale: time.Hour})
	other := store(t, engine.Connect(), session.Options{Namespace: "s"})
	one := create(t, other, "42", cart{Items: 1})
	c.after = func() {
		if err := other.Destroy(soon(t), one.ID); err != nil {
			t.Error(err)
		}
	}
	has(t, mine, one.ID, 1)
	c.cut.Store(true)
	if got, err := mine.Get(soon(t), one.ID); !errors.Is(err, session.ErrUnavailable) {
		t.Errorf("%+v, %v", got, err)
	}
}

// A server that is silent costs a moment where there is a copy.
func TestServeStaleWhileSilent(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	s := store(t, dial(t, server.URL()), session.Options{ServeStale: time.Hour})
	one := create(t, s, "42", cart{Items: 1})
	has(t, s, one.ID, 1)
	server.Pause()
	defer server.Resume()
	if got, err := s.Get(soon(t), one.ID); err != nil || !got.Stale || got.Data.Items != 1 {
		t.Errorf("%+v, %v", got, err)
	}
}
