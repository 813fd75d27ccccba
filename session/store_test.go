package session_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/larder-go/larder/conn"
	"github.com/larder-go/larder/embedded"
	"github.com/larder-go/larder/session"
)

func TestLifecycle(t *testing.T) {
	t.Parallel()
	everywhere(t, func(t *testing.T, open func(testing.TB) conn.Conn) {
		ctx, c, ns := soon(t), open(t), namespace()
		s := store(t, c, session.Options{Namespace: ns, IdleTimeout: time.Hour})
		a := create(t, s, "42", cart{Items: 1, Name: "é<&>\"\\"})
		b := create(t, s, "42", cart{Items: 2})
		anonymous := create(t, s, "", cart{Items: 3})

		got, err := s.Get(ctx, a.ID)
		if err != nil || got.User != "42" || got.Data != a.Data || got.Handle != a.Handle || got.Stale {
			t.Errorf("%+v, %v", got, err)
		}
		if got.Expires.Sub(got.Created) != session.DefaultLifetime || !got.Created.Equal(a.Created) || !got.Expires.Equal(a.Expires) {
			t.Errorf("from %v to %v, created from %v to %v", got.Created, got.Expires, a.Created, a.Expires)
		}
		for _, one := range []session.Session[cart]{a, got} {
			if left := one.IdleUntil.Sub(one.Created); left < 59*time.Minute || left > 61*time.Minute {
				t.Errorf("idle for %v, want an hour", left)
			}
		}

		up, err := s.Update(ctx, a.ID, func(c *cart) error { c.Items += 10; return nil })
		if err != nil || up.Data.Items != 11 || up.ID != a.ID || !up.Expires.Equal(a.Expires) {
			t.Errorf("%+v, %v", up, err)
		}
		has(t, s, a.ID, 11)
		refused := errors.New("no")
		if _, err := s.Update(ctx, a.ID, func(c *cart) error { c.Items = 0; return refused }); err != refused { //nolint:errorlint // as it is
			t.Errorf("an error of fn: %v", err)
		}
		has(t, s, a.ID, 11)
		if err := s.Touch(ctx, a.ID); err != nil {
			t.Error(err)
		}

		list, err := s.List(ctx, "42")
		if err != nil || len(list) != 2 {
			t.Fatalf("%d sessions, %v", len(list), err)
		}
		for _, one := range list {
			if one.ID != "" || one.Handle != a.Handle && one.Handle != b.Handle || one.User != "42" {
				t.Errorf("listed: %+v", one)
			}
		}
		if n, err := s.Count(ctx, "42"); n != 2 || err != nil {
			t.Errorf("count %d, %v", n, err)
		}
		if err := s.DestroyHandle(ctx, b.Handle); err != nil {
			t.Error(err)
		}
		gone(t, s, b.ID)
		if n, err := s.Count(ctx, "42"); n != 1 || err != nil {
			t.Errorf("count %d, %v", n, err)
		}
		if n := len(keys(t, c, ns)); n != 4 {
			t.Errorf("%d keys, want two sessions, a generation and an index", n)
		}
		if n, err := s.DestroyAll(ctx, "42"); n != 1 || err != nil {
			t.Errorf("%d destroyed, %v", n, err)
		}
		gone(t, s, a.ID)
		has(t, s, anonymous.ID, 3)
		for range 2 {
			if err := s.Destroy(ctx, anonymous.ID); err != nil {
				t.Error(err)
			}
		}
		gone(t, s, anonymous.ID)
		if left := keys(t, c, ns); len(left) != 0 {
			t.Errorf("left behind: %q", left)
		}
	})
}

