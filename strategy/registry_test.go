package strategy_test

import (
	"errors"
	"fmt"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/larder-go/larder/conn"
	"github.com/larder-go/larder/observe"
	"github.com/larder-go/larder/strategy"
)

func TestPublishAndRead(t *testing.T) {
	t.Parallel()
	everywhere(t, func(t *testing.T, c conn.Conn) {
		if doc := read(t, c); len(doc.Services) != 0 || len(doc.Warnings) != 0 {
			t.Fatalf("of an empty Redis: %+v", doc)
		}
		shop := registry(t, c, strategy.Options{Service: "shop"})
		publish(t, shop) // nothing, which is no error
		about := complete
		about.Source, about.Tags, about.Shared = []string{"PostgreSQL: users"}, []string{"users"}, true
		declare(t, shop, cache("user"), about)
		topic := observe.Subject{Kind: observe.Topic, Name: "news", Pattern: "news", Type: "channel"}
		declare(t, shop, topic, strategy.About{Purpose: "news", Owner: "desk", Criticality: strategy.Low})
		publish(t, shop)
		publish(t, shop) // again, which changes nothing
		doc := read(t, c)
		if got := services(doc); got != "shop v1×1" || len(doc.Warnings) != 0 {
			t.Fatalf("%s, warnings %+v", got, doc.Warnings)
		}
		s := doc.Services[0]
		if want := shop.Declared(); !reflect.DeepEqual(s.Declarations, want) || len(want) != 2 {
			t.Errorf("declared %+v, read %+v", want, s.Declarations)
		}
		if s.Convention != strategy.DefaultConvention || s.Since.After(doc.At) || !s.Until.After(doc.At.Add(23*time.Hour)) {
			t.Errorf("%+v at %v", s, doc.At)
		}
		claim, found := doc.Find(observe.Cache, "user")
		if !found || claim.Name != "shop" || claim.Declaration.About.Owner != "accounts" {
			t.Errorf("%v: %+v", found, claim)
		}
		if claims := doc.Lookup(observe.Limiter, "user"); len(claims) != 0 {
			t.Errorf("of another kind: %+v", claims)
		}
		if _, found := doc.Find(observe.Cache, "use"); found {
			t.Error("found what nobody has declared")
		}
		allExpire(t, c)
	})
}

// allExpire checks that the registry leaves nothing without an expiry, in one slot.
func allExpire(t *testing.T, c conn.Conn) {
	t.Helper()
	n := 0
	err := c.Scan(soon(t), "*", func(keys []string) error {
		for _, key := range keys {
			n++
			if !strings.HasPrefix(key, "{larder:strategy}:") {
				t.Errorf("the key %q", key)
			}
			v, err := c.Do(soon(t), conn.Key("PTTL", key))
			if err != nil || v.Int <= 0 || v.Int > (24*time.Hour).Milliseconds() {
				t.Errorf("%q expires in %d ms, error %v", key, v.Int, err)
			}
		}
		return nil
	})
	if err != nil || n < 3 {
		t.Errorf("%d keys, error %v", n, err)
	}
}

