package larder_test

import (
	"context"
	"errors"
	"sort"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/larder-go/larder"
	"github.com/larder-go/larder/conn"
	"github.com/larder-go/larder/redisconn"
)

// source is what the caches of a test load from. Its values are versions, which
// only grow, and it keeps account of since when the older ones must not be seen.
type source map[string]*record

// record is one value of a source.
type record struct {
	version atomic.Int64
	// own is what the process that invalidates must keep to, others what all must.
	own, others ledger
}

// ledger says when versions became invalid.
type ledger struct {
	mu    sync.Mutex // protects notes
	notes []note     // both fields grow
}

type note struct {
	before int64     // versions before this one …
	since  time.Time // … are invalid since then
}

func newSource(keys ...string) source {
	s := source{}
	for _, key := range keys {
		s[key] = &record{}
	}
	return s
}

func (s source) load(_ context.Context, key string) (int64, error) { return s[key].version.Load(), nil }

// change writes new versions of keys and invalidates the old ones. Nobody else may
// change the same keys meanwhile.
func (s source) change(invalidate func() error, keys ...string) error {
	for _, key := range keys {
		s[key].version.Add(1)
	}
	err := invalidate()
	for _, key := range keys {
		version := s[key].version.Load()
		if err == nil || errors.Is(err, larder.ErrInvalidationPending) {
			s[key].own.invalidate(version)
		}
		if err == nil {
			s[key].others.invalidate(version)
		}
	}
	return err
}

func (l *ledger) invalidate(before int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.notes = append(l.notes, note{before, time.Now()})
}

// staleness is for how long a version had been invalid at start.
func (l *ledger) staleness(version int64, start time.Time) time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	i := sort.Search(len(l.notes), func(i int) bool { return l.notes[i].before > version })
	if i == len(l.notes) {
		return 0
	}
	return max(0, start.Sub(l.notes[i].since))
}

// process stands for one: a cache on a connection of its own.
type process struct {
	name  string
	conn  conn.Conn
	cache *larder.Cache[string, int64]
	// alone says that all invalidations are this process' own.
	alone bool

	mu      sync.Mutex // protects the following: what its readers saw
	gets    int
	stalest time.Duration
	slowest time.Duration
}

// setup says how the processes of a test differ from the ordinary.
type setup struct {
	url   string
	conn  redisconn.Options
	cache larder.Options[string, int64]
}

// patient does not take a loaded machine for a fault.
func patient(url string) setup {
	return setup{
		url:   url,
		conn:  redisconn.Options{SilenceTimeout: 10 * time.Second},
		cache: larder.Options[string, int64]{CacheTimeout: 10 * time.Second},
	}
}

// tag is on every entry of a source.
const tag = "every"

// invalidator opens the process that invalidates.
func (s source) invalidator(t *testing.T, o setup) *process {
	t.Helper()
	p := s.open(t, "the process that invalidates", o)
	p.alone = true
	return p
}

// bystander opens a process that only reads.
func (s source) bystander(t *testing.T, o setup) *process {
	t.Helper()
	return s.open(t, "another process", o)
}

func (s source) open(t *testing.T, name string, o setup) *process {
	t.Helper()
	c, err := redisconn.Open(t.Context(), o.url, o.conn)
	if err != nil {
		t.Fatal(err)
	}
	o.cache.Namespace = "judged"
	o.cache.Tags = func(string) []string { return []string{tag} }
	if o.cache.Load == nil {
		o.cache.Load = s.load
	}
	if o.cache.TTL == 0 {
		o.cache.TTL = time.Hour
	}
	cache, err := larder.New(c, o.cache)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cache.Close()
		_ = c.Close()
	})
	return &process{name: name, conn: c, cache: cache}
}

// bound is the longest that a process other than the one that invalidates may be
// behind: StalenessBound, and something for a clock that a loaded machine advances
// late.
const bound = larder.DefaultStalenessBound + 100*time.Millisecond