func TestWhatIsNotThere(t *testing.T) {
	t.Parallel()
	everywhere(t, func(t *testing.T, open func(testing.TB) conn.Conn) {
		ctx := soon(t)
		s := store(t, open(t), session.Options{})
		for _, id := range []session.ID{
			"", "x", session.ID(strings.Repeat("a", 59)), session.ID(strings.Repeat("}", 59)), session.ID(strings.Repeat("a", 1<<20)),
		} {
			_, getErr := s.Get(ctx, id)
			_, updateErr := s.Update(ctx, id, func(*cart) error { t.Error("called"); return nil })
			_, renewErr := s.Renew(ctx, id, "1", nil)
			_, moveErr := s.Renew(ctx, id, "", nil)
			for op, err := range map[string]error{"get": getErr, "update": updateErr, "renew": renewErr, "move": moveErr, "touch": s.Touch(ctx, id)} {
				if !errors.Is(err, session.ErrNotFound) {
					t.Errorf("%s: %v", op, err)
				}
			}
			if err := s.Destroy(ctx, id); err != nil {
				t.Error(err)
			}
		}
		if list, err := s.List(ctx, "nobody"); len(list) != 0 || err != nil {
			t.Errorf("%v, %v", list, err)
		}
		if n, err := s.DestroyAll(ctx, "nobody"); n != 0 || err != nil {
			t.Errorf("%d, %v", n, err)
		}
		for _, bad := range []string{"", "x", "a.b", "{}aaaaaaaaaaaaaa." + strings.Repeat("00", 32)} {
			if err := s.DestroyHandle(ctx, bad); err == nil {
				t.Errorf("handle %q accepted", bad)
			}
		}
	})
}

// 100 goroutines update one session; some of them give it a new id meanwhile.
func TestConcurrentUpdatesLoseNothing(t *testing.T) {
	t.Parallel()
	everywhere(t, func(t *testing.T, open func(testing.TB) conn.Conn) {
		const goroutines, each = 100, 3
		ns := namespace()
		stores := []*session.Store[cart]{
			store(t, open(t), session.Options{Namespace: ns}), store(t, open(t), session.Options{Namespace: ns, IdleTimeout: time.Hour}),
		}
		one := create(t, stores[0], "42", cart{})
		ctx := soon(t)
		var wg sync.WaitGroup
		for g := range goroutines {
			wg.Go(func() {
				for range each {
					if _, err := stores[g%2].Update(ctx, one.ID, func(c *cart) error { c.Items++; return nil }); err != nil {
						t.Error(err)
					}
				}
			})
		}
		wg.Wait()
		has(t, stores[0], one.ID, goroutines*each)
	})
}

// Each update that has returned nil is in the session that was renewed, whatever
// the user becomes.
func TestUpdatesDuringRenew(t *testing.T) {
	t.Parallel()
	everywhere(t, func(t *testing.T, open func(testing.TB) conn.Conn) {
		s := store(t, open(t), session.Options{})
		for _, tt := range []struct{ before, after string }{{"", "42"}, {"42", "42"}, {"42", ""}, {"42", "43"}, {"", ""}} {
			ctx, old := soon(t), create(t, s, tt.before, cart{})
			var mu sync.Mutex
			updated := 0
			var wg sync.WaitGroup
			started := make(chan struct{}, 8)
			for range 8 {
				wg.Go(func() {
					for {
						_, err := s.Update(ctx, old.ID, func(c *cart) error { c.Items++; return nil })
						if errors.Is(err, session.ErrNotFound) {
							return
						}
						if errors.Is(err, session.ErrConflict) {
							continue // a busy machine
						}
						if err != nil {
							t.Error(err)
							return
						}
						mu.Lock()
						updated++
						mu.Unlock()
						select {
						case started <- struct{}{}:
						default:
						}
					}
				})
			}
			<-started
			fresh, err := s.Renew(ctx, old.ID, tt.after, func(c *cart) error { c.Name = "renewed"; return nil })
			for errors.Is(err, session.ErrConflict) {
				fresh, err = s.Renew(ctx, old.ID, tt.after, func(c *cart) error { c.Name = "renewed"; return nil })
			}
			if err != nil {
				t.Fatal(err)
			}
			wg.Wait()
			gone(t, s, old.ID)
			if fresh.User != tt.after || fresh.ID == old.ID || fresh.Data.Name != "renewed" {
				t.Errorf("%+v: %+v", tt, fresh)
			}
			if same := tt.before == tt.after; same != fresh.Expires.Equal(old.Expires) && same {
				t.Errorf("%+v: the end moved from %v to %v", tt, old.Expires, fresh.Expires)
			}
			mu.Lock()
			has(t, s, fresh.ID, updated)
			mu.Unlock()
		}
		for user, want := range map[string]int{"42": 2, "43": 1} {
			if n, err := s.Count(soon(t), user); n != want || err != nil {
				t.Errorf("%s has %d sessions, %v; want %d", user, n, err, want)
			}
		}
	})
}

