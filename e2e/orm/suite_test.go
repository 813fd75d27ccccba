package orm

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"reflect"
	"runtime"
	"testing"
	"time"

	"github.com/larder-go/larder"
	"github.com/larder-go/larder/conn"
	"github.com/larder-go/larder/sqlcache"
)

// bench is a store over a bare database, and over two that are wrapped.
type bench struct {
	bare    store
	wrapped [2]store
	dbs     [2]*sql.DB
}

// reads are all that a store can be asked.
var reads = []struct {
	name string
	run  func(context.Context, store) (any, error)
}{
	{"user", func(ctx context.Context, s store) (any, error) { return s.user(ctx, 1) }},
	{"other user", func(ctx context.Context, s store) (any, error) { return s.user(ctx, 2) }},
	{"users", func(ctx context.Context, s store) (any, error) { return s.users(ctx) }},
	{"with orders", func(ctx context.Context, s store) (any, error) { return s.withOrders(ctx) }},
	{"lines", func(ctx context.Context, s store) (any, error) { return s.lines(ctx) }},
	{"count", func(ctx context.Context, s store) (any, error) { return s.count(ctx) }},
}

// person makes a new user of an e-mail address.
func person(name, email string, balance int64) User {
	return User{
		Name: name, Email: &email, Balance: balance,
		Settings: json.RawMessage(`{"size": 1.50}`), Joined: time.Unix(1_700_000_000, 123_456_000),
	}
}

// writes are made in this order, each through one of the two wrapped databases.
var writes = []struct {
	name    string
	through int
	run     func(context.Context, store) error
	refused bool
}{
	{"create", 0, func(ctx context.Context, s store) error {
		u := person("fay", "", 0)
		u.Email = nil
		err := s.create(ctx, &u)
		if err == nil && u.ID != 100 {
			err = errors.New("it has no ID")
		}
		return err
	}, false},
	{"create elsewhere", 1, func(ctx context.Context, s store) error {
		u := person("gus", "gus@example.com", 5)
		return s.create(ctx, &u)
	}, false},
	{"order", 0, func(ctx context.Context, s store) error { return s.order(ctx, 2, "12.50") }, false},
	{"order elsewhere", 1, func(ctx context.Context, s store) error { return s.order(ctx, 100, "7.00") }, false},
	{"update", 0, func(ctx context.Context, s store) error { return s.rename(ctx, 1, "ada l.") }, false},
	{"update elsewhere", 1, func(ctx context.Context, s store) error { return s.rename(ctx, 1, "ada b.") }, false},
	{"upsert of a new row", 0, func(ctx context.Context, s store) error {
		return s.upsert(ctx, person("hal", "hal@example.com", 0))
	}, false},
	{"upsert of an old row", 0, func(ctx context.Context, s store) error {
		return s.upsert(ctx, person("ada again", "ada@example.com", 70))
	}, false},
	{"upsert elsewhere", 1, func(ctx context.Context, s store) error {
		return s.upsert(ctx, person("ada still", "ada@example.com", 80))
	}, false},
	{"transaction", 0, func(ctx context.Context, s store) error { return s.transfer(ctx, 1, 2, 30) }, false},
	{"transaction elsewhere", 1, func(ctx context.Context, s store) error { return s.transfer(ctx, 2, 1, 5) }, false},
	{"rollback", 0, func(ctx context.Context, s store) error { return s.transfer(ctx, 1, 2, 10_000) }, true},
	{"rollback elsewhere", 1, func(ctx context.Context, s store) error { return s.transfer(ctx, 2, 1, 10_000) }, true},
	// With the orders, by a cascade; user 1 stays.
	{"delete", 0, func(ctx context.Context, s store) error { return s.remove(ctx, 3) }, false},
	{"delete elsewhere", 1, func(ctx context.Context, s store) error { return s.remove(ctx, 2) }, false},
	{"delete of the first", 0, func(ctx context.Context, s store) error { return s.remove(ctx, 1) }, false},
}

func TestLibraries(t *testing.T) {
	t.Parallel()
	for where, connect := range map[string]func(*testing.T) func() conn.Conn{"embedded": engine, "redis": server} {
		for library, of := range libraries {
			t.Run(where+"/"+library, func(t *testing.T) {
				t.Parallel()
				bare, wrapped := open(t, connect(t))
				b := bench{dbs: wrapped}
				var err error
				if b.bare, err = of(bare); err != nil {
					t.Fatal(err)
				}
				for i, db := range wrapped {
					if b.wrapped[i], err = of(db); err != nil {
						t.Fatal(err)
					}
				}
				b.run(t)
			})
		}
	}
}

func (b bench) run(t *testing.T) {
	ctx := t.Context()
	b.compare(t, "at first", 0)
	for _, w := range writes {
		before := stats(t, b.dbs[w.through])
		if err := w.run(ctx, b.wrapped[w.through]); (err != nil) != w.refused {
			t.Fatalf("%s: %v", w.name, err)
		}
		after := stats(t, b.dbs[w.through])
		if invalidated := after.Writes > before.Writes; invalidated == w.refused {
			t.Errorf("%s: %d writes are counted", w.name, after.Writes-before.Writes)
		}
		b.compare(t, w.name, w.through)
	}
	for i, db := range b.dbs {
		if s := stats(t, db); s.Failures > 0 || s.Pending > 0 {
			t.Errorf("database %d: %+v", i, s)
		}
	}
}

// compare makes all reads: through the database that has just been written to, where
// they must show it at once, and through the other, which may be behind by the push.
func (b bench) compare(t *testing.T, when string, written int) {
	t.Helper()
	for _, r := range reads {
		want, wantErr := r.run(t.Context(), b.bare)
		alike := func(i int) (any, error, bool) {
			got, err := r.run(t.Context(), b.wrapped[i])
			return got, err, reflect.DeepEqual(got, want) && reflect.DeepEqual(err, wantErr)
		}
		other := 1 - written
		if got, err, ok := alike(written); !ok {
			t.Errorf("%s, %s: got %+v, %v; want %+v, %v", when, r.name, got, err, want, wantErr)
		}
		for bound := time.Now().Add(larder.DefaultStalenessBound); ; runtime.Gosched() {
			began := time.Now()
			got, err, ok := alike(other)
			if ok {
				break
			}
			if began.After(bound) {
				t.Errorf("%s, %s elsewhere: got %+v, %v; want %+v, %v", when, r.name, got, err, want, wantErr)
				break
			}
		}
		if wantErr != nil {
			continue // it was deleted: what is not there is not stored
		}
		for i := range b.wrapped {
			before := stats(t, b.dbs[i])
			if got, err, ok := alike(i); !ok {
				t.Errorf("%s, %s in database %d, again: got %+v, %v; want %+v", when, r.name, i, got, err, want)
			}
			if after := stats(t, b.dbs[i]); after.Hits == before.Hits || asked(after) != asked(before) {
				t.Errorf("%s, %s in database %d, again: not a hit: %+v", when, r.name, i, after)
			}
		}
	}
}

// asked is how many queries have reached the database.
func asked(s sqlcache.Stats) (n uint64) {
	for _, bypassed := range s.Bypassed {
		n += bypassed
	}
	return n + s.Misses
}
