package sqlcache

import (
	"database/sql"
	"fmt"
	"maps"
	"slices"

	"github.com/larder-go/larder/internal/describe"
	"github.com/larder-go/larder/observe"
)

// Describe tells what the options say of the cache of a sql.DB that was opened by this
// package: for a declared strategy, and for whoever watches. It does not touch Redis.
func Describe(db *sql.DB) (observe.Subject, error) {
	d, err := databaseOf(db)
	if err != nil {
		return observe.Subject{}, err
	}
	return d.describe(), nil
}

// Describe describes the connector's cache: see the function.
func (w *connector) Describe() observe.Subject { return w.db.describe() }

func (d *database) describe() observe.Subject {
	o := d.opts
	s := d.cache.Describe()
	s.Kind = observe.SQL
	s.Prefixes = append(s.Prefixes, d.versions.Describe().Prefixes...)
	s.Pattern = o.Namespace + ":<hash>|<database>|<tables>"
	s.Value = "rows of a query"
	s.TTL = o.TTL
	s.Tags = "by table, and by row where a query names its primary key"
	cached := "queries that ask for it"
	if o.All {
		cached = "every SELECT that can be"
	}
	policy := []string{cached}
	for _, table := range slices.Sorted(maps.Keys(o.TableTTL)) {
		switch ttl := o.TableTTL[table]; {
		case ttl < 0:
			policy = append(policy, table+" never")
		case ttl > 0:
			policy = append(policy, table+" up to "+describe.Duration(ttl))
		}
	}
	policy = append(policy, fmt.Sprintf("results of up to %d rows and %s", o.MaxRows, describe.Bytes(int64(o.MaxBytes))))
	s.Policy = describe.Join(policy...)
	return s
}
