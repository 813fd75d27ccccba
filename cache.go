package larder

import (
	"context"
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/larder-go/larder/conn"
	"github.com/larder-go/larder/internal/backplane"
	"github.com/larder-go/larder/internal/coarse"
	"github.com/larder-go/larder/internal/deadline"
	"github.com/larder-go/larder/internal/generation"
	"github.com/larder-go/larder/internal/keycodec"
	"github.com/larder-go/larder/internal/l1"
	"github.com/larder-go/larder/internal/pending"
	"github.com/larder-go/larder/observe"
)

// Cache is a read-through cache of one namespace. Make one with New, share it,
// and Close it when the service ends.
type Cache[K comparable, V any] struct {
	opts   Options[K, V]
	prefix string // of every Redis key: "namespace:"
	nsKey  string // of the namespace's generation
	schema uint64
	keys   *keycodec.Codec[K]
	bound  time.Duration // StalenessBound, less what the clock of L1 may be behind

	l1    *l1.Store[K, V] // nil where L1MaxBytes is negative
	gens  *generation.Table
	clock *coarse.Clock

	// Without Redis all three are nil. Entries are read and filled through l2:
	// over tracking connections where there is an L1 to keep coherent.
	c  conn.Conn
	tr conn.Tracker // nil also where L1MaxBytes is negative
	l2 reader

	single  loader[K, V] // of one key; nil where there is no loader
	flights group[K, V]
	// overUntil is when the last ClearOver of a cache without Redis ends.
	overUntil atomic.Int64
	writers   writers[K]
	stats     counters
	lapsed    *lapsed[K]
	server    serverClock
	brief     *deadline.Source // bounds one exchange with Redis by CacheTimeout

	pending       *pending.Queue // nil without Redis
	stopListening func()
	observer      observe.Observer // never nil
	unregister    func()
	probe         *probe[K, V]    // nil for none
	link          *backplane.Link // c, where the server does not push; else nil

	life context.Context // of the cache: ends with Close
	end  context.CancelFunc

	mu     sync.RWMutex // protects closed: no flight begins after Close
	closed bool
	work   sync.WaitGroup // the goroutines of flights
}

// reader is the part of a connection that entries are read and filled through.
type reader interface {
	conn.Doer
	conn.Pipeliner
	conn.Evaler
}

// New makes a cache over c. It does not touch Redis. A nil c is an error unless
// Options.Local is set: an unset URL must not turn a shared cache into a private
// one without anybody noticing.
func New[K comparable, V any](c conn.Conn, opts Options[K, V]) (*Cache[K, V], error) {
	l1TTL := opts.L1TTL
	opts = opts.withDefaults()
	if err := opts.validate(); err != nil {
		return nil, err
	}
	switch {
	case c == nil && !opts.Local:
		return nil, optionError("conn", "nil", "a connection, or Options.Local for a cache without Redis")
	case c != nil && opts.Local:
		return nil, optionError("Local", true, "false where a connection is given")
	}
	keys, err := keycodec.For[K]()
	if err != nil {
		return nil, &Error{Op: "new", Namespace: opts.Namespace, Err: err}
	}
	link, err := opts.join(c, l1TTL)
	if err != nil {
		return nil, err
	}
	if link != nil {
		c = link
	}
	cache := &Cache[K, V]{
		opts:          opts,
		prefix:        opts.Namespace + ":",
		nsKey:         generation.NamespaceKey(opts.Namespace),
		schema:        schemaOf(opts.Codec),
		keys:          keys,
		bound:         opts.StalenessBound - coarse.Resolution,
		c:             c,
		gens:          generation.NewTable(c, 2*(opts.TTL+opts.StaleFor+opts.NegativeTTL)+time.Hour, opts.StalenessBound),
		brief:         deadline.New(opts.CacheTimeout),
		stopListening: func() {},
		lapsed:        newLapsed[K](),
		observer:      observe.OrNobody(opts.Observer),
		link:          link,
	}
	cache.single = cache.opts.single()
	var tracker conn.Tracker
	if c != nil {
		cache.l2 = c
		cache.pending = pending.New(c)
		tracker, _ = c.Tracker()
	}
	if opts.L1MaxBytes > 0 {
		if cache.l1, err = l1.New[K, V](uint64(opts.L1MaxBytes)); err != nil {
			cache.leave()
			return nil, &Error{Op: "new", Namespace: opts.Namespace, Err: err}
		}
		if tracker != nil {
			cache.tr, cache.l2 = tracker, tracker
		}
	}
	if tracker != nil {
		cache.stopListening = tracker.Listen(cache.changed)
	}
	cache.life, cache.end = context.WithCancel(context.Background())
	cache.clock = coarse.Open()
	if cache.probe = newProbe(cache); cache.probe != nil {
		cache.work.Go(func() { cache.probe.run(cache.life) })
	}
	cache.unregister = cache.observer.Register(cache.source())
	return cache, nil
}

