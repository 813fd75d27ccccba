package strategy

import (
	"context"
	"errors"
	"time"

	"github.com/larder-go/larder/conn"
)

const (
	// settle is how long a process may take from one Declare to the next: what a
	// service declares when it starts is published as one.
	settle = time.Second
	// publishTimeout bounds one publication in the background.
	publishTimeout = 5 * time.Second
	// withdrawTimeout bounds what Close waits for Redis.
	withdrawTimeout = time.Second
	// firstRetry is doubled with each failure, up to Options.Renew.
	firstRetry = 500 * time.Millisecond
)

// Publish stores now what was declared so far, instead of a second after the last
// Declare, and says whether Redis has taken it. Where it has not, the background tries
// again.
func (r *Registry) Publish(ctx context.Context) error {
	_, err := r.publish(ctx)
	return err
}

func (r *Registry) isClosed() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.closed
}

// publish sends what is declared, and returns its digest, "" where nothing is.
func (r *Registry) publish(ctx context.Context) (digest string, err error) {
	select {
	case r.turn <- struct{}{}:
		defer func() { <-r.turn }()
	case <-ctx.Done():
		return "", ctx.Err()
	}
	if r.isClosed() {
		return "", ErrClosed // Close has said, or is about to say, that the process has ended
	}
	s := r.snapshot()
	if len(s.Declarations) == 0 {
		return "", nil
	}
	body, digest, err := s.encode()
	if err != nil {
		return "", err
	}
	p := publication{
		digest: digest, body: body, process: r.process, last: r.sent,
		alive: 3 * r.opts.Renew, keep: r.opts.Keep,
	}
	if err := p.send(ctx, r.c); err != nil {
		return "", err
	}
	r.sent = digest
	return digest, nil
}

// withdraw says that the process has ended. Nobody misses it: it is not renewed.
func (r *Registry) withdraw(ctx context.Context) {
	select {
	case r.turn <- struct{}{}:
		defer func() { <-r.turn }()
	case <-ctx.Done():
		return
	}
	if r.sent != "" {
		_, _ = r.c.Do(ctx, conn.Key("ZREM", processesKey, r.sent+" "+r.process))
	}
}

// publishing runs until the registry is closed: it publishes what was declared once
// nothing more is, and renews it.
func (r *Registry) publishing() {
	timer := time.NewTimer(r.opts.Renew)
	defer timer.Stop()
	retry, failed, checked := firstRetry, false, ""
	for {
		select {
		case <-r.life.Done():
			return
		case <-r.changed:
			timer.Reset(settle)
			continue
		case <-timer.C:
		}
		ctx, cancel := context.WithTimeout(r.life, publishTimeout)
		digest, err := r.publish(ctx)
		cancel()
		switch {
		case r.life.Err() != nil, errors.Is(err, ErrClosed):
			return
		case err != nil:
			if !failed {
				r.opts.Logger.Warn("strategy: the declarations could not be published; trying again", "service", r.opts.Service, "error", err)
			}
			failed = true
			timer.Reset(min(retry, r.opts.Renew))
			retry = min(2*retry, r.opts.Renew)
			continue
		case failed:
			r.opts.Logger.Info("strategy: the declarations are published", "service", r.opts.Service)
		}
		retry, failed = firstRetry, false
		timer.Reset(r.opts.Renew)
		if digest != checked {
			r.warn()
			checked = digest
		}
	}
}

// warn tells of other services' claims. Those that come later tell of it themselves.
func (r *Registry) warn() {
	ctx, cancel := context.WithTimeout(r.life, publishTimeout)
	defer cancel()
	warnings, err := r.Check(ctx)
	if err != nil && r.life.Err() == nil {
		r.opts.Logger.Warn("strategy: what other services declare could not be read", "error", err)
	}
	for _, w := range warnings {
		r.opts.Logger.Warn("strategy: what is declared does not fit what another service declares", "service", r.opts.Service, "warning", string(w.Code), "text", w.Text)
	}
}

// Close ends the renewal and says that the process has ended, in so far as Redis answers
// within a second; its declarations are kept for Options.Keep. A second Close does
// nothing.
func (r *Registry) Close() error {
	r.mu.Lock()
	if r.closed {
		r.mu.Unlock()
		return nil
	}
	r.closed = true
	r.mu.Unlock()
	r.end()
	r.work.Wait()
	ctx, cancel := context.WithTimeout(context.Background(), withdrawTimeout)
	defer cancel()
	r.withdraw(ctx)
	return nil
}
