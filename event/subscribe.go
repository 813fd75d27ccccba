package event

import (
	"context"
	"errors"
	"iter"
	"sync"
	"time"
)

const opSubscribe = "subscribe"

var errNotConfirmed = errors.New("the server has not confirmed in time")

// SubscribeOption is a setting of one Subscribe.
type SubscribeOption func(*position) error

// position is where a subscription begins.
type position struct {
	from streamID
	set  bool
}

// From begins after the message with this id, which is a Message.ID, or
// milliseconds since 1970 by the server's clock; "0" begins with the oldest message
// that there is. Durable topics only. Without it a subscription begins with what is
// published after Subscribe has returned, or a moment earlier.
func From(id string) SubscribeOption {
	return func(p *position) error {
		from, ok := parseID(id)
		if !ok {
			return optionError("the id of From", id, `an id such as "1700000000000-0", or "0"`)
		}
		*p = position{from, true}
		return nil
	}
}

// Subscription receives the messages of a topic.
type Subscription[T any] struct {
	topic *Topic[T]
	feed  *feed
	close func()
}

// Subscribe begins to receive, and returns when the server has confirmed it. The
// subscription ends with ctx, with its Close and with the topic's, not otherwise.
func (t *Topic[T]) Subscribe(ctx context.Context, options ...SubscribeOption) (*Subscription[T], error) {
	var p position
	for _, option := range options {
		if err := option(&p); err != nil {
			return nil, err
		}
	}
	if p.set && !t.hub.opt.Durable {
		return nil, optionError("From", "set", "only where Options.Durable is")
	}
	f, end, err := t.hub.subscribe(ctx, p)
	if err != nil {
		return nil, err
	}
	stop := context.AfterFunc(ctx, func() { end(ctx.Err()) })
	return &Subscription[T]{topic: t, feed: f, close: func() {
		stop()
		end(ErrClosed)
	}}, nil
}

// subscribe returns a feed, and what ends it.
func (h *hub) subscribe(ctx context.Context, from position) (*feed, func(error), error) {
	if err := ctx.Err(); err != nil {
		return nil, nil, failed(opSubscribe, err)
	}
	p, err := h.acquire()
	if err != nil {
		return nil, nil, err
	}
	f := newFeed(p)
	if from.set {
		f.behind, f.start, f.cursor = true, from.from != (streamID{}), from.from
	}
	if err := p.enter(ctx, f); err != nil {
		p.release()
		return nil, nil, err
	}
	var once sync.Once
	return f, func(why error) {
		once.Do(func() {
			f.end(why)
			p.detach(f)
			p.release()
		})
	}, nil
}

// enter waits until the feed is attached.
func (p *pump) enter(ctx context.Context, f *feed) error {
	timer := time.NewTimer(p.hub.opt.ConnectTimeout)
	defer timer.Stop()
	for {
		live, cause := p.state()
		if ok, err := p.attach(f); ok || err != nil {
			return err
		}
		select {
		case <-live:
		case <-p.hub.done:
			return ErrClosed
		case <-ctx.Done():
			return failed(opSubscribe, ctx.Err())
		case <-timer.C:
			if cause == nil {
				cause = errNotConfirmed
			}
			return failed(opSubscribe, cause)
		}
	}
}

// Next waits for the next message. An error that is a *GapError or a *DecodeError
// tells about one or more messages and the subscription goes on; any other is the
// end: of ctx, of the context given to Subscribe, or ErrClosed.
func (s *Subscription[T]) Next(ctx context.Context) (Message[T], error) {
	r, err := s.feed.next(ctx)
	if err != nil {
		return Message[T]{}, err
	}
	return s.topic.decode(r)
}

// Messages iterates over what Next returns, until the subscription or ctx ends;
// the error that ends it is not among them.
func (s *Subscription[T]) Messages(ctx context.Context) iter.Seq2[Message[T], error] {
	return func(yield func(Message[T], error) bool) {
		for {
			m, err := s.Next(ctx)
			if err != nil {
				var gap *GapError
				var undecodable *DecodeError
				if !errors.As(err, &gap) && !errors.As(err, &undecodable) {
					return
				}
			}
			if !yield(m, err) {
				return
			}
		}
	}
}

// Close ends the subscription. A second Close does nothing.
func (s *Subscription[T]) Close() error {
	s.close()
	return nil
}
