package sqlcache

import (
	"cmp"
	"fmt"
	"log/slog"
	"time"

	"github.com/larder-go/larder"
	"github.com/larder-go/larder/internal/naming"
	"github.com/larder-go/larder/observe"
)

// The defaults of Options.
const (
	DefaultNamespace     = "sql"
	DefaultTTL           = time.Minute
	DefaultMaxRows       = 10_000
	DefaultMaxBytes      = 1 << 20
	DefaultCatalogMaxAge = time.Minute
)

// MaxTTL is the longest that a result may be kept.
const MaxTTL = 24 * time.Hour

// Options say what is cached, and for how long. The zero value caches the queries that
// ask for it.
type Options struct {
	// Namespace is the first part of every Redis key of a result. Processes share
	// results within a namespace, so they must read with the same driver and the same
	// settings of it. What one of them writes counts in all namespaces. As in
	// larder.Options; empty means DefaultNamespace ("sql").
	Namespace string

	// All caches every SELECT that can be, save those with Bypass or the hint off.
	// Without it only those are cached that ask for it, by With or by a hint.
	All bool

	// TTL is how long a result is kept that names no time itself. 0 means DefaultTTL
	// (1 min); 1 ms to MaxTTL (24 h). It bounds for how long a write that went past the
	// wrapper is not seen.
	TTL time.Duration

	// TableTTL is the longest that results may be kept which a table has part in, by
	// "schema.table" or, for any schema, "table"; the shortest of all tables read counts.
	// Negative means that nothing that reads the table is cached; 0 is no limit.
	TableTTL map[string]time.Duration

	// MaxRows and MaxBytes bound what is stored of one query, in rows and in bytes of
	// their encoding. What exceeds them is passed on and not stored. 0 means
	// DefaultMaxRows (10,000) and DefaultMaxBytes (1 MiB); negative is an error.
	MaxRows, MaxBytes int

	// L1MaxBytes bounds the results that are held in the process: see larder.Options.
	// 0 means its default (64 MiB); negative means none.
	L1MaxBytes int64

	// CacheTimeout bounds what a query waits for Redis before it runs, and a write before
	// it and after it: see larder.Options. 0 means its default (250 ms); negative is an
	// error.
	CacheTimeout time.Duration

	// Dialect is what is known of the database. Nil means that the driver tells:
	// PostgreSQL for pgx and lib/pq, SQLite for modernc.org/sqlite and go-sqlite3, and
	// else Other.
	Dialect Dialect

	// CatalogMaxAge is after how long the definitions of tables, views and triggers are
	// read again, in case somebody has changed them past the wrapper. 0 means
	// DefaultCatalogMaxAge (1 min); negative is an error.
	CatalogMaxAge time.Duration

	// Observer is told what becomes of queries and writes, here and in the larder.Caches
	// below, which have the names Namespace and Namespace-schema: see Metrics and
	// docs/telemetry.md. Nil means that nobody watches.
	Observer observe.Observer

	// Logger hears of what no caller is told: failures of the cache, hints that make no
	// sense. Nil means silence.
	Logger *slog.Logger
}

func (o Options) withDefaults() Options {
	o.Namespace = cmp.Or(o.Namespace, DefaultNamespace)
	o.TTL = cmp.Or(o.TTL, DefaultTTL)
	o.MaxRows = cmp.Or(o.MaxRows, DefaultMaxRows)
	o.MaxBytes = cmp.Or(o.MaxBytes, DefaultMaxBytes)
	o.CatalogMaxAge = cmp.Or(o.CatalogMaxAge, DefaultCatalogMaxAge)
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	return o
}

func (o Options) validate() error {
	switch {
	case !naming.IsNamespace(o.Namespace) || len(o.Namespace)+len(schemaSuffix) > naming.MaxNamespaceBytes:
		return optionError("Namespace", o.Namespace, naming.NamespaceAllowed)
	case o.TTL < time.Millisecond || o.TTL > MaxTTL:
		return optionError("TTL", o.TTL.String(), "1ms to 24h, or 0 for 1m")
	case o.MaxRows < 0:
		return optionError("MaxRows", o.MaxRows, "positive, or 0 for 10000")
	case o.MaxBytes < 0 || o.MaxBytes > 512<<20:
		return optionError("MaxBytes", o.MaxBytes, "1 to 512 MiB, or 0 for 1 MiB")
	case o.CatalogMaxAge < 0:
		return optionError("CatalogMaxAge", o.CatalogMaxAge.String(), "positive, or 0 for 1m")
	}
	for table, ttl := range o.TableTTL {
		if table == "" || ttl > 0 && ttl < time.Millisecond {
			return optionError(fmt.Sprintf("TableTTL[%q]", table), ttl.String(), "a table's name, and at least 1ms, 0 for no limit, or negative for never")
		}
	}
	return nil
}

func optionError(field string, value any, allowed string) error {
	return &larder.OptionError{Field: field, Value: value, Allowed: allowed}
}
