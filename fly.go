package larder

import (
	"context"
	"errors"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/larder-go/larder/internal/entry"
	"github.com/larder-go/larder/internal/generation"
	"github.com/larder-go/larder/internal/l1"
	"github.com/larder-go/larder/internal/lease"
)

// How long a flight that waits for another process' load sleeps between two
// looks, where no push wakes it.
const (
	firstPoll = 10 * time.Millisecond
	lastPoll  = 200 * time.Millisecond
)

// failedFor is how long those who wait for a load in other processes are told that
// it has failed.
const failedFor = time.Second

var (
	errNoOutcome = errors.New("larder: a function of the caller's ended its goroutine")
	errElsewhere = errors.New("larder: another process refreshes the value")
)

// launch starts the flight that the caller has made, on a goroutine that
// outlives the caller. It returns false if the cache is closed.
func (c *Cache[K, V]) launch(ctx context.Context, f *flight[K, V], rk string, found found[V], load loader[K, V]) bool {
	return c.spawn(ctx, []*flight[K, V]{f}, func(ctx context.Context) {
		c.fly(ctx, f, rk, found, load)
	})
}

// spawn runs fn for the flights fs with a context that has the values of ctx but
// ends with the cache, or when even the slowest load must be over. A flight that
// fn leaves without an outcome ends with an error.
func (c *Cache[K, V]) spawn(ctx context.Context, fs []*flight[K, V], fn func(context.Context)) bool {
	c.mu.RLock()
	closed := c.closed
	if !closed {
		c.work.Add(1)
	}
	c.mu.RUnlock()
	if closed {
		for _, f := range fs {
			c.flights.end(f, outcome[V]{err: ErrClosed}, 0)
		}
		return false
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), c.budget(len(fs)))
	go func() {
		defer c.work.Done()
		defer cancel()
		defer context.AfterFunc(c.life, cancel)()
		defer func() { // Goexit in a user's function
			for _, f := range fs {
				select {
				case <-f.done:
				default:
					c.flights.end(f, outcome[V]{err: errNoOutcome}, 0)
				}
			}
		}()
		fn(ctx)
	}()
	return true
}

// budget is the longest that n flights may take, 16 at a time.
func (c *Cache[K, V]) budget(n int) time.Duration {
	one := 2 * (c.opts.LoadTimeout + c.opts.Lease)
	return one * time.Duration(min(1+n/maxBatchLoads, int(8*maxTTL/one)))
}

// fly brings one flight to its end.
func (c *Cache[K, V]) fly(ctx context.Context, f *flight[K, V], rk string, found found[V], load loader[K, V]) {
	var out outcome[V]
	if f.after == nil || f.after.wait(ctx) == nil {
		f.after = nil
		out = c.attempt(ctx, f, rk, found, load)
	} else {
		out.err = c.failed("get", rk, ctx.Err())
	}
	c.finish(ctx, f, out, found)
}

// finish ends a flight, and gives back a lease that it may hold unknowingly.
func (c *Cache[K, V]) finish(ctx context.Context, f *flight[K, V], out outcome[V], found found[V]) {
	out.err = c.orClosed(out.err)
	c.flights.end(f, out, c.cool(out.err, found))
	if f.orphan != nil { // what Redis did not answer it may have executed
		c.release(ctx, f.orphan, lease.Ending{})
	}
}

// orClosed is ErrClosed where Close has cut a flight short.
func (c *Cache[K, V]) orClosed(err error) error {
	if err != nil && !errors.Is(err, ErrNotFound) && c.life.Err() != nil {
		return ErrClosed
	}
	return err
}

// cool is how long a flight that ended with err holds further refreshes off.
func (c *Cache[K, V]) cool(err error, found found[V]) time.Duration {
	if err == nil || !found.wantsRefresh() || errors.Is(err, ErrNotFound) {
		return 0
	}
	return c.opts.RetryAfter
}