// ask is a Get under the eyes of the judge.
func (s source) ask(ctx context.Context, t *testing.T, p *process, key string) (version int64) {
	t.Helper()
	start := time.Now()
	version, err := p.cache.Get(ctx, key)
	took := time.Since(start)
	if err != nil {
		t.Errorf("%s: Get: %v", p.name, err)
	}
	ledger, allowed := &s[key].others, bound
	if p.alone {
		ledger, allowed = &s[key].own, 0
	}
	stale := ledger.staleness(version, start)
	if stale > allowed {
		t.Errorf("%s: version %d of %s had been invalid for %v when Get began; the source has %d",
			p.name, version, key, stale, s[key].version.Load())
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.gets++
	p.stalest, p.slowest = max(p.stalest, stale), max(p.slowest, took)
	return version
}

// watch lets readers of each process ask for keys, each once in every, until stop
// is called, which reports what they saw.
func (s source) watch(ctx context.Context, t *testing.T, every time.Duration, keys []string, ps ...*process) (stop func()) {
	done := make(chan struct{})
	var readers sync.WaitGroup
	for _, p := range ps {
		for i := range 2 {
			readers.Go(func() {
				tick := time.NewTicker(every)
				defer tick.Stop()
				for n := i; !t.Failed(); n++ {
					select {
					case <-done:
						return
					case <-tick.C:
						s.ask(ctx, t, p, keys[n%len(keys)])
					}
				}
			})
		}
	}
	var once sync.Once
	stop = func() {
		once.Do(func() {
			close(done)
			readers.Wait()
			for _, p := range ps {
				p.report(t)
			}
		})
	}
	t.Cleanup(stop) // where the test has failed
	return stop
}

func (p *process) report(t *testing.T) {
	t.Helper()
	p.mu.Lock()
	defer p.mu.Unlock()
	st := p.cache.Stats()
	t.Logf("%s: %d Gets, the longest of %v; the stalest value had been invalid for %v; %d loads, %d L2 errors, %d fills refused",
		p.name, p.gets, p.slowest.Round(time.Microsecond), p.stalest.Round(time.Microsecond), st.Loads, st.L2Errors, st.FillsRefused)
}

// hits waits until a process serves key from its memory.
func (s source) hits(ctx context.Context, t *testing.T, p *process, key string) {
	t.Helper()
	eventually(t, p.name+" serves "+key+" from its memory", func() bool {
		before := p.cache.Stats().L1Hits
		s.ask(ctx, t, p, key)
		return p.cache.Stats().L1Hits > before
	})
}

// settles waits until a process has what the source has.
func (s source) settles(ctx context.Context, t *testing.T, p *process, key string) {
	t.Helper()
	eventually(t, p.name+" has the source's version of "+key, func() bool {
		return s.ask(ctx, t, p, key) == s[key].version.Load()
	})
}

// expires checks that every key in Redis does.
func (p *process) expires(ctx context.Context, t *testing.T) {
	t.Helper()
	keys := 0
	err := p.conn.Scan(ctx, "*", func(batch []string) error {
		for _, key := range batch {
			v, err := p.conn.Do(ctx, conn.Key("PTTL", key))
			if err != nil {
				return err
			}
			keys++
			if v.Int == -1 {
				t.Errorf("the key %q has no expiry", key)
			}
		}
		return nil
	})
	if err != nil || keys == 0 {
		t.Errorf("looked at %d keys: %v", keys, err)
	}
}

// invalidations are the ways to invalidate every key of a source.
func (s source) invalidations() map[string]func(context.Context, *process) error {
	return map[string]func(context.Context, *process) error{
		"key": func(ctx context.Context, p *process) error {
			keys := make([]string, 0, len(s))
			for key := range s {
				keys = append(keys, key)
			}
			return p.cache.Invalidate(ctx, keys...)
		},
		"tag": func(ctx context.Context, p *process) error { return p.cache.InvalidateTags(ctx, tag) },
		"commit": func(ctx context.Context, p *process) error {
			return p.cache.CommitTags(ctx, []string{tag}, func(context.Context) error { return nil })
		},
		"namespace": func(ctx context.Context, p *process) error { return p.cache.Clear(ctx) },
	}
}
