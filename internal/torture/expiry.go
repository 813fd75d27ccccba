package torture

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/larder-go/larder/conn"
)

// ours tells whether a Redis key belongs to this run: an entry, a tag's generation or
// a namespace's.
func (t *Torture) ours(key string) bool {
	for _, kind := range []string{"", "~tag:", "~ns:"} {
		if strings.HasPrefix(key, kind+t.prefix+"-") {
			return true
		}
	}
	return false
}

// expiry looks at every key that is left: P7. It returns how many there were.
func (t *Torture) expiry(ctx context.Context) (keys int, err error) {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	err = t.direct.Scan(ctx, "*"+t.prefix+"*", func(batch []string) error {
		for _, key := range batch {
			if !t.ours(key) {
				continue
			}
			v, err := t.direct.Do(ctx, conn.Key("PTTL", key))
			if err != nil {
				return err
			}
			keys++
			if v.Int == -1 {
				t.check.everlasting(key)
			}
		}
		return nil
	})
	if err != nil {
		return keys, fmt.Errorf("torture: look for keys without expiry: %w", err)
	}
	return keys, nil
}

// everlasting hears of a key without expiry.
func (c *checker) everlasting(key string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.addLocked(Finding{Promise: "P7", Key: key, What: fmt.Sprintf("the key %q has no expiry", key)}, now(), now(), -1)
}

// sweep removes the keys of this run from somebody's server.
func (t *Torture) sweep(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Minute)
	defer cancel()
	return t.direct.Scan(ctx, "*"+t.prefix+"*", func(batch []string) error {
		for _, key := range batch {
			if t.ours(key) {
				if _, err := t.direct.Do(ctx, conn.Key("UNLINK", key)); err != nil {
					return err
				}
			}
		}
		return nil
	})
}