// attempt gets the value of a flight's key: by a lease and a load, or from
// another process that holds the lease, or, where Redis is down, by a load alone.
func (c *Cache[K, V]) attempt(ctx context.Context, f *flight[K, V], rk string, found found[V], load loader[K, V]) outcome[V] {
	t, err := c.ticket(f.key, rk)
	if err != nil {
		return outcome[V]{err: c.failed("get", rk, err)}
	}
	// The way to the first answer is part of the call's CacheTimeout.
	first := ctx
	if !found.until.IsZero() {
		var cancel context.CancelFunc
		first, cancel = context.WithDeadline(ctx, found.until)
		defer cancel()
	}
	captured := c.c != nil && !found.down && c.capture(first, t)
	t.leased, found.down = captured && !t.barred(), !captured
	mode := lease.Load
	if found.ahead {
		if out, due := c.stillDue(first, f, rk, &found); !due {
			return out
		}
		mode = lease.Ahead
	}
	for poll := firstPoll; t.leased; poll = min(2*poll, lastPoll) {
		stage := c.flights.advance(f)
		asked := c.askScript()
		a, err := c.acquire(first, t, mode, found)
		first = ctx
		if err != nil {
			orphan := *t
			f.orphan, t.leased, found.down = &orphan, false, true
			break
		}
		switch a.State {
		case lease.Granted:
			t.loadedAt = a.Now
			if e, err := entry.Parse(a.Raw); err == nil {
				found.old = c.oldOf(e)
			}
			return c.load(ctx, f, t, found, load)
		case lease.Barred:
			t.leased = false
		case lease.Fresh:
			hit := c.open(ctx, f.key, rk, a.Raw, asked)
			if hit.ok {
				return outcome[V]{value: hit.value, err: c.notFoundIf(hit.negative), stage: stage}
			}
			if found.rejected = hit.rejected; found.rejected == "" {
				found.rejected = entry.RawID(a.Raw)
			}
			mode = lease.Load // also where it was to be refreshed ahead of time
		case lease.Failed:
			return outcome[V]{err: c.failed("get", rk, ErrLoadFailed)}
		case lease.Held:
			if mode == lease.Ahead {
				return outcome[V]{err: errElsewhere}
			}
			mode = lease.Wait
			if err := c.await(ctx, f, rk, min(a.Left, poll)); err != nil {
				return outcome[V]{err: c.failed("get", rk, err)}
			}
		}
	}
	if c.c == nil {
		_ = c.capture(ctx, t)
		t.loadedAt = time.Now().UnixNano()
	}
	return c.load(ctx, f, t, found, load)
}

// stillDue looks at what Redis has before a refresh ahead of time that L1 has called
// for: there the value may be shorter lived than its TTL. Where nothing is to be done
// it returns what it found.
func (c *Cache[K, V]) stillDue(ctx context.Context, f *flight[K, V], rk string, found *found[V]) (out outcome[V], due bool) {
	if found.freshUntil != 0 || c.c == nil {
		return out, true
	}
	stage := c.flights.advance(f)
	asked := c.ask(f.key, rk)
	raw, down := c.read(ctx, rk)
	if raw == "" {
		found.down = found.down || down
		return out, true
	}
	hit := c.open(ctx, f.key, rk, raw, asked)
	found.freshUntil, found.rejected, found.old = hit.freshUntil, hit.rejected, hit.old
	if hit.ok && !hit.stale && !hit.due {
		return outcome[V]{value: hit.value, err: c.notFoundIf(hit.negative), stage: stage}, false
	}
	return out, true
}

// await sleeps until the key changes in Redis, or for at most d.
func (c *Cache[K, V]) await(ctx context.Context, f *flight[K, V], rk string, d time.Duration) error {
	if c.tr != nil {
		// The read makes sure that the next change of the key is pushed.
		raw, down := c.read(ctx, rk)
		if e, err := entry.Parse(raw); !down && (raw == "" || err == nil && (e.Token == 0 || e.Token == lease.FailedToken)) {
			return nil
		}
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-f.wake:
	case <-timer.C:
	case <-ctx.Done():
		return ctx.Err()
	}
	return nil
}

// ticket is what one load needs to land.
type ticket[K comparable] struct {
	key       K
	rk        string
	token     uint64
	leased    bool  // Redis granted, or will grant, the right to fill
	loadedAt  int64 // by the server's clock
	namespace l1.Stamp
	tags      []l1.Stamp
	tagNames  []string
	begun     generation.Beginning // of the load
}

// barred tells whether a CommitTags of one of the tags was under way when they were
// captured: then what is loaded may not be stored.
func (t *ticket[K]) barred() bool {
	return t.namespace.Number == 0 || slices.ContainsFunc(t.tags, func(s l1.Stamp) bool { return s.Number == 0 })
}

// acquire asks for the lease of a ticket.
func (c *Cache[K, V]) acquire(ctx context.Context, t *ticket[K], mode lease.Mode, found found[V]) (lease.Acquired, error) {
	ctx = c.brief.Context(ctx)
	r := c.request(t, found.rejected, mode)
	r.FreshUntil = found.freshUntil
	a, err := lease.Acquire(ctx, c.c, r)
	if err != nil {
		c.stats.l2Errors.Add(1)
		return a, err
	}
	c.server.observe(a.Now, time.Now())
	return a, nil
}

func (c *Cache[K, V]) request(t *ticket[K], rejected string, mode lease.Mode) lease.Request {
	return lease.Request{Key: t.rk, Token: t.token, Lease: c.opts.Lease, Rejected: rejected, Mode: mode}
}

