package larder

import (
	"context"
	"errors"
	"iter"
	"sync"
	"time"
)

// The defaults of WarmOptions.
const (
	DefaultWarmConcurrency = 8
	DefaultWarmBatch       = 100
)

// WarmOptions say how gently Warm goes about it.
type WarmOptions struct {
	// Concurrency is how many loads run at a time; with Options.LoadMany, how
	// many batches. 0 means DefaultWarmConcurrency (8); negative is an error.
	Concurrency int
	// Batch is how many keys one LoadMany gets. 0 means DefaultWarmBatch (100);
	// negative is an error. Without LoadMany keys are loaded one by one.
	Batch int
	// Progress, if set, is called after each key or batch, never by two
	// goroutines at a time, with the numbers so far.
	Progress func(WarmReport)
}

// WarmReport counts the keys that Warm has seen to.
type WarmReport struct {
	// Done keys have a value in the cache, or were found not to exist.
	Done int
	// Failed keys could not be loaded.
	Failed int
}

// Warm sees to it that the keys are in the cache, loading those that are not, as
// Get would: one load in the fleet, fenced against invalidations. It goes on
// after failures, ends with ctx, and returns an error that joins the first
// hundred of them.
func (c *Cache[K, V]) Warm(ctx context.Context, keys iter.Seq[K], opts WarmOptions) (WarmReport, error) {
	switch {
	case opts.Concurrency < 0:
		return WarmReport{}, optionError("Concurrency", opts.Concurrency, "positive, or 0 for 8")
	case opts.Batch < 0:
		return WarmReport{}, optionError("Batch", opts.Batch, "positive, or 0 for 100")
	case c.single == nil:
		return WarmReport{}, c.failed("warm", "", ErrNoLoader)
	}
	if opts.Concurrency == 0 {
		opts.Concurrency = DefaultWarmConcurrency
	}
	if opts.Batch == 0 {
		opts.Batch = DefaultWarmBatch
	}
	if c.opts.LoadMany == nil {
		opts.Batch = 1
	}
	w := &warming[K, V]{cache: c, progress: opts.Progress}
	w.run(ctx, keys, opts)
	if err := ctx.Err(); err != nil {
		w.errs = append(w.errs, err)
	}
	return w.report, c.failed("warm", "", errors.Join(w.errs...))
}

// warming is the state of one Warm.
type warming[K comparable, V any] struct {
	cache    *Cache[K, V]
	progress func(WarmReport)

	mu     sync.Mutex // protects report and errs, and orders calls of progress
	report WarmReport
	errs   []error
}

const maxWarmErrors = 100

// run hands the keys to the workers and waits for them, also where the iterator
// panics.
func (w *warming[K, V]) run(ctx context.Context, keys iter.Seq[K], opts WarmOptions) {
	batches := make(chan []K)
	var wg sync.WaitGroup
	defer wg.Wait()
	defer close(batches)
	for range opts.Concurrency {
		wg.Go(func() {
			for batch := range batches {
				w.load(ctx, batch)
			}
		})
	}
	batch := make([]K, 0, opts.Batch)
	send := func() bool {
		select {
		case batches <- batch:
			batch = make([]K, 0, opts.Batch)
			return true
		case <-ctx.Done():
			return false
		}
	}
	for key := range keys {
		if batch = append(batch, key); len(batch) == opts.Batch && !send() {
			return
		}
	}
	if len(batch) > 0 && ctx.Err() == nil {
		send()
	}
}

func (w *warming[K, V]) load(ctx context.Context, batch []K) {
	var (
		failed int
		err    error
	)
	if len(batch) == 1 {
		if _, err = w.cache.get(ctx, batch[0], w.cache.single, time.Time{}); errors.Is(err, ErrNotFound) {
			err = nil
		}
		if err != nil {
			failed = 1
		}
	} else {
		_, failed, err = w.cache.getMany(ctx, batch, time.Time{})
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.report.Done += len(batch) - failed
	w.report.Failed += failed
	if err != nil && len(w.errs) < maxWarmErrors {
		w.errs = append(w.errs, err)
	}
	if w.progress != nil {
		w.progress(w.report)
	}
}
