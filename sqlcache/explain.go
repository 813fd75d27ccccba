package sqlcache

import (
	"context"
	"database/sql"
	"time"

	"github.com/larder-go/larder/internal/statement"
)

// Explanation says what becomes of a query.
type Explanation struct {
	// Cached says that the query goes through the cache. Why says why it does not.
	Cached bool
	Why    string
	// Key is the key of its result, after the namespace; Tags are what invalidates it;
	// TTL is how long it is kept. All are empty where Cached is false.
	Key  string
	Tags []string
	TTL  time.Duration
	// Writes are the tags that the statement invalidates, if it is one that writes.
	Writes []string
}

// Explain answers why a query is not cached, or under which tags it is. The query is not
// run. Its arguments are taken as they are, without what a driver may make of them.
func Explain(ctx context.Context, db *sql.DB, query string, args ...any) (Explanation, error) {
	c, err := db.Conn(ctx)
	if err != nil {
		return Explanation{}, err
	}
	defer c.Close()
	var x Explanation
	err = c.Raw(func(driverConn any) error {
		c, ok := driverConn.(*conn)
		if !ok {
			return ErrNotWrapped
		}
		x = c.explain(ctx, query, args)
		return nil
	})
	return x, err
}

func (c *conn) explain(ctx context.Context, query string, values []any) Explanation {
	args := make(arguments, len(values))
	for i, v := range values {
		args[i].Ordinal, args[i].Value = i+1, v
	}
	s := c.db.statement(query)
	p, sure := c.plan(ctx, query, s)
	e := c.effectsOf(query, s, p, sure, args)
	if s.Kind != statement.Select || !e.none() || e.session {
		return Explanation{Why: c.whyNot(s, p, notARead), Writes: e.tags(c.scope)}
	}
	r, why := c.admit(ctx, query, s, p, sure, args)
	if why != cached {
		return Explanation{Why: c.whyNot(s, p, why)}
	}
	return Explanation{Cached: true, Key: r.key, Tags: tagsOfKey(r.key), TTL: r.ttl}
}

// whyNot is a reason, with what is known of it.
func (c *conn) whyNot(s *statement.Statement, p *plan, why reason) string {
	text := why.String()
	switch {
	case why == badHint:
		return text + ": " + s.Hint.Err.Error()
	case why == notCacheable && p.Cacheable:
		return text + ": it reads no table, and names no tags"
	case p != nil && p.Why != "":
		return text + ": " + p.Why
	case s.Why != "":
		return text + ": " + s.Why
	}
	return text
}