// While a deployment is under way both versions are seen; after it the new one alone.
func TestDeployment(t *testing.T) {
	t.Parallel()
	everywhere(t, func(t *testing.T, c conn.Conn) {
		start := func(version string, ttl time.Duration) *strategy.Registry {
			r := registry(t, c, strategy.Options{Service: "shop", Version: version})
			s := cache("user")
			s.TTL = ttl
			declare(t, r, s, complete)
			publish(t, r)
			return r
		}
		stop := func(r *strategy.Registry, want string) {
			t.Helper()
			if err := r.Close(); err != nil {
				t.Fatal(err)
			}
			if got := services(read(t, c)); got != want {
				t.Errorf("%s, want %s", got, want)
			}
		}
		old := []*strategy.Registry{start("v1", time.Minute), start("v1", time.Minute)}
		before := read(t, c)
		if got := services(before); got != "shop v1×2" {
			t.Fatal(got)
		}
		young := start("v2", time.Hour)
		stop(old[0], "shop v2×1, shop v1×1")
		during := read(t, c)
		if md := during.Markdown(); !strings.Contains(md, "| `user` | shop `v2` |") || !strings.Contains(md, "| `user` | shop `v1` |") {
			t.Error(md)
		}
		if claim, _ := during.Find(observe.Cache, "user"); claim.Version != "v2" {
			t.Errorf("the newest is %s", claim.Version)
		}
		if len(during.Warnings) != 0 {
			t.Errorf("a deployment is no reason to warn: %+v", during.Warnings)
		}
		stop(old[1], "shop v2×1")
		want := strategy.Diff{Changes: []strategy.Change{
			{Service: "shop", What: "changed", Fields: []strategy.FieldChange{{Field: "version", Old: "v1", New: "v2"}}},
			{Service: "shop", Kind: observe.Cache, Name: "user", What: "changed", Fields: []strategy.FieldChange{{Field: "TTL", Old: "1m", New: "1h"}}},
		}}
		if diff := read(t, c).Diff(before); !reflect.DeepEqual(diff, want) {
			t.Errorf("%+v", diff)
		}
		stop(young, "shop v2×0")
		gone := read(t, c)
		if len(gone.Warnings) != 1 || gone.Warnings[0].Code != strategy.Abandoned || len(gone.Services[0].Declarations) != 1 {
			t.Errorf("%+v", gone)
		}
	})
}

// A process that declares more later is seen once.
func TestDeclareMore(t *testing.T) {
	t.Parallel()
	c := engine(t)
	r := registry(t, c, strategy.Options{Service: "shop"})
	for _, name := range []string{"a", "c", "b"} {
		declare(t, r, cache(name), complete)
		publish(t, r)
	}
	doc := read(t, c)
	if services(doc) != "shop v1×1" || len(doc.Services[0].Declarations) != 3 || doc.Services[0].Declarations[1].Name != "b" {
		t.Errorf("%+v", doc.Services)
	}
}

// A Redis that has lost everything gets it again by the next renewal.
func TestLostRegistry(t *testing.T) {
	t.Parallel()
	everywhere(t, func(t *testing.T, c conn.Conn) {
		r := registry(t, c, strategy.Options{Service: "shop"})
		declare(t, r, cache("user"), complete)
		publish(t, r)
		for _, key := range []string{"sets", "processes", "set:" + read(t, c).Services[0].Set} {
			if v, err := c.Do(soon(t), conn.Key("UNLINK", "{larder:strategy}:"+key)); err != nil || v.Int != 1 {
				t.Fatal(key, v, err)
			}
		}
		publish(t, r)
		if got := services(read(t, c)); got != "shop v1×1" {
			t.Error(got)
		}
	})
}

// Everything at once, from many goroutines; nothing is lost, and Close ends it.
func TestConcurrentUse(t *testing.T) {
	t.Parallel()
	c := engine(t)
	r := registry(t, c, strategy.Options{Service: "shop"})
	var work sync.WaitGroup
	for i := range 8 {
		work.Go(func() {
			for j := range 5 {
				name := fmt.Sprintf("c%d-%d", i, j)
				if err := errors.Join(r.Declare(cache(name), complete), r.Publish(soon(t))); err != nil {
					t.Error(err)
				}
				if _, err := r.Check(soon(t)); err != nil {
					t.Error(err)
				}
			}
		})
	}
	work.Wait()
	if doc := read(t, c); services(doc) != "shop v1×1" || len(doc.Services[0].Declarations) != 40 {
		t.Errorf("%+v", doc.Services)
	}
	for range 4 {
		work.Go(func() {
			if err := r.Close(); err != nil {
				t.Error(err)
			}
			if err := r.Publish(soon(t)); !errors.Is(err, strategy.ErrClosed) {
				t.Error(err)
			}
		})
	}
	work.Wait()
}

func TestClosed(t *testing.T) {
	t.Parallel()
	r := registry(t, engine(t), strategy.Options{Service: "shop"})
	if err := errors.Join(r.Close(), r.Close()); err != nil {
		t.Error(err)
	}
	if err := r.Declare(cache("user"), complete); !errors.Is(err, strategy.ErrClosed) {
		t.Error(err)
	}
	if err := r.Publish(soon(t)); !errors.Is(err, strategy.ErrClosed) {
		t.Error(err)
	}
}
