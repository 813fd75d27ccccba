package embedded

import (
	"context"

	"github.com/larder-go/larder/conn"
)

// scanBatch is how many keys Scan reports at once.
const scanBatch = 1000

// Scan calls fn with the keys that match, as they were at one moment.
func (c *Conn) Scan(ctx context.Context, pattern string, fn func(keys []string) error) error {
	if err := c.begin(ctx); err != nil {
		return failed("scan", err)
	}
	e := c.engine
	e.expireEverythingLocked()
	keys := e.db.Keys()
	e.end()

	batch := make([]string, 0, min(len(keys), scanBatch))
	for i, k := range keys {
		if matches(pattern, k) {
			batch = append(batch, k)
		}
		if len(batch) < scanBatch && i < len(keys)-1 || len(batch) == 0 {
			continue
		}
		if err := ctx.Err(); err != nil {
			return failed("scan", err)
		}
		select {
		case <-c.done:
			return conn.ErrClosed
		default:
		}
		if err := fn(batch); err != nil {
			return err
		}
		batch = make([]string, 0, scanBatch)
	}
	return nil
}
