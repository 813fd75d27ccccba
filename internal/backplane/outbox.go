package backplane

import (
	"context"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/larder-go/larder/conn"
)

const (
	// linger is how long the first key waits for others. Writers announce before
	// a write and after it; where Redis is quick one message does for both.
	linger = time.Millisecond
	// maxKeys and maxBytes bound what waits. Beyond them all keys are meant.
	maxKeys  = 10_000
	maxBytes = 1 << 20
	// publishTimeout bounds one try to publish. There is no second one.
	publishTimeout = 250 * time.Millisecond
)

// outbox publishes what it is given. It has a goroutine while something waits.
type outbox struct {
	c      conn.Pipeliner
	origin string
	failed atomic.Uint64
	hurry  chan struct{} // holds a token when somebody waits in flush

	mu    sync.Mutex // protects the following
	keys  map[string]struct{}
	bytes int
	all   bool
	idle  chan struct{} // closed when all that was added is sent; nil while nothing waits
}

func newOutbox(c conn.Pipeliner) *outbox {
	return &outbox{c: c, origin: newOrigin(), hurry: make(chan struct{}, 1)}
}

// add takes over keys to publish, at once.
func (o *outbox) add(keys []string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, key := range keys {
		if _, waits := o.keys[key]; waits || o.all {
			continue
		}
		if o.keys == nil {
			o.keys = map[string]struct{}{}
		}
		o.keys[key] = struct{}{}
		o.bytes += len(key)
		if len(o.keys) > maxKeys || o.bytes > maxBytes {
			o.all, o.keys = true, nil
		}
	}
	if o.idle == nil {
		o.idle = make(chan struct{})
		go o.run()
	}
}

// run publishes until nothing waits.
func (o *outbox) run() {
	timer := time.NewTimer(linger)
	defer timer.Stop()
	for {
		select {
		case <-timer.C:
		case <-o.hurry:
		}
		keys, some := o.take()
		if !some {
			return
		}
		o.publish(messages(o.origin, keys))
		timer.Reset(linger)
	}
}

// take returns what waits, nil keys meaning all; nothing ends the goroutine.
func (o *outbox) take() (keys []string, some bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if !o.all && len(o.keys) == 0 {
		close(o.idle)
		o.idle = nil
		return nil, false
	}
	for key := range o.keys {
		keys = append(keys, key)
	}
	o.keys, o.bytes, o.all = nil, 0, false
	return keys, true
}

// maxPipeline bounds the messages of one round trip.
const maxPipeline = 16

func (o *outbox) publish(ms []string) {
	ctx, cancel := context.WithTimeout(context.Background(), publishTimeout)
	defer cancel()
	for part := range slices.Chunk(ms, maxPipeline) {
		cmds := make([]conn.Command, len(part))
		for i, m := range part {
			cmds[i] = conn.Cmd("PUBLISH", channel, m)
		}
		for _, r := range o.c.Pipeline(ctx, cmds...) {
			if r.Err != nil {
				o.failed.Add(1)
			}
		}
	}
}

// flush sends what waits without lingering, and returns when it is sent or ctx
// has ended.
func (o *outbox) flush(ctx context.Context) {
	o.mu.Lock()
	idle := o.idle
	o.mu.Unlock()
	if idle == nil {
		return
	}
	for {
		select {
		case <-idle:
			return
		case <-ctx.Done():
			return
		case o.hurry <- struct{}{}:
		}
	}
}
