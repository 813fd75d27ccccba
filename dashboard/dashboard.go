package dashboard

import (
	"context"
	"net/http"
	"sync"
	"time"

	"github.com/larder-go/larder/conn"
	"github.com/larder-go/larder/dashboard/internal/keyspace"
	"github.com/larder-go/larder/ratelimit"
)

// Dashboard is an http.Handler that serves the pages.
type Dashboard struct {
	c      conn.Conn
	opts   Options
	visits *visits
	tries  *ratelimit.Limiter // of log-ins
	census *keyspace.Census
	watch  *watch
	events *events
	ledger *ledger
	routes http.Handler

	viewers chan struct{} // a place for each page that is kept up to date
	cancel  context.CancelFunc
	done    <-chan struct{} // closed by Close
	running sync.WaitGroup

	mu     sync.Mutex // protects the following
	closed bool
}

var _ http.Handler = (*Dashboard)(nil)

// The limit of log-ins that one address may try.
const (
	maxTries = 10
	triesIn  = time.Minute
)

// New makes a dashboard of what the processes of c's Redis tell. It sends nothing. An
// error names the option that is wrong. c must stay open until Close has returned; the
// dashboard does not close it.
func New(c conn.Conn, o Options) (*Dashboard, error) {
	if c == nil {
		return nil, optionError("the Conn", nil, "an open one, of redisconn, embedded or upstash")
	}
	o, err := o.withDefaults()
	if err != nil {
		return nil, err
	}
	tries, err := ratelimit.New(nil, ratelimit.Options{
		Algorithm: ratelimit.FixedWindow(maxTries, triesIn), Local: true, MaxLocal: 10_000,
	})
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(context.Background())
	d := &Dashboard{
		c: c, opts: o, tries: tries, visits: newVisits(o.SessionLife, o.MaxSessions),
		census: keyspace.NewCensus(c), events: newEvents(o.ShowValues), ledger: newLedger(c),
		viewers: make(chan struct{}, o.MaxViewers), cancel: cancel, done: ctx.Done(),
	}
	if d.watch, err = newWatch(c, d.census, d.events, o); err != nil {
		cancel()
		return nil, err
	}
	d.routes = d.mux()
	d.follow(ctx)
	return d, nil
}

// Close ends the pages that are kept up to date, and waits for all goroutines. A
// server calls it before its Shutdown, which waits for those pages. Later requests
// are answered with 503. A second Close does nothing.
func (d *Dashboard) Close() error {
	d.mu.Lock()
	first := !d.closed
	d.closed = true
	d.mu.Unlock()
	d.cancel()
	d.running.Wait()
	if !first {
		return nil
	}
	return d.tries.Close()
}

// enter counts a request that Close waits for; false when there will be no more.
func (d *Dashboard) enter() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if !d.closed {
		d.running.Add(1)
	}
	return !d.closed
}

// ServeHTTP answers one request. Mount it with http.StripPrefix, where it is not at the
// root; its own links are relative.
func (d *Dashboard) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	guard(w.Header())
	if !d.enter() {
		http.Error(w, "the dashboard is closed", http.StatusServiceUnavailable)
		return
	}
	defer d.running.Done()
	d.routes.ServeHTTP(w, r)
}
