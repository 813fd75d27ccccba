package upstash

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/larder-go/larder/conn"
)

const opSubscribe = "subscribe"

var (
	errSubscription = errors.New("upstash: subscribe: set exactly one of Channels, Patterns and Sharded")
	errSharded      = errors.New("upstash: subscribe: there are no sharded channels over REST; use Channels")
	errStreamEnd    = errors.New("the server ended the stream")
)

// Subscribe listens to one stream per channel or pattern and calls fn on the
// caller's goroutine. Sharded is refused.
func (c *Conn) Subscribe(ctx context.Context, s conn.Subscription, fn func(conn.Message)) error {
	verb, names := "subscribe", s.Channels
	if len(s.Patterns) > 0 {
		verb, names = "psubscribe", s.Patterns
	}
	switch {
	case len(s.Sharded) > 0 && len(names) == 0:
		return errSharded
	case len(names) == 0, len(names) < len(s.Channels)+len(s.Patterns)+len(s.Sharded):
		return errSubscription
	}
	if !c.enter() {
		return conn.ErrClosed
	}
	defer c.users.Done()
	names = slices.Compact(slices.Sorted(slices.Values(names)))

	bound, release := c.bind(ctx)
	var streams sync.WaitGroup
	defer streams.Wait()
	defer release()
	events := make(chan event)
	for _, name := range names {
		streams.Go(func() {
			st := stream{c: c, verb: verb, name: name, events: events}
			err := st.run(bound)
			select {
			case events <- event{err: err}:
			case <-bound.Done():
			}
		})
	}
	return c.deliver(ctx, bound, len(names), s.Ready, events, fn)
}

// deliver hands on what the streams send until one of them ends.
func (c *Conn) deliver(ctx, bound context.Context, streams int, ready func(), events <-chan event, fn func(conn.Message)) error {
	for {
		var e event
		select {
		case e = <-events:
		case <-bound.Done():
		}
		switch {
		case c.life.Err() != nil:
			return conn.ErrClosed
		case ctx.Err() != nil:
			return ctx.Err()
		case e.err != nil:
			return e.err
		case e.confirmed:
			if streams--; streams == 0 && ready != nil {
				ready()
			}
		default:
			fn(e.message)
		}
	}
}

// event is what a stream tells: an error, a confirmation, or a message.
type event struct {
	err       error
	confirmed bool
	message   conn.Message
}

// stream listens to one channel or pattern.
type stream struct {
	c          *Conn
	verb, name string
	events     chan<- event
}

// run returns the error that the stream has ended with.
func (s *stream) run(ctx context.Context) error {
	bound, cancel := context.WithCancel(ctx)
	defer cancel()
	late := time.AfterFunc(s.c.opts.Timeout, cancel) // until it is confirmed
	defer late.Stop()

	err := s.listen(bound, late)
	if _, ok := errors.AsType[*conn.ServerError](err); ok {
		return err
	}
	if _, ok := errors.AsType[*conn.Error](err); ok {
		return err
	}
	if bound.Err() != nil && ctx.Err() == nil {
		err = errTimeout
	}
	return s.c.fail(ctx, bound, opSubscribe, err)
}

func (s *stream) listen(ctx context.Context, late *time.Timer) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, s.c.base+"/"+s.verb+"/"+url.PathEscape(s.name), strings.NewReader("[]"))
	if err != nil {
		return err
	}
	req.Header.Set("Authorization", s.c.bearer)
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Accept", "text/event-stream")
	res, err := s.c.hc.Do(req)
	if err != nil {
		return err
	}
	defer func() { _ = res.Body.Close() }()
	if res.StatusCode != http.StatusOK {
		body, err := io.ReadAll(io.LimitReader(res.Body, maxRefusal))
		if err != nil {
			return err
		}
		return refusal(opSubscribe, res.StatusCode, string(body))
	}
	confirmed := false
	lines := bufio.NewScanner(res.Body)
	lines.Buffer(nil, s.c.opts.MaxResponse)
	for lines.Scan() {
		data, ok := strings.CutPrefix(lines.Text(), "data: ")
		if !ok { // a comment, or the end of an event
			continue
		}
		e, ok := s.event(data)
		if !ok || e.confirmed && confirmed || !e.confirmed && !confirmed {
			continue
		}
		if e.confirmed {
			confirmed = true
			late.Stop()
		}
		select {
		case s.events <- e:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	switch err := lines.Err(); {
	case errors.Is(err, bufio.ErrTooLong):
		return errResponse
	case err != nil:
		return err
	}
	return errStreamEnd
}

// maxRefusal bounds what is read of a stream that is refused.
const maxRefusal = 64 << 10

// event reads the data of an event. The fields are joined by commas, which names
// may hold too; the stream's own is known.
func (s *stream) event(data string) (e event, ok bool) {
	if rest, found := strings.CutPrefix(data, s.verb+","+s.name+","); found {
		return event{confirmed: true}, rest != ""
	}
	if s.verb == "subscribe" {
		payload, found := strings.CutPrefix(data, "message,"+s.name+",")
		return event{message: conn.Message{Channel: s.name, Payload: payload}}, found
	}
	rest, found := strings.CutPrefix(data, "pmessage,"+s.name+",")
	channel, payload, comma := strings.Cut(rest, ",")
	return event{message: conn.Message{Pattern: s.name, Channel: channel, Payload: payload}}, found && comma
}