// After DestroyAll has returned, nothing that was created before it began is left,
// however it is renewed and updated meanwhile; and what the user has now is what the
// index knows.
func TestDestroyAllDuringCreates(t *testing.T) {
	t.Parallel()
	everywhere(t, func(t *testing.T, open func(testing.TB) conn.Conn) {
		const writers, each = 6, 40
		ns := namespace()
		var mu sync.Mutex
		var known []session.ID // whose Create or Renew has returned
		add := func(id session.ID) {
			mu.Lock()
			defer mu.Unlock()
			known = append(known, id)
		}
		var wg sync.WaitGroup
		conns := []conn.Conn{open(t), open(t)}
		for w := range writers {
			s := store(t, conns[w%len(conns)], session.Options{Namespace: ns, MaxPerUser: 10_000})
			wg.Go(func() {
				ctx := soon(t)
				for range each {
					one, err := s.Create(ctx, "42", cart{Items: 1})
					if err != nil {
						t.Error(err)
						return
					}
					add(one.ID)
					again, err := s.Renew(ctx, one.ID, "42", nil)
					if errors.Is(err, session.ErrNotFound) {
						continue
					}
					if err != nil {
						t.Error(err)
						return
					}
					add(again.ID)
					if _, err := s.Update(ctx, again.ID, func(c *cart) error { c.Items++; return nil }); err != nil && !errors.Is(err, session.ErrNotFound) {
						t.Error(err)
					}
				}
			})
		}
		s := store(t, open(t), session.Options{Namespace: ns, MaxPerUser: 10_000})
		destroyAll := func() {
			mu.Lock()
			before := known
			known = nil
			mu.Unlock()
			if _, err := s.DestroyAll(soon(t), "42"); err != nil {
				t.Fatal(err)
			}
			for _, id := range before {
				gone(t, s, id)
			}
		}
		done := make(chan struct{})
		go func() {
			defer close(done)
			wg.Wait()
		}()
		for running := true; running; {
			select {
			case <-done:
				running = false
			default:
			}
			destroyAll() // also once after the last writer
		}
		if n, err := s.Count(soon(t), "42"); n != 0 || err != nil {
			t.Errorf("count %d, %v", n, err)
		}
		if list, err := s.List(soon(t), "42"); len(list) != 0 || err != nil {
			t.Errorf("%d listed, %v", len(list), err)
		}
	})
}

// A change that was under way when all sessions were ended fails.
func TestDestroyAllDuringChanges(t *testing.T) {
	t.Parallel()
	everywhere(t, func(t *testing.T, open func(testing.TB) conn.Conn) {
		ctx, s := soon(t), store(t, open(t), session.Options{})
		for name, change := range map[string]func(id session.ID, fn func(*cart) error) (session.Session[cart], error){
			"update": func(id session.ID, fn func(*cart) error) (session.Session[cart], error) { return s.Update(ctx, id, fn) },
			"renew": func(id session.ID, fn func(*cart) error) (session.Session[cart], error) {
				return s.Renew(ctx, id, "42", fn)
			},
			"move": func(id session.ID, fn func(*cart) error) (session.Session[cart], error) {
				return s.Renew(ctx, id, "43", fn)
			},
		} {
			// Also where only the step that counts has been taken, and the memory was not freed.
			for _, freed := range []bool{true, false} {
				one := create(t, s, "42", cart{})
				again, err := change(one.ID, func(c *cart) error {
					c.Items++
					if freed {
						_, err := s.DestroyAll(ctx, "42")
						return err
					}
					return s.EndGeneration(ctx, "42")
				})
				if !errors.Is(err, session.ErrNotFound) {
					t.Errorf("%s: %+v, %v", name, again, err)
				}
				gone(t, s, one.ID)
				for _, user := range []string{"42", "43"} {
					if n, err := s.Count(ctx, user); n != 0 || err != nil {
						t.Errorf("%s: user %s has %d sessions, %v", name, user, n, err)
					}
				}
			}
		}
	})
}