// load calls the loader under a ticket and stores what it brings.
func (c *Cache[K, V]) load(ctx context.Context, f *flight[K, V], t *ticket[K], found found[V], load loader[K, V]) outcome[V] {
	stage := c.flights.advance(f)
	var alone *alone
	if found.down {
		alone = c.beginAlone(t)
	}
	start := time.Now()
	got, err := c.call(ctx, t, found.old, load)
	cost := time.Since(start)
	if err != nil && !got.negative {
		c.stats.loadErrors.Add(1)
		end := c.failure()
		if found.wantsRefresh() {
			end.Hold = c.opts.RetryAfter
			c.opts.Logger.Warn("larder: background load failed", "namespace", c.opts.Namespace, "error", err)
		}
		c.release(ctx, t, end)
		return outcome[V]{err: err, stage: stage}
	}
	out := outcome[V]{value: got.Value, err: err, stage: stage}
	switch {
	case c.c != nil && !t.leased:
		c.keepAlone(t, alone, got)
	case c.captureLate(ctx, []*ticket[K]{t}, []loaded[V]{got})[0]:
		out.accepted = c.store(ctx, f, t, got, cost)
		out.namespace, out.tags = t.namespace, t.tags
	default:
		c.keepNothing(ctx, t)
	}
	return out
}

// failure is the ending of a load that failed. One that Close has cut short has not:
// another process shall try.
func (c *Cache[K, V]) failure() lease.Ending {
	if c.life.Err() != nil {
		return lease.Ending{}
	}
	return lease.Ending{Failed: failedFor}
}

// keepNothing ends a ticket whose value cannot be stored, and drops a stale value
// that the source no longer stands for. It tells whether the ticket stood.
func (c *Cache[K, V]) keepNothing(ctx context.Context, t *ticket[K]) bool {
	c.l1.Drop(t.key)
	return c.release(ctx, t, lease.Ending{Drop: true})
}

// store fills L2 and L1 with the outcome of a load, and tells whether the
// ticket still stood.
func (c *Cache[K, V]) store(ctx context.Context, f *flight[K, V], t *ticket[K], got loaded[V], cost time.Duration) bool {
	raw, l, ok := c.encode(t, got, cost)
	if c.c == nil {
		return c.flights.ifAttached(f, func() {
			if ok && !c.writers.at(t.key) {
				c.l1.Put(t.key, c.l1Entry(got.Value, got.negative, l, t.namespace, t.tags))
			} else {
				c.l1.Drop(t.key) // a stale value that the source no longer stands for
			}
		})
	}
	c.flights.seal(f)
	if !ok {
		return c.keepNothing(ctx, t)
	}
	mark := c.mark(t.key, t.rk)
	fctx, end := c.operate(c.brief.Context(ctx), verbFill, 1)
	stored, err := lease.Fill(fctx, c.l2, c.fillOf(t, raw, l))
	end(err)
	if err != nil {
		f.orphan = t
	}
	return c.filled(t, mark, got, l, stored, err)
}

func (c *Cache[K, V]) fillOf(t *ticket[K], raw []byte, l life) lease.Value {
	return lease.Value{Key: t.rk, Token: t.token, Raw: raw, LoadedAt: t.loadedAt, TTL: l.fresh, Stale: l.stale - l.fresh}
}

// filled takes note of Redis' answer to a fill.
func (c *Cache[K, V]) filled(t *ticket[K], mark l1.Mark, got loaded[V], l life, filled lease.Filled, err error) bool {
	stored := filled == lease.Stored && err == nil
	switch {
	case err != nil:
		c.stats.l2Errors.Add(1)
	case !stored:
		c.stats.fillsRefused.Add(1)
	default:
		c.stats.fills.Add(1)
		c.l1.Insert(t.key, c.l1Entry(got.Value, got.negative, l, t.namespace, t.tags), mark)
	}
	return stored
}

// lifeOf returns how long an outcome is fresh, and may be stale after that.
func (c *Cache[K, V]) lifeOf(t *ticket[K], got loaded[V], size int, cost time.Duration) life {
	l := life{loadedAt: t.loadedAt, size: size + len(t.rk), fresh: c.opts.TTL}
	stale := c.opts.StaleFor
	switch {
	case got.negative:
		l.fresh, stale = c.opts.NegativeTTL, 0
	case got.TTL != 0:
		l.fresh = min(got.TTL, l.fresh)
	}
	if c.opts.Jitter > 0 {
		l.fresh -= time.Duration(rand.Float64() * c.opts.Jitter * float64(l.fresh))
	}
	l.stale = l.fresh + stale
	l.hot = l.fresh - c.window(cost)
	return l
}

// release gives a lease back and tells whether it still stood.
func (c *Cache[K, V]) release(ctx context.Context, t *ticket[K], end lease.Ending) bool {
	if !t.leased {
		return false
	}
	// Also where the load has used up its time: others wait for it.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), c.opts.CacheTimeout)
	defer cancel()
	stood, err := lease.Release(ctx, c.c, t.rk, t.token, end)
	if err != nil {
		c.stats.l2Errors.Add(1)
	}
	return stood
}
