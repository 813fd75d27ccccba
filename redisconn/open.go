package redisconn

import (
	"context"
	"crypto/tls"
	"time"
)

// sentinelInterval is how often sentinels are asked for the master, in addition
// to the events that they publish: a missed event would never be made up for.
const sentinelInterval = 5 * time.Second

// topologyInterval is how often the library looks at a cluster of its own accord.
const topologyInterval = 5 * time.Second

// Open connects to what url names. It fails if the URL or opts are wrong, if the
// server cannot be reached within ctx and the dial timeout, if it refuses the
// login, or if it is not what the URL's scheme says. The returned Conn does not
// depend on ctx.
func Open(ctx context.Context, url string, opts Options) (*Conn, error) {
	t, err := parseURL(url)
	if err != nil {
		return nil, err
	}
	if opts, err = opts.withDefaults(); err != nil {
		return nil, err
	}
	if err := opts.fits(t); err != nil {
		return nil, err
	}
	c := &Conn{life: newLife()}
	// The library connects without a context: an ended one cuts the sockets.
	stop := context.AfterFunc(ctx, func() {
		c.life.end()
		c.life.cut()
	})
	err = c.open(ctx, wire{life: c.life, opts: opts, target: t})
	if !stop() && err == nil {
		err = ctx.Err()
	}
	if err != nil {
		c.life.end()
		if ctx.Err() != nil {
			// Whoever waits for ctx may hear of its end before the function above runs,
			// which is then called off.
			c.life.cut()
		}
		c.shut()
		return nil, openError(ctx, t, err)
	}
	return c, nil
}

func (c *Conn) open(ctx context.Context, w wire) (err error) {
	plain := w
	if c.plain, err = share(&plain, false, nil); err != nil {
		return err
	}
	if c.caps, err = c.plain.discover(ctx); err != nil {
		return err
	}
	c.track, err = openTracker(w)
	c.caps.Tracking = c.track != nil
	if err != nil {
		return err
	}
	return c.supervise(ctx, w.opts)
}

func defaultTLS() *tls.Config { return &tls.Config{MinVersion: tls.VersionTLS12} }