// Whoever reads Redis cannot log in.
func TestRedisHoldsNoIDs(t *testing.T) {
	t.Parallel()
	engine, err := embedded.New(embedded.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer engine.Close()
	c, ctx := engine.Connect(), soon(t)
	s := store(t, c, session.Options{Namespace: "s"})
	one := create(t, s, "42", cart{Items: 1})
	anonymous := create(t, s, "", cart{Items: 1})
	var all []string
	for _, key := range keys(t, c, "s") {
		all = append(all, key)
		if v, err := c.Do(ctx, conn.Key("GET", key)); err == nil {
			all = append(all, v.Str)
		} else if v, err := c.Do(ctx, conn.Key("ZRANGE", key, "0", "-1")); err == nil {
			for _, e := range v.Elems {
				all = append(all, e.Str)
			}
		}
	}
	for _, id := range []session.ID{one.ID, anonymous.ID} {
		sum := sha256.Sum256([]byte(id))
		if !contains(all, hex.EncodeToString(sum[:])) {
			t.Error("the hash is not there")
		}
		if contains(all, string(id)) || contains(all, string(id[16:])) {
			t.Error("Redis holds an id")
		}
		text := fmt.Sprintf("%v %+v %#v %s %q", one, one, one, one.ID, one.ID)
		b := new(strings.Builder)
		slog.New(slog.NewJSONHandler(b, nil)).InfoContext(ctx, "x", "id", id)
		if strings.Contains(text+b.String(), string(id)) {
			t.Errorf("the id is printed: %s %s", text, b)
		}
	}
}

func TestExpiryOnTheDot(t *testing.T) {
	t.Parallel()
	const idle, life = time.Minute, 3 * time.Minute
	for name, tt := range map[string]struct {
		idle  time.Duration
		use   func(*session.Store[cart], session.ID) error
		every time.Duration // between uses
		want  time.Duration
	}{
		"unused":                {idle, nil, 0, idle},
		"without an idle time":  {0, nil, 0, life},
		"touched":               {idle, touch, 59 * time.Second, life},
		"updated":               {idle, update, 59 * time.Second, life},
		"updated to the same":   {idle, same, 59 * time.Second, life},
		"read":                  {idle, read, 59 * time.Second, idle},
		"touched, no idle time": {0, touch, 59 * time.Second, life},
		"touched too late":      {idle, touch, 2 * time.Minute, idle},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				engine, err := embedded.New(embedded.Options{})
				if err != nil {
					t.Fatal(err)
				}
				defer engine.Close()
				c := engine.Connect()
				s, err := session.New[cart](c, session.Options{Lifetime: life, IdleTimeout: tt.idle})
				if err != nil {
					t.Fatal(err)
				}
				begin := time.Now()
				one, err := s.Create(t.Context(), "42", cart{Items: 1})
				if err != nil {
					t.Fatal(err)
				}
				if tt.use != nil {
					for at := tt.every; at < tt.want; at += tt.every {
						time.Sleep(time.Until(begin.Add(at)))
						if err := tt.use(s, one.ID); err != nil {
							t.Fatalf("after %v: %v", at, err)
						}
					}
				}
				time.Sleep(time.Until(begin.Add(tt.want - time.Millisecond)))
				if _, err := s.Get(t.Context(), one.ID); err != nil {
					t.Errorf("a millisecond before its end: %v", err)
				}
				if n, err := s.Count(t.Context(), "42"); n != 1 || err != nil {
					t.Errorf("count %d, %v", n, err)
				}
				time.Sleep(time.Millisecond)
				if _, err := s.Get(t.Context(), one.ID); !errors.Is(err, session.ErrNotFound) {
					t.Errorf("at its end: %v", err)
				}
				if n, err := s.Count(t.Context(), "42"); n != 0 || err != nil {
					t.Errorf("count %d, %v", n, err)
				}
				// With the longest life that it may have had, the user is forgotten.
				time.Sleep(time.Until(begin.Add(life)))
				if v, err := c.Do(t.Context(), conn.Cmd("DBSIZE")); v.Int != 0 || err != nil {
					t.Errorf("%d keys are left, %v", v.Int, err)
				}
			})
		})
	}
}

