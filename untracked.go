package larder

import (
	"fmt"
	"time"

	"github.com/larder-go/larder/conn"
	"github.com/larder-go/larder/internal/backplane"
)

// join makes the link over a connection to a server that does not push, nil for any
// other, and fits the options to what can be promised there: a message of the
// backplane may be lost, so nothing that this process remembers counts for longer
// than StalenessBound after it was asked for. l1TTL is L1TTL as it was given.
func (o *Options[K, V]) join(c conn.Conn, l1TTL time.Duration) (*backplane.Link, error) {
	if c == nil {
		return nil, nil
	}
	if _, tracks := c.Tracker(); tracks {
		return nil, nil
	}
	if o.L1MaxBytes <= 0 { // remembers nothing, not even generations
		return backplane.Writer(c), nil
	}
	if l1TTL > o.StalenessBound {
		return nil, optionError("L1TTL", l1TTL, fmt.Sprintf(
			"up to StalenessBound (%v), or 0 for that: this server does not push invalidations", o.StalenessBound))
	}
	o.L1TTL = min(o.L1TTL, o.StalenessBound)
	return backplane.Join(c, o.Logger), nil
}

// leave ends the link, if there is one.
func (c *Cache[K, V]) leave() {
	if c.link != nil {
		c.link.Leave()
	}
}
