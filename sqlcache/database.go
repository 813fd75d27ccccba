package sqlcache

import (
	"context"
	"crypto/rand"
	"errors"
	"sync"
	"time"

	"github.com/larder-go/larder"
	redis "github.com/larder-go/larder/conn"
	"github.com/larder-go/larder/internal/statement"
)

// database is what the connections of one connector share.
type database struct {
	opts  Options
	cache *larder.Cache[string, *result]
	// versions has one random text for each database, under the tag of its definitions:
	// where that is a new one, a snapshot of them is old.
	versions *larder.Cache[string, string]
	texts    memo[*statement.Statement]
	counters counters

	unregister func() // from the Observer

	mu     sync.Mutex // protects scopes
	scopes map[string]*scope
}

const (
	// schemaSuffix makes the namespace of the versions.
	schemaSuffix = "-schema"
	// lease bounds for how long a process that dies in the middle of a query keeps
	// others waiting for its result.
	lease = 2 * time.Second
	// loadTimeout is none: a query takes as long as its context allows.
	loadTimeout = 24 * time.Hour
	maxKeyBytes = 8 << 10
)

func newDatabase(c redis.Conn, opts Options) (*database, error) {
	opts = opts.withDefaults()
	if err := opts.validate(); err != nil {
		return nil, err
	}
	d := &database{opts: opts, scopes: map[string]*scope{}}
	var err error
	d.cache, err = larder.New(c, larder.Options[string, *result]{
		Namespace:     opts.Namespace,
		TTL:           MaxTTL,
		LoadItem:      load,
		LoadTimeout:   loadTimeout,
		Lease:         lease,
		Tags:          tagsOfKey,
		Codec:         codec{},
		L1MaxBytes:    opts.L1MaxBytes,
		CacheTimeout:  opts.CacheTimeout,
		MaxKeyBytes:   maxKeyBytes,
		MaxValueBytes: opts.MaxBytes + maxHeadBytes,
		Observer:      opts.Observer,
		Logger:        opts.Logger,
	})
	if err != nil {
		return nil, err
	}
	d.versions, err = larder.New(c, larder.Options[string, string]{
		Namespace:    opts.Namespace + schemaSuffix,
		TTL:          MaxTTL,
		CacheTimeout: opts.CacheTimeout,
		Load:         func(context.Context, string) (string, error) { return rand.Text(), nil },
		Lease:        lease,
		Tags:         func(root string) []string { return []string{anyDatabase, schemaTag(root)} },
		Observer:     opts.Observer,
		Logger:       opts.Logger,
	})
	if err != nil {
		return nil, errors.Join(err, d.cache.Close())
	}
	d.unregister = d.register()
	return d, nil
}

// maxHeadBytes is what the description of the columns may add to MaxBytes.
const maxHeadBytes = 64 << 10

func (d *database) close() error {
	d.unregister()
	return errors.Join(d.versions.Close(), d.cache.Close())
}

// version returns the version of a database's definitions. It is not known where a
// statement is changing them, or Redis does not answer: each call then brings another.
func (d *database) version(ctx context.Context, root, expected string) (v string, known bool) {
	v, err := d.versions.Get(ctx, root)
	if err != nil || v == expected {
		return v, err == nil
	}
	again, err := d.versions.Get(ctx, root)
	return v, err == nil && v == again
}

// statement analyses a text, once.
func (d *database) statement(text string) *statement.Statement {
	return d.texts.get(text, func() *statement.Statement {
		s := statement.Analyze(text)
		return &s
	})
}

// scope returns the scope of a name, which connections share.
func (d *database) scope(s Scope) *scope {
	id := digest(s.Database + "\x00" + s.Session)
	d.mu.Lock()
	defer d.mu.Unlock()
	sc := d.scopes[id]
	if sc == nil {
		sc = newScope(d, s.Database, id)
		d.scopes[id] = sc
	}
	return sc
}
