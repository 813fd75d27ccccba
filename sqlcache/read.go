package sqlcache

import (
	"context"
	"database/sql/driver"
	"errors"
	"sync"
	"time"

	"github.com/larder-go/larder"
	"github.com/larder-go/larder/internal/statement"
	"github.com/larder-go/larder/sqlcache/internal/stored"
)

// request is a query that goes through the cache.
type request struct {
	key     string
	ttl     time.Duration
	version string
	// absent says that an empty result is not stored: no write would find it.
	absent bool
}

// admit tells how a SELECT goes through the cache, or why it does not.
func (c *conn) admit(ctx context.Context, query string, s *statement.Statement, p *plan, sure bool, args arguments) (request, reason) {
	q, why := c.db.opts.wants(ctx, &s.Hint)
	switch {
	case why == badHint:
		c.db.opts.Logger.Warn("sqlcache: a query is not cached", "error", s.Hint.Err)
		return request{}, why
	case why != cached:
		return request{}, why
	case c.tx != nil, c.unclear:
		return request{}, inTransaction
	case c.dirty:
		return request{}, sessionChanged
	case p == nil || !sure:
		return request{}, definitionsUnknown
	case !p.Cacheable, len(p.Reads) == 0 && len(q.Tags) == 0:
		return request{}, notCacheable
	case p.ttl < 0:
		return request{}, tableExcluded
	}
	names, pinned := p.names, false
	if len(p.Row) > 0 && args.plain(s.Params) {
		if row, ok := rowName(p.Reads[0], p.Row, args); ok {
			names, pinned = []string{unpinnedName(p.Reads[0]), row}, true
		}
	}
	key, why := c.scope.key(query, args, names, q.Tags)
	return request{key: key, ttl: shortest(q.TTL, p.ttl), version: p.version, absent: pinned}, why
}

// call is one query on its way through the cache. If nobody has its result, its own
// connection is used to get it, and only until the caller has left.
type call struct {
	request
	conn *conn
	run  func() (driver.Rows, error)
	done context.CancelFunc // the caller need not wait until the result is stored

	mu       sync.Mutex // protects state
	state    callState
	ended    chan struct{} // closed when the run has let go of the connection
	rows     *stored.Rows  // what the run brought, also where it cannot be stored
	err      error         // of the run, before there were rows
	panicked any
}

type callState int

const (
	waiting callState = iota
	running
	left
)

type callKey struct{}

var (
	errGone  = errors.New("sqlcache: the caller has left")
	errPanic = errors.New("sqlcache: the driver panicked")
)

// read answers a query from the cache, or runs it.
func (c *conn) read(ctx context.Context, r request, run func() (driver.Rows, error)) (driver.Rows, error) {
	asking, done := context.WithCancel(ctx)
	defer done()
	call := &call{request: r, conn: c, run: run, done: done, ended: make(chan struct{})}
	res, err := c.db.cache.Get(context.WithValue(asking, callKey{}, call), r.key)
	switch {
	case call.leave():
		c.db.counters.misses.Add(1)
		if call.panicked != nil {
			panic(call.panicked)
		}
		if call.err != nil {
			return nil, call.err
		}
		return call.rows, nil
	case err == nil && res != nil:
		c.db.counters.hits.Add(1)
		return res.Rows(), nil
	case ctx.Err() != nil:
		return nil, ctx.Err()
	}
	// Another caller's run has failed, with an error of its own, or brought more than
	// is stored; or the cache is closed.
	c.db.counters.misses.Add(1)
	return run()
}

// leave takes the connection back: it waits for the run, and tells whether there was
// one. There will be none after it.
func (c *call) leave() (ran bool) {
	c.mu.Lock()
	ran = c.state == running
	if !ran {
		c.state = left
	}
	c.mu.Unlock()
	if ran {
		<-c.ended
	}
	return ran
}

func (c *call) enter() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.state != waiting {
		return false
	}
	c.state = running
	return true
}

// load is the cache's loader: it runs the query of whoever missed first, under that
// caller's own context.
func load(ctx context.Context, _ string, _ larder.Item[*stored.Result]) (item larder.Item[*stored.Result], err error) {
	none := larder.Item[*stored.Result]{TTL: -1}
	c := ctx.Value(callKey{}).(*call)
	if !c.enter() {
		return none, errGone
	}
	defer func() { close(c.ended); c.done() }()
	defer func() {
		if c.panicked = recover(); c.panicked != nil { // the caller panics with it
			item, err = none, errPanic
		}
	}()
	// Generations have been captured: a change of the definitions that this does not
	// see will refuse the result.
	current := c.conn.scope.unchanged(ctx, c.version)
	base, err := c.run()
	if err != nil {
		c.err = err
		return none, err
	}
	c.rows, err = stored.Drain(base, c.conn.limits())
	switch {
	case errors.Is(err, stored.ErrUncacheable):
		return none, nil
	case err != nil:
		return none, err
	case !current, c.absent && c.rows.Count() == 0:
		return larder.Item[*stored.Result]{Value: c.rows.Result, TTL: -1}, nil
	}
	return larder.Item[*stored.Result]{Value: c.rows.Result, TTL: c.ttl}, nil
}