func touch(s *session.Store[cart], id session.ID) error { return s.Touch(context.Background(), id) }

func update(s *session.Store[cart], id session.ID) error {
	_, err := s.Update(context.Background(), id, func(c *cart) error { c.Items++; return nil })
	return err
}

func same(s *session.Store[cart], id session.ID) error {
	_, err := s.Update(context.Background(), id, func(*cart) error { return nil })
	return err
}

func read(s *session.Store[cart], id session.ID) error {
	_, err := s.Get(context.Background(), id)
	return err
}

func TestMaxPerUser(t *testing.T) {
	t.Parallel()
	everywhere(t, func(t *testing.T, open func(testing.TB) conn.Conn) {
		c, ns := open(t), namespace()
		s := store(t, c, session.Options{Namespace: ns, MaxPerUser: 2, IdleTimeout: time.Hour})
		var ids []session.ID
		for i := range 5 {
			ids = append(ids, create(t, s, "42", cart{Items: i}).ID)
		}
		has(t, s, ids[4], 4)
		if n, err := s.Count(soon(t), "42"); n != 2 || err != nil {
			t.Errorf("count %d, %v", n, err)
		}
		if n := len(keys(t, c, ns)); n != 4 {
			t.Errorf("%d keys, want two sessions, generation and index", n)
		}
	})
}

// Metadata that Redis has evicted logs out; it never brings a session back.
func TestEvictedMetadata(t *testing.T) {
	t.Parallel()
	everywhere(t, func(t *testing.T, open func(testing.TB) conn.Conn) {
		c, ns := open(t), namespace()
		s := store(t, c, session.Options{Namespace: ns, IdleTimeout: time.Hour})
		lose := func(suffix string) {
			for _, key := range keys(t, c, ns) {
				if strings.HasSuffix(key, suffix) {
					if _, err := c.Do(soon(t), conn.Key("DEL", key)); err != nil {
						t.Fatal(err)
					}
				}
			}
		}
		one := create(t, s, "42", cart{Items: 1})
		lose(":index")
		has(t, s, one.ID, 1)
		if err := s.Touch(soon(t), one.ID); err != nil { // puts it back into the index
			t.Fatal(err)
		}
		if n, err := s.Count(soon(t), "42"); n != 1 || err != nil {
			t.Errorf("count %d, %v", n, err)
		}
		lose(":index")
		if _, err := s.DestroyAll(soon(t), "42"); err != nil {
			t.Fatal(err)
		}
		gone(t, s, one.ID)

		two := create(t, s, "42", cart{Items: 2})
		lose(":generation")
		gone(t, s, two.ID)
		if err := s.Touch(soon(t), two.ID); !errors.Is(err, session.ErrNotFound) {
			t.Errorf("touch: %v", err)
		}
		create(t, s, "42", cart{})
		gone(t, s, two.ID)
		if list, err := s.List(soon(t), "42"); len(list) != 1 || err != nil {
			t.Errorf("%d listed, %v", len(list), err)
		}
		if n, err := s.Count(soon(t), "42"); n != 1 || err != nil {
			t.Errorf("count %d, %v", n, err)
		}
		keys(t, c, ns)
	})
}

