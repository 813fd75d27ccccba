package cachetest

import (
	"context"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/larder-go/larder"
	"github.com/larder-go/larder/conn"
)

// Backend is where RunCache keeps its values.
type Backend struct {
	// Open returns another connection to the same server; each caller gets its
	// own, as a process would, and the suite closes it. Nil means that there is
	// no server: the caches are local, and what needs two instances is left out.
	Open func(t *testing.T) conn.Conn
	// NoL1 runs the suite without values in the process.
	NoL1 bool
}

// RunCache checks that a cache over a backend keeps Larder's promises. Several
// runs may share a server: each test has namespaces and tags of its own.
func RunCache(t *testing.T, b Backend) {
	for _, group := range []map[string]func(*testing.T, *instance){
		readTests, writeTests, throughTests, commitTests, fenceTests, manyTests, itemTests, boundTests,
	} {
		for name, test := range group {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				test(t, newInstance(t, b))
			})
		}
	}
	if b.Open != nil {
		for _, group := range []map[string]func(*testing.T, *instance){sharedTests, sharedThroughTests, sharedCommitTests, sharedItemTests} {
			for name, test := range group {
				t.Run(name, func(t *testing.T) {
					t.Parallel()
					test(t, newInstance(t, b))
				})
			}
		}
	}
}

// instance is what one process of a test has: a connection, and names that no
// other test uses.
type instance struct {
	b    Backend
	conn conn.Conn
	id   string
}

func newInstance(t *testing.T, b Backend) *instance {
	t.Helper()
	in := &instance{b: b, id: fmt.Sprintf("t%016x", rand.Uint64())}
	if b.Open != nil {
		in.conn = b.Open(t)
		t.Cleanup(func() { in.checkExpiry(t) })
	}
	return in
}

// another returns a further instance of the same names.
func (in *instance) another(t *testing.T) *instance {
	t.Helper()
	other := &instance{b: in.b, conn: in.b.Open(t), id: in.id}
	t.Cleanup(func() { _ = other.conn.Close() })
	return other
}

// tag makes a tag's name unique to the test.
func (in *instance) tag(name string) string { return in.id + "/" + name }

// checkExpiry is P7: whatever the test has left in Redis expires.
func (in *instance) checkExpiry(t *testing.T) {
	t.Helper()
	for _, pattern := range []string{in.id + "*", "~ns:" + in.id + "*", "~tag:" + in.id + "*"} {
		err := in.conn.Scan(context.Background(), pattern, func(keys []string) error {
			for _, key := range keys {
				v, err := in.conn.Do(context.Background(), conn.Key("PTTL", key))
				if err != nil {
					return err
				}
				if v.Int == -1 {
					t.Errorf("P7: the key %q has no expiry", key)
				}
			}
			return nil
		})
		if err != nil {
			t.Errorf("scanning for keys without expiry: %v", err)
		}
	}
	if err := in.conn.Close(); err != nil {
		t.Errorf("close: %v", err)
	}
}

// open makes a cache of the instance, with the test's defaults where o has none.
func open[K comparable, V any](t *testing.T, in *instance, o larder.Options[K, V]) *larder.Cache[K, V] {
	t.Helper()
	o.Namespace = in.id + o.Namespace
	if o.TTL == 0 {
		o.TTL = time.Minute
	}
	if in.conn == nil {
		o.Local = true
	}
	if in.b.NoL1 {
		o.L1MaxBytes = -1
	}
	if o.CacheTimeout == 0 {
		o.CacheTimeout = 10 * time.Second // a loaded machine is not a fault
	}
	c, err := larder.New(in.conn, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

// within bounds what a test waits for.
const within = 20 * time.Second

func testContext(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), within)
	t.Cleanup(cancel)
	return ctx
}

// eventually asks until the answer is yes.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	deadline := time.After(within)
	for !ok() {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("%s: not within %v", what, within)
		}
	}
}

// receive takes one value from a channel.
func receive[T any](t *testing.T, what string, ch <-chan T) T {
	t.Helper()
	select {
	case v := <-ch:
		return v
	case <-time.After(within):
		t.Fatalf("%s: not within %v", what, within)
		panic("unreachable")
	}
}

// want compares a Get's result.
func want[V comparable](t *testing.T, got V, err error, expected V) {
	t.Helper()
	if err != nil {
		t.Fatalf("error %v, want %v", err, expected)
	}
	if got != expected {
		t.Fatalf("got %v, want %v", got, expected)
	}
}
