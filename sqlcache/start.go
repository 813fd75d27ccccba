package sqlcache

import (
	"context"
	"strings"

	"github.com/larder-go/larder/internal/statement"
)

// start does what a statement, other than a read, wants done before it runs, and returns
// what it wants done after it; nil is nothing.
func (c *conn) start(ctx context.Context, s *statement.Statement, query string, e effects) (end func(error)) {
	loose := s.Kind == statement.Unknown && e.session // may be a COMMIT
	switch {
	case s.Kind == statement.Savepoint, s.Kind == statement.Harmless:
		return nil
	case s.Kind == statement.Begin:
		return func(err error) {
			if err == nil && c.tx == nil {
				c.tx = &transaction{}
			}
			c.settle()
		}
	case s.Kind == statement.Commit:
		return c.startCommit(ctx, chains(query))
	case s.Kind == statement.Rollback:
		return func(err error) { c.rolledBack(err, chains(query)) }
	}
	c.dirty = c.dirty || e.session
	if c.tx != nil {
		c.tx.merge(e)
		if !loose && !c.unclear {
			return func(error) { c.settle() }
		}
		e = c.tx.effects
	}
	lift := c.db.bar(ctx, c.scope, e)
	return func(error) {
		lift()
		if loose && c.status == nil {
			c.unclear = true
		}
		c.settle()
	}
}

// keepsSession tells whether one statement, which is not understood or may change any
// definition, leaves the session and the transaction as they are.
func keepsSession(query string) bool {
	text := strings.ToLower(strings.TrimSpace(query))
	verb, _, _ := strings.Cut(text, " ")
	switch verb {
	case "insert", "update", "delete", "replace", "merge", "copy",
		"create", "alter", "drop", "grant", "revoke", "comment", "truncate", "refresh":
		return !strings.Contains(text, "set_config") && !strings.Contains(text, "temp")
	}
	return false
}

// chains tells whether a COMMIT or ROLLBACK begins the next transaction.
func chains(query string) bool { return strings.Contains(strings.ToLower(query), "chain") }

// startCommit is start of whatever commits the transaction.
func (c *conn) startCommit(ctx context.Context, chain bool) (end func(error)) {
	var e effects
	if c.tx != nil {
		e = c.tx.effects
	}
	if c.unclear {
		e.all()
	}
	lift := c.db.bar(ctx, c.scope, e)
	return func(err error) {
		lift()
		if err != nil && c.status == nil {
			c.unclear = true // it may be open still
		}
		c.ended(chain && err == nil)
	}
}

// rolledBack takes note of the end of a transaction that has changed nothing.
func (c *conn) rolledBack(err error, chain bool) {
	if err != nil && c.status == nil {
		c.unclear = true
	}
	c.ended(chain && err == nil)
}

func (c *conn) ended(chain bool) {
	c.tx = nil
	if chain {
		c.tx = &transaction{}
	}
	c.settle()
}

// settle compares what is thought of the transaction with what the server says.
func (c *conn) settle() {
	if c.status == nil {
		return
	}
	switch open := c.status() != 'I'; {
	case open && c.tx == nil: // begun, and who knows what came after it
		c.tx = &transaction{}
		c.tx.all()
	case !open && c.tx != nil: // ended by something that was not understood
		e := c.tx.effects
		c.tx = nil
		c.db.bar(context.Background(), c.scope, e)()
	}
}
