package soak

import (
	"context"
	crand "crypto/rand"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/larder-go/larder/conn"
	"github.com/larder-go/larder/event"
	"github.com/larder-go/larder/session"
)

// lifetime is the longest that anything of a run lives, so that what is bounded by
// expiry has reached its bound soon.
const lifetime = 10 * time.Second

// patience bounds one operation. It is no measure of speed: the machine may be busy.
const patience = 20 * time.Second

// workers is how many goroutines share the rate of a workload.
const workers = 2

// load is one feature under load.
type load interface {
	// step does one operation. It is called by several goroutines.
	step(ctx context.Context, rng *rand.Rand) error
	// close gives back what the load holds.
	close() error
}

// workload is how a load is made, and what has become of it.
type workload struct {
	name string
	open func(ctx context.Context, e *env) (load, error)
	// share of Options.Rate
	share float64
}

// workloads are everything that exists.
var workloads = []workload{
	{"cache", openCache, 1},
	{"limiter", openLimiters, 1},
	{"session", openSessions, 1},
	{"event", openEvents, 0.5},
	{"web", openWeb, 0.5},
	{"gateway", openGateway, 0.5},
	{"sqlcache", openSQL, 0.5},
	{"lifecycle", openLifecycle, 0.04},
}

// env is what a run gives its loads.
type env struct {
	conn    conn.Conn
	connect func(ctx context.Context) (conn.Conn, error) // another one to the same server
	server  *server
	id      string // begins every name
	dir     string // for files
	sql     database
	cut     func(ctx context.Context) error // cuts connections; nil if it must not
}

// Work is what a workload did.
type Work struct {
	Name       string `json:"name"`
	Operations int64  `json:"operations"`
	// Errors are the operations that failed; Away those of them that got no answer, as
	// where connections are cut.
	Errors int64 `json:"errors"`
	Away   int64 `json:"away"`
	// Samples are the first errors.
	Samples []string `json:"error_samples,omitempty"`
}

// The shares of operations that may fail: connections are cut on purpose, most of all
// under those who have just opened one, and a busy machine makes some late.
const (
	maxFailed = 0.01
	maxAway   = 0.25
)

// Err says what is wrong with it.
func (w Work) Err() error {
	switch {
	case w.Operations == 0:
		return fmt.Errorf("%s did nothing", w.Name)
	case tooMany(w.Errors-w.Away, maxFailed, w.Operations), tooMany(w.Away, maxAway, w.Operations):
		return fmt.Errorf("%s: %d of %d operations failed, for example: %v", w.Name, w.Errors, w.Operations, w.Samples)
	}
	return nil
}

func tooMany(n int64, share float64, of int64) bool { return float64(n) > max(1, share*float64(of)) }

// away tells whether an operation failed for want of an answer.
func away(err error) bool {
	return slices.ContainsFunc([]error{
		conn.ErrUnavailable, session.ErrUnavailable, event.ErrUnavailable, context.DeadlineExceeded,
	}, func(target error) bool { return errors.Is(err, target) })
}

const maxErrorSamples = 5

// running is a load with its workers.
type running struct {
	name   string
	load   load
	wait   sync.WaitGroup
	total  *atomic.Int64 // of all loads
	ended  atomic.Int64
	failed atomic.Int64
	away   atomic.Int64

	mu      sync.Mutex // protects the following
	samples []string
}

// start begins n workers, each with one operation every so often, until ctx ends.
func (r *running) start(ctx context.Context, rate float64, seed uint64) {
	every := time.Duration(float64(workers) / rate * float64(time.Second))
	for w := range workers {
		rng := rand.New(rand.NewPCG(seed, uint64(w)))
		r.wait.Go(func() {
			tick := time.NewTicker(every)
			defer tick.Stop()
			for {
				select {
				case <-ctx.Done():
					return
				case <-tick.C:
				}
				r.once(ctx, rng)
			}
		})
	}
}

func (r *running) once(ctx context.Context, rng *rand.Rand) {
	bound, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	err := r.load.step(bound, rng)
	if ctx.Err() != nil {
		return // the end of the run, which is no failure
	}
	r.ended.Add(1)
	r.total.Add(1)
	if err == nil {
		return
	}
	r.failed.Add(1)
	if away(err) {
		r.away.Add(1)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if text := err.Error(); len(r.samples) < maxErrorSamples && !slices.Contains(r.samples, text) {
		r.samples = append(r.samples, text)
	}
}

// end waits for the workers, whose context has ended, and closes the load.
func (r *running) end() (Work, error) {
	r.wait.Wait()
	err := r.load.close()
	if err != nil {
		err = fmt.Errorf("soak: close %s: %w", r.name, err)
	}
	return Work{
		Name: r.name, Operations: r.ended.Load(), Errors: r.failed.Load(), Away: r.away.Load(), Samples: r.samples,
	}, err
}

// closers are ended in reverse order.
type closers []func() error

func (c *closers) add(fn func() error) { *c = append(*c, fn) }

func (c closers) close() error {
	var err error
	for _, fn := range slices.Backward(c) {
		err = errors.Join(err, fn())
	}
	return err
}

// secret is a key for one run.
func secret() []byte {
	b := make([]byte, 32)
	_, _ = crand.Read(b) // never fails
	return b
}

// wrong is an answer that nobody should get.
func wrong(what string, got, want any) error {
	return fmt.Errorf("%s: got %v, want %v", what, got, want)
}
