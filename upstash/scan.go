package upstash

import (
	"context"

	"github.com/larder-go/larder/conn"
)

// scanCount is the number of keys that one SCAN looks at.
const scanCount = "512"

// Scan walks the keyspace, one request per step.
func (c *Conn) Scan(ctx context.Context, pattern string, fn func(keys []string) error) error {
	for cursor := "0"; ; {
		v, err := c.Do(ctx, conn.Cmd("SCAN", cursor, "MATCH", pattern, "COUNT", scanCount))
		if err != nil {
			return err
		}
		if len(v.Elems) != 2 || v.Elems[1].Kind != conn.Array {
			return &conn.Error{Op: "SCAN", Err: errReply}
		}
		if found := v.Elems[1].Elems; len(found) > 0 {
			keys := make([]string, len(found))
			for i := range found {
				keys[i] = found[i].Str
			}
			if err := fn(keys); err != nil {
				return err
			}
		}
		if cursor, err = v.Elems[0].Text(); err != nil {
			return &conn.Error{Op: "SCAN", Err: errReply}
		}
		if cursor == "0" {
			return nil
		}
	}
}
