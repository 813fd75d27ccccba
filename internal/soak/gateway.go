package soak

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	random "math/rand/v2"

	"github.com/larder-go/larder/conn"
	"github.com/larder-go/larder/gateway"
	"github.com/larder-go/larder/upstash"
)

// rest is the gateway behind HTTP, and the client for Upstash before it.
type rest struct {
	closers
	url, token, prefix string
	client             *upstash.Conn
}

func openGateway(ctx context.Context, e *env) (load, error) {
	l := &rest{token: rand.Text(), prefix: e.id + "-rest"}
	g, err := gateway.New(e.conn, gateway.Options{Token: l.token, Timeout: patience})
	if err != nil {
		return nil, err
	}
	url, end, err := serve(ctx, g)
	if err != nil {
		return nil, errors.Join(err, g.Close())
	}
	l.url = url
	l.add(end)
	l.add(g.Close) // streams first
	if l.client, err = upstash.Open(ctx, url, l.token, upstash.Options{Timeout: patience}); err != nil {
		return nil, errors.Join(err, l.close())
	}
	l.add(l.client.Close)
	return l, nil
}

var counting = conn.NewScript("local n = redis.call('INCR', KEYS[1]) redis.call('PEXPIRE', KEYS[1], ARGV[1]) return n")

const millis = "10000" // lifetime

func (l *rest) step(ctx context.Context, rng *random.Rand) error {
	key := fmt.Sprintf("%s:%d", l.prefix, rng.IntN(200))
	switch n := rng.IntN(100); {
	case n < 40:
		_, err := l.client.Do(ctx, conn.Key("SET", key, key, "PX", millis))
		return err
	case n < 70:
		_, err := l.client.Do(ctx, conn.Key("GET", key))
		return err
	case n < 85:
		for _, r := range l.client.Pipeline(ctx, conn.Key("SET", key, key, "PX", millis), conn.Key("GET", key), conn.Key("UNLINK", key)) {
			if r.Err != nil {
				return r.Err
			}
		}
		return nil
	case n < 95:
		_, err := l.client.Eval(ctx, counting, []string{key + ":n"}, []string{millis})
		return err
	}
	return l.listen(ctx, key)
}

// listen subscribes, hears its own message, and goes.
func (l *rest) listen(ctx context.Context, channel string) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	ready, heard := make(chan struct{}), make(chan struct{}, 1)
	ended := make(chan error, 1)
	go func() {
		ended <- l.client.Subscribe(ctx, conn.Subscription{Channels: []string{channel}, Ready: func() { close(ready) }}, func(conn.Message) {
			select {
			case heard <- struct{}{}:
			default:
			}
		})
	}()
	select {
	case <-ready:
	case err := <-ended:
		return err
	}
	if _, err := l.client.Do(ctx, conn.Cmd("PUBLISH", channel, "hello")); err != nil {
		cancel()
		<-ended //nolint:errcheck // that it was cancelled
		return err
	}
	select {
	case <-heard:
		cancel()
		<-ended //nolint:errcheck // that it was cancelled
		return nil
	case err := <-ended:
		return err
	}
}
