package larder_test

import (
	"context"
	"testing"
	"time"

	"github.com/larder-go/larder/conn"
	"github.com/larder-go/larder/internal/redistest"
)

// disaster is a way for Redis to lose what it has acknowledged.
type disaster struct {
	url string
	// from is called where the losses begin: what is written later may be lost.
	from func()
	// strike returns the server that Redis is afterwards.
	strike func() *redistest.Server
	// lossy says that what was invalidated in between is back after it.
	lossy bool
}

// outlives checks that an acknowledged invalidation outlives a disaster: neither an
// old entry counts that comes back, nor the fill of a load that began before.
func outlives(t *testing.T, d disaster, invalidate func(context.Context, *process) error, s source) {
	t.Helper()
	ctx := within(t, 3*time.Minute)
	a, b := s.invalidator(t, patient(d.url)), s.bystander(t, patient(d.url))
	s.hits(ctx, t, a, "k")
	s.hits(ctx, t, b, "k")

	loading, proceed := make(chan struct{}), make(chan struct{})
	slow := func(ctx context.Context, key string) (int64, error) {
		v, err := s.load(ctx, key)
		loading <- struct{}{}
		<-proceed
		return v, err
	}
	early := make(chan error)
	for key, p := range map[string]*process{"mine": a, "theirs": b} {
		go func() {
			_, err := p.cache.GetWith(ctx, key, slow)
			early <- err
		}()
	}
	<-loading
	<-loading

	d.from()
	stop := s.watch(ctx, t, time.Millisecond, []string{"k"}, a, b)
	if err := s.change(func() error { return invalidate(ctx, a) }, "k", "mine", "theirs"); err != nil {
		t.Fatal(err)
	}
	server := d.strike()
	if _, err := server.Do("SET", "marker", "after"); err != nil {
		t.Fatal(err)
	}
	for _, p := range []*process{a, b} {
		eventually(t, p.name+" is connected to what Redis is now", func() bool {
			tr, _ := p.conn.Tracker()
			v, err := p.conn.Do(ctx, conn.Key("GET", "marker"))
			w, terr := tr.Do(ctx, conn.Key("GET", "marker"))
			return err == nil && terr == nil && v.Str == "after" && w.Str == "after"
		})
	}
	if _, err := server.Do("DEL", "marker"); err != nil {
		t.Fatal(err)
	}
	if back, err := server.Do("EXISTS", "judged:mine", "judged:theirs"); err != nil || d.lossy && back != "2" {
		t.Fatalf("%s of 2 leases that were granted before the disaster are there after it; %v", back, err)
	}

	close(proceed)
	for range 2 {
		if err := <-early; err != nil {
			t.Errorf("a Get that began before the disaster: %v", err)
		}
	}
	for _, p := range []*process{a, b} {
		if n := p.cache.Stats().FillsRefused; n == 0 {
			t.Errorf("%s: the fill of a load that began before was not refused", p.name)
		}
	}
	late := s.bystander(t, patient(d.url))
	for _, p := range []*process{a, b, late} {
		for range 20 {
			for key := range s {
				if v := s.ask(ctx, t, p, key); v != 1 {
					t.Fatalf("%s: version %d of %s after the disaster", p.name, v, key)
				}
			}
		}
	}
	for _, p := range []*process{a, b, late} {
		s.hits(ctx, t, p, "k")
	}
	stop()
	a.expires(ctx, t)
}