func TestTooLargeAndBroken(t *testing.T) {
	t.Parallel()
	engine, err := embedded.New(embedded.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer engine.Close()
	c, ctx := engine.Connect(), soon(t)
	s := store(t, c, session.Options{Namespace: "s", MaxBytes: 50})
	big := func(c *cart) error { c.Name = strings.Repeat("x", 50); return nil }
	if _, err := s.Create(ctx, "", cart{Name: strings.Repeat("x", 50)}); !errors.Is(err, session.ErrTooLarge) {
		t.Errorf("create: %v", err)
	}
	one := create(t, s, "42", cart{Items: 1})
	if _, err := s.Update(ctx, one.ID, big); !errors.Is(err, session.ErrTooLarge) {
		t.Errorf("update: %v", err)
	}
	has(t, s, one.ID, 1)
	if _, err := s.Create(ctx, strings.Repeat("u", session.MaxUserBytes+1), cart{}); err == nil {
		t.Error("a long user")
	}
	if _, err := s.Create(ctx, "\xff", cart{}); err == nil {
		t.Error("a user that is no text")
	}

	other, err := session.New[[]int](c, session.Options{Namespace: "s"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := other.Get(ctx, one.ID); !errors.Is(err, session.ErrCorrupt) || errors.Is(err, session.ErrNotFound) {
		t.Errorf("another type: %v", err)
	}
	unencodable, err := session.New[func()](c, session.Options{Namespace: "s"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := unencodable.Create(ctx, "", nil); err == nil {
		t.Error("a function was encoded")
	}
	sum := sha256.Sum256([]byte(one.ID))
	key := "s:{" + string(one.ID[:16]) + "}:" + hex.EncodeToString(sum[:])
	for _, raw := range []string{"", "x", "{}", `{"rev":"a","gen":"","created":1,"expires":2,"user":"","data":`} {
		if _, err := c.Do(ctx, conn.Key("SET", key, raw, "EX", "10")); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Get(ctx, one.ID); !errors.Is(err, session.ErrCorrupt) {
			t.Errorf("%q: %v", raw, err)
		}
		if err := s.Destroy(ctx, one.ID); err != nil {
			t.Error(err)
		}
	}
}

// What other programs may rely on: see docs/session.md.
func TestWireFormat(t *testing.T) {
	t.Parallel()
	everywhere(t, func(t *testing.T, open func(testing.TB) conn.Conn) {
		c, ns := open(t), namespace()
		s := store(t, c, session.Options{Namespace: ns})
		one := create(t, s, "Ann \"<é>\"", cart{Items: 1, Name: "x"})
		sum := sha256.Sum256([]byte(one.ID))
		prefix := ns + ":{" + string(one.ID[:16]) + "}:"
		v, err := c.Do(soon(t), conn.Key("MGET", prefix+hex.EncodeToString(sum[:]), prefix+"generation"))
		if err != nil {
			t.Fatal(err)
		}
		var got struct {
			Rev, Gen, User   string
			Created, Expires int64
			Data             json.RawMessage
		}
		if err := json.Unmarshal([]byte(v.Elems[0].Str), &got); err != nil {
			t.Fatalf("%v: %s", err, v.Elems[0].Str)
		}
		if got.User != "Ann \"<é>\"" || got.Gen == "" || got.Gen != v.Elems[1].Str || len(got.Rev) != 16 ||
			got.Created != one.Created.UnixMilli() || got.Expires != one.Expires.UnixMilli() || string(got.Data) != `{"Items":1,"Name":"x"}` {
			t.Errorf("%s", v.Elems[0].Str)
		}
		again, err := s.Get(soon(t), one.ID)
		if err != nil || again.User != one.User {
			t.Errorf("%+v, %v", again, err)
		}
	})
}

func TestOptions(t *testing.T) {
	t.Parallel()
	c, err := embedded.Open(soon(t))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	for field, o := range map[string]session.Options{
		"Namespace":   {Namespace: "a{b}"},
		"Lifetime":    {Lifetime: -1},
		"Lifetime ":   {Lifetime: 500 * 24 * time.Hour},
		"IdleTimeout": {IdleTimeout: 8 * 24 * time.Hour},
		"MaxPerUser":  {MaxPerUser: -1},
		"MaxBytes":    {MaxBytes: 1 << 30},
		"Keys[0]":     {Keys: make([]session.Key, 1)},
		"ServeStale":  {ServeStale: -1},
		"MaxStale":    {MaxStale: -1},
	} {
		var oe *session.OptionError
		if _, err := session.New[cart](c, o); !errors.As(err, &oe) || oe.Field != "Options."+strings.TrimSpace(field) {
			t.Errorf("%s: %v", field, err)
		}
	}
	if _, err := session.New[cart](nil, session.Options{}); err == nil {
		t.Error("nil accepted")
	}
}
