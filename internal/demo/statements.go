package demo

import (
	"github.com/jackc/pgx/v5/stdlib"

	"github.com/larder-go/larder/conn"
	"github.com/larder-go/larder/observe"
	"github.com/larder-go/larder/sqlcache"
)

// statements is the store again, with package sqlcache below it: what each statement
// brings is cached, and the writes themselves say what they invalidate.
type statements struct{ *store }

// newStatements opens the database at url through the cache behind c, which it does not
// own, and is watched by o.
func newStatements(prefix, url string, c conn.Conn, o observe.Observer) (cache, error) {
	config, err := postgresConfig(url)
	if err != nil {
		return nil, err
	}
	db, err := sqlcache.OpenDB(stdlib.GetConnector(*config), c, sqlcache.Options{
		Namespace: prefix + "-sql",
		All:       true,
		TTL:       cacheTTL,
		Observer:  o,
	})
	if err != nil {
		return nil, err
	}
	return statements{postgresStore(db)}, nil
}

func (s statements) counters() counters {
	asked := s.queries.Load()
	st, _ := sqlcache.StatsOf(s.read) // it is one of sqlcache
	return counters{
		DBQueries: asked - st.Hits, Hits: st.Hits, L1Hits: st.Cache.L1Hits, Misses: st.Misses,
		Loads: st.Cache.Loads, FillsRefused: st.Cache.FillsRefused, Invalidations: st.Writes,
		CacheErrors: st.Failures + st.Cache.L2Errors + st.Cache.Corrupt,
	}
}
