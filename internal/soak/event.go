package soak

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"

	"github.com/larder-go/larder/event"
)

// news is a message.
type news struct {
	N    uint64 `json:"n"`
	Text string `json:"text"`
}

// events are a durable topic and one that is not, each with a subscriber that stays,
// and others that come and go.
type events struct {
	closers
	topics []*event.Topic[news] // the first is not durable
	end    context.CancelFunc
	stay   sync.WaitGroup
}

func openEvents(ctx context.Context, e *env) (load, error) {
	life, end := context.WithCancel(context.WithoutCancel(ctx))
	l := &events{end: end}
	for i, o := range []event.Options{
		{ConnectTimeout: patience, Buffer: 64},
		{ConnectTimeout: patience, Buffer: 64, Durable: true, MaxLen: 200, Retention: lifetime, OnceWindow: lifetime / 2},
	} {
		t, err := event.NewTopic[news](e.conn, fmt.Sprintf("%s-topic-%d", e.id, i), o)
		if err != nil {
			return nil, errors.Join(err, l.close())
		}
		l.topics = append(l.topics, t)
		l.add(t.Close)
		sub, err := t.Subscribe(ctx)
		if err != nil {
			return nil, errors.Join(err, l.close())
		}
		l.add(sub.Close)
		l.stay.Go(func() {
			for _, err := range sub.Messages(life) {
				_ = err // a gap, where a connection was cut
			}
		})
	}
	return l, nil
}

func (l *events) close() error {
	l.end()
	l.stay.Wait()
	return l.closers.close()
}

func (l *events) step(ctx context.Context, rng *rand.Rand) error {
	at := rng.IntN(len(l.topics))
	t := l.topics[at]
	message := news{rng.Uint64(), strings.Repeat("t", rng.IntN(300))}
	switch n := rng.IntN(100); {
	case n < 80:
		_, err := t.Publish(ctx, message)
		return err
	case n < 90 && at > 0:
		_, err := t.Publish(ctx, message, event.Once(fmt.Sprint(rng.IntN(20))), event.Named("named"))
		return err
	}
	return visit(ctx, t, message)
}

// visit subscribes, waits for one message, and goes.
func visit(ctx context.Context, t *event.Topic[news], message news) error {
	sub, err := t.Subscribe(ctx)
	if err != nil {
		return err
	}
	if _, err := t.Publish(ctx, message); err != nil {
		return errors.Join(err, sub.Close())
	}
	_, err = sub.Next(ctx)
	if _, gap := errors.AsType[*event.GapError](err); gap {
		err = nil // a connection was cut
	}
	return errors.Join(err, sub.Close())
}
