package analytics

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"sync"
	"time"

	"github.com/larder-go/larder/conn"
)

// The defaults and limits of a Recorder.
const (
	DefaultRetention = 90 * 24 * time.Hour
	DefaultInterval  = time.Second
	MaxPending       = 10_000
)

// flushTimeout bounds one write.
const flushTimeout = 5 * time.Second

// Options are the settings of a Recorder. Prefix is required.
type Options struct {
	// Prefix begins the keys; it is that of the limiter.
	Prefix string
	// Retention is how long counts are kept after their hour, in whole hours. 0
	// means DefaultRetention (90 days); negative is an error.
	Retention time.Duration
	// Interval is how often counts are written. 0 means DefaultInterval (1 s); at
	// least 10 ms.
	Interval time.Duration
	// Clock tells the hour. Nil means time.Now.
	Clock func() time.Time
	// Logger hears of writes that fail and of counts that are dropped. Nil means
	// silence.
	Logger *slog.Logger
}

// Recorder counts decisions and writes the counts in the background.
type Recorder struct {
	opts Options
	c    conn.Pipeliner
	stop chan struct{}
	done chan struct{}
	once sync.Once

	mu      sync.Mutex // protects the following
	pending map[counted]int64
	dropped int64
}

// counted is an event in an hour.
type counted struct {
	bucket int64
	event  Event
}

// NewRecorder returns a Recorder that writes to c, which it does not close.
func NewRecorder(c conn.Pipeliner, o Options) (*Recorder, error) {
	if o.Retention == 0 {
		o.Retention = DefaultRetention
	}
	if o.Interval == 0 {
		o.Interval = DefaultInterval
	}
	if o.Clock == nil {
		o.Clock = time.Now
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	switch {
	case c == nil:
		return nil, errors.New("analytics: the Conn is nil")
	case o.Prefix == "":
		return nil, argumentError("Options.Prefix", `""`, "the prefix of the limiter")
	case o.Retention < hour || o.Retention%hour != 0:
		return nil, argumentError("Options.Retention", o.Retention, "whole hours, or 0 for 90 days")
	case o.Interval < 10*time.Millisecond:
		return nil, argumentError("Options.Interval", o.Interval, "at least 10ms, or 0 for 1s")
	}
	r := &Recorder{
		opts: o, c: c, stop: make(chan struct{}), done: make(chan struct{}),
		pending: map[counted]int64{},
	}
	go r.run()
	return r, nil
}

// Record counts e. It does not wait. Where more than MaxPending different events
// wait to be written, further ones are dropped.
func (r *Recorder) Record(e Event) {
	k := counted{bucket(r.opts.Clock()), e}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.addLocked(k, 1)
}

func (r *Recorder) addLocked(k counted, n int64) {
	if _, ok := r.pending[k]; !ok && len(r.pending) >= MaxPending {
		r.dropped += n
		return
	}
	r.pending[k] += n
}

// Close writes what is left, within ctx, and ends the goroutine. A second Close does
// nothing.
func (r *Recorder) Close(ctx context.Context) error {
	var err error
	r.once.Do(func() {
		close(r.stop)
		<-r.done
		err = r.Flush(ctx)
	})
	return err
}

func (r *Recorder) run() {
	defer close(r.done)
	tick := time.NewTicker(r.opts.Interval)
	defer tick.Stop()
	failing := false
	for {
		select {
		case <-r.stop:
			return
		case <-tick.C:
		}
		ctx, cancel := context.WithTimeout(context.Background(), flushTimeout)
		err := r.Flush(ctx)
		cancel()
		if err != nil && !failing {
			r.opts.Logger.Warn("analytics: counts could not be written and are kept", "error", err)
		}
		failing = err != nil
	}
}

// Flush writes at once what waits to be written. A count whose write failed on the
// way may be written twice.
func (r *Recorder) Flush(ctx context.Context) error {
	r.mu.Lock()
	pending, dropped := r.pending, r.dropped
	r.pending, r.dropped = map[counted]int64{}, 0
	r.mu.Unlock()
	if dropped > 0 {
		r.opts.Logger.Warn("analytics: too many different events, some were dropped", "dropped", dropped)
	}
	if len(pending) == 0 {
		return nil
	}
	events := make([]counted, 0, len(pending))
	cmds := make([]conn.Command, 0, len(pending)+2)
	buckets := map[int64]struct{}{}
	for k, n := range pending {
		events = append(events, k)
		cmds = append(cmds, conn.Key("ZINCRBY", key(r.opts.Prefix, k.bucket), strconv.FormatInt(n, 10), k.event.member()))
		buckets[k.bucket] = struct{}{}
	}
	now := r.opts.Clock().UnixMilli()
	for b := range buckets {
		// Not a moment but a distance: the server's clock may be another.
		left := max((b+hour.Milliseconds()+r.opts.Retention.Milliseconds()-now)/1000, 1)
		cmds = append(cmds, conn.Key("EXPIRE", key(r.opts.Prefix, b), strconv.FormatInt(left, 10)))
	}
	var first error
	for i, res := range r.c.Pipeline(ctx, cmds...) {
		if res.Err == nil {
			continue
		}
		if first == nil {
			first = fmt.Errorf("analytics: %w", res.Err)
		}
		// A hash of an ancient version of the original stands in the way: no use to
		// try again.
		if i < len(events) && conn.Code(res.Err) != "WRONGTYPE" {
			r.mu.Lock()
			r.addLocked(events[i], pending[events[i]])
			r.mu.Unlock()
		}
	}
	return first
}