// changed hears which Redis keys another client, or this one, has changed.
func (c *Cache[K, V]) changed(keys []string) {
	if keys == nil {
		c.gens.ForgetAll()
		c.l1.DropAll()
		c.flights.rouseAll()
		return
	}
	for _, key := range keys {
		if generation.IsKey(key) {
			c.gens.Forget(key)
			continue
		}
		text, ours := strings.CutPrefix(key, c.prefix)
		if !ours {
			continue
		}
		if k, ok := c.keys.Parse(text); ok {
			c.stats.pushes.Add(1)
			c.lapsed.note(k, c.gone(k))
			c.l1.Drop(k)
			c.flights.rouse(k)
		}
	}
}

// Close ends the cache: flights are cut short, and the memory is given back. The
// connection stays open. Where invalidations are pending they are tried once more;
// what is not delivered then is lost, which Close says with
// ErrInvalidationPending. A second Close does nothing.
func (c *Cache[K, V]) Close() error {
	c.mu.Lock()
	closed := c.closed
	c.closed = true
	c.mu.Unlock()
	if closed {
		return nil
	}
	c.end()
	c.work.Wait()
	var err error
	if c.pending != nil {
		ctx, cancel := context.WithTimeout(context.Background(), c.opts.CacheTimeout)
		defer cancel()
		if perr := c.pending.Close(ctx); perr != nil {
			err = undelivered(perr)
		}
	}
	c.unregister() // while what is still in L1 can be counted
	c.stopListening()
	c.leave()
	c.l1.Close()
	c.clock.Close()
	return c.failed("close", "", err)
}

// Stats returns what the cache has counted so far.
func (c *Cache[K, V]) Stats() Stats {
	s := c.stats.snapshot()
	s.L1Entries, s.L1Bytes, s.L1Evictions = c.l1.Len(), c.l1.Bytes(), c.l1.Evictions()
	if c.pending != nil {
		s.Pending = c.pending.Len()
	}
	if c.link != nil {
		s.Unpublished = c.link.Failed()
	}
	c.probe.count(&s)
	return s
}

// check refuses calls that cannot succeed.
func (c *Cache[K, V]) check(ctx context.Context) error {
	c.mu.RLock()
	defer c.mu.RUnlock()
	if c.closed {
		return ErrClosed
	}
	return ctx.Err()
}

// begin is check for what Close waits for: work.Done must follow nil.
func (c *Cache[K, V]) begin(ctx context.Context) error {
	c.mu.RLock()
	defer c.mu.RUnlock()
	if c.closed {
		return ErrClosed
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	c.work.Add(1)
	return nil
}

var errKeyTooLong = errors.New("the encoded key is longer than MaxKeyBytes")

// redisKey encodes a key.
func (c *Cache[K, V]) redisKey(key K) (string, error) {
	var buf [128]byte
	b := c.keys.Append(append(buf[:0], c.prefix...), key)
	if len(b)-len(c.prefix) > c.opts.MaxKeyBytes {
		return "", errKeyTooLong
	}
	return string(b), nil
}

// failed wraps an error of an operation; nil stays nil.
func (c *Cache[K, V]) failed(op, key string, err error) error {
	if err == nil || errors.Is(err, ErrClosed) {
		return err
	}
	return &Error{Op: op, Namespace: c.opts.Namespace, Key: strings.TrimPrefix(key, c.prefix), Err: err}
}
