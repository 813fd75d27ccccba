package larder

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"reflect"
	"time"
)

// served is what the cache, or the source, has of a key.
type served[V any] struct {
	value    V
	negative bool
	loadedAt int64 // 0 where it is not known
}

// finding is what one look has brought.
type finding int

const (
	nothing   finding = iota // is served, so nothing can be stale
	agree                    // or the cache was right in time
	doubtful                 // to be looked at once more
	differ                   // for too long
	undecided                // the source gave no answer, or one that cannot be compared
)

// look takes the look that a sample is due for, and tells whether another one follows.
func (p *probe[K, V]) look(ctx context.Context, s *sample[K, V]) (again bool) {
	f := undecided
	func() {
		defer func() { _ = recover() }() // in Equal, or in a codec
		f = p.compare(ctx, s)
	}()
	if ctx.Err() != nil { // the cache is closed
		return false
	}
	switch f {
	case doubtful:
		s.due = time.Now().Add(settle + p.cache.opts.StalenessBound)
		return true
	case differ:
		p.stale[s.delay].Add(1)
		p.checked[s.delay].Add(1)
		p.cache.opts.Logger.Warn("larder: a value that is served is not the source's",
			"namespace", p.cache.opts.Namespace, "key", p.fingerprint(s.key), "after", probeDelayNames[s.delay])
	case agree:
		p.checked[s.delay].Add(1)
	case undecided:
		p.undecided.Add(1)
	}
	return s.next()
}

func (p *probe[K, V]) compare(ctx context.Context, s *sample[K, V]) finding {
	if s.doubt == nil {
		now, ok := p.served(ctx, s.key)
		if !ok {
			return nothing
		}
		truth, ok := p.truth(ctx, s.key)
		switch {
		case !ok || p.older(truth, now):
			return undecided
		case p.same(now, truth):
			return agree
		}
		s.doubt = &now
		return doubtful
	}
	truth, ok := p.truth(ctx, s.key)
	if !ok {
		return undecided
	}
	now, ok := p.served(ctx, s.key)
	switch {
	case !ok || now.loadedAt != s.doubt.loadedAt || p.same(now, truth):
		return agree
	case now.loadedAt == 0 || p.older(truth, now):
		return undecided
	}
	return differ
}

// served returns what a Get would be answered with at once.
func (p *probe[K, V]) served(ctx context.Context, key K) (served[V], bool) {
	rk, err := p.cache.redisKey(key)
	if err != nil {
		return served[V]{}, false
	}
	hit := p.cache.lookup(ctx, key, rk)
	return served[V]{hit.value, hit.negative, hit.loadedAt}, hit.ok
}

// truth asks the source, beside the cache. It returns false where the source fails,
// or has not come back from the last time.
func (p *probe[K, V]) truth(ctx context.Context, key K) (served[V], bool) {
	if !p.busy.CompareAndSwap(false, true) {
		return served[V]{}, false
	}
	p.loads.Add(1)
	ctx, cancel := context.WithTimeout(ctx, p.cache.opts.LoadTimeout)
	defer cancel()
	ctx, end := p.cache.operate(ctx, verbProbe, 1)
	type result struct {
		value V
		err   error
	}
	results := make(chan result, 1)
	go func() {
		r := result{err: ErrLoaderPanic}
		defer func() {
			_ = recover()
			p.busy.Store(false)
			results <- r
		}()
		item, err := p.cache.single(ctx, key, nil)
		r = result{item.Value, err}
	}()
	var r result
	select {
	case r = <-results:
	case <-ctx.Done():
		r.err = ErrLoadTimeout
	}
	if errors.Is(r.err, ErrNotFound) {
		end(nil)
		return served[V]{negative: true}, true
	}
	end(r.err)
	return served[V]{value: r.value}, r.err == nil
}

// older tells whether the source's answer is of a lower revision than what is served:
// a replica that lags.
func (p *probe[K, V]) older(truth, now served[V]) bool {
	revision := p.cache.opts.Revision
	return revision != nil && !truth.negative && !now.negative && revision(truth.value) < revision(now.value)
}

// same tells whether two values are the same to those who read them: by Equal, or as
// they are encoded, or, where a codec never writes the same twice, as they are decoded.
func (p *probe[K, V]) same(a, b served[V]) bool {
	o := &p.cache.opts
	switch {
	case a.negative || b.negative:
		return a.negative == b.negative
	case o.Equal != nil:
		return o.Equal(a.value, b.value)
	}
	rawA, errA := appendValue(o.Codec, nil, a.value)
	rawB, errB := appendValue(o.Codec, nil, b.value)
	if errA != nil || errB != nil || bytes.Equal(rawA, rawB) {
		return errA == nil && errB == nil
	}
	backA, errA := decodeValue(o.Codec, rawA)
	backB, errB := decodeValue(o.Codec, rawB)
	return errA == nil && errB == nil && reflect.DeepEqual(backA, backB)
}

// fingerprint names a key in the log without telling it: the first 16 digits of the
// SHA-256 of the Redis key.
func (p *probe[K, V]) fingerprint(key K) string {
	rk, _ := p.cache.redisKey(key)
	sum := sha256.Sum256([]byte(rk))
	return hex.EncodeToString(sum[:8])
}
