package event_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/larder-go/larder/conn"
	"github.com/larder-go/larder/event"
	"github.com/larder-go/larder/internal/redistest"
	"github.com/larder-go/larder/redisconn"
)

// durableServer keeps what it has acknowledged.
func durableServer(t testing.TB) *redistest.Server {
	t.Helper()
	return redistest.Start(t, "--appendonly", "yes", "--appendfsync", "always")
}

// quickly notices and repairs lost connections.
func quickly(t testing.TB, url string) conn.Conn {
	t.Helper()
	c, err := redisconn.Open(soon(t), url, redisconn.Options{Heartbeat: 50 * time.Millisecond, KeepAlive: 100 * time.Millisecond, KeepAliveTimeout: 2 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

// Redis is killed and restarted under traffic. Every message whose Publish has
// returned nil reaches every subscriber, once; those that were repeated with an
// idempotency key are stored once; and all subscribers see one sequence.
func TestChaosDurable(t *testing.T) {
	t.Parallel()
	const publishers, each, subscribers, kills = 4, 150, 6, 3
	server, name := durableServer(t), name()
	o := event.Options{Durable: true, Buffer: 8, Poll: 50 * time.Millisecond, ConnectTimeout: patience}
	var subs []*event.Subscription[string]
	for range 2 { // processes
		to := topic[string](t, quickly(t, server.URL()), name, o)
		for range subscribers / 2 {
			subs = append(subs, subscribe(t, to))
		}
	}
	ctx, cancel := context.WithTimeout(context.Background(), 4*patience)
	defer cancel()

	const last = "the end"
	sequences := make([][]string, subscribers)
	var readers sync.WaitGroup
	for i, s := range subs {
		readers.Go(func() {
			for m, err := range s.Messages(ctx) {
				var g *event.GapError
				switch {
				case errors.As(err, &g):
					t.Errorf("subscriber %d: %v", i, g)
				case err != nil:
					t.Errorf("subscriber %d: %v", i, err)
				}
				sequences[i] = append(sequences[i], m.ID+" "+m.Data)
				if m.Data == last {
					return
				}
			}
			t.Errorf("subscriber %d has not seen the end", i)
		})
	}

	// Every publisher repeats until it is told that the message is stored.
	var published, repeated atomic.Int64
	var writers sync.WaitGroup
	c := quickly(t, server.URL())
	to := topic[string](t, c, name, o)
	for p := range publishers {
		writers.Go(func() {
			for n := range each {
				text := fmt.Sprintf("%d/%d", p, n)
				for {
					if _, err := to.Publish(ctx, text, event.Once(text)); err == nil {
						break
					} else if !errors.Is(err, event.ErrUnavailable) || ctx.Err() != nil {
						t.Error(err)
						return
					}
					repeated.Add(1)
					pauseFor(ctx, 5*time.Millisecond)
				}
				published.Add(1)
			}
		})
	}
	for k := range kills {
		goal := int64(publishers * each * (k + 1) / (kills + 1))
		eventually(t, "traffic flows", func() bool { return published.Load() >= goal })
		server.Restart()
	}
	writers.Wait()
	for {
		if _, err := to.Publish(ctx, last, event.Once(last)); err == nil {
			break
		} else if ctx.Err() != nil {
			t.Fatal(err)
		}
		pauseFor(ctx, 5*time.Millisecond)
	}
	readers.Wait()

	seen := map[string]int{}
	for _, line := range sequences[0] {
		_, text, _ := cut(line)
		seen[text]++
	}
	for p := range publishers {
		for n := range each {
			if text := fmt.Sprintf("%d/%d", p, n); seen[text] != 1 {
				t.Errorf("%s was received %d times", text, seen[text])
			}
		}
	}
	for i, sequence := range sequences {
		if !slices.Equal(sequence, sequences[0]) {
			t.Errorf("subscriber %d has another sequence: %d messages, not %d", i, len(sequence), len(sequences[0]))
		}
	}
	if repeated.Load() == 0 {
		t.Error("no publish failed: the server was not killed under traffic")
	}
	t.Logf("%d messages, %d publishes repeated", len(sequences[0]), repeated.Load())
}

func cut(line string) (id, text string, ok bool) {
	for i := range line {
		if line[i] == ' ' {
			return line[:i], line[i+1:], true
		}
	}
	return line, "", false
}

func pauseFor(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}

// Without durability each subscriber is told once per lost connection, before
// the first message after it, and gets all that is published later.
func TestChaosFireAndForget(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	to := topic[order](t, quickly(t, server.URL()), "orders", event.Options{ConnectTimeout: patience})
	subs := []*event.Subscription[order]{subscribe(t, to), subscribe(t, to)}
	for round := range 3 {
		publishSurely(t, to, order{N: round})
		for _, s := range subs {
			numbers(t, s, round)
		}
		server.Restart()
		for _, s := range subs {
			if g := gap(t, s); g.Reason != event.Disconnected {
				t.Errorf("round %d: %v", round, g)
			}
		}
		// Told, they are subscribed again.
		publishSurely(t, to, order{N: 10 + round})
		for _, s := range subs {
			numbers(t, s, 10+round)
		}
	}
	if st := to.Stats(); st.Reconnects != 3 || st.Gaps != 6 {
		t.Errorf("%+v", st)
	}
}

// publishSurely publishes over a connection that may not be back yet.
func publishSurely(t testing.TB, to *event.Topic[order], o order) {
	t.Helper()
	eventually(t, "the server takes a message", func() bool {
		_, err := to.Publish(soon(t), o)
		return err == nil
	})
}

// A server that comes back without its data: subscribers are told, and get what
// comes after.
func TestChaosDataLost(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	to := topic[order](t, quickly(t, server.URL()), "orders", event.Options{Durable: true, ConnectTimeout: patience, Poll: 20 * time.Millisecond})
	s := subscribe(t, to)
	for i := range 3 {
		publishSurely(t, to, order{N: i})
	}
	numbers(t, s, 0, 1, 2)
	server.Restart()
	if g := gap(t, s); g.Reason != event.Trimmed {
		t.Errorf("%v", g)
	}
	publishSurely(t, to, order{N: 7})
	numbers(t, s, 7)

	// By a clock that is behind, too, and in one step, so that nobody sees it empty.
	const lose = "redis.call('DEL', KEYS[1]) return redis.call('XADD', KEYS[1], '5-1', 'data', '{\"N\":8}')"
	if _, err := server.Do("EVAL", lose, "1", "orders"); err != nil {
		t.Fatal(err)
	}
	if g := gap(t, s); g.Reason != event.Trimmed {
		t.Errorf("%v", g)
	}
	numbers(t, s, 8)
	if _, err := server.Do("XADD", "orders", "5-2", "data", `{"N":9}`); err != nil {
		t.Fatal(err)
	}
	numbers(t, s, 9)
}

// Redis is away when somebody subscribes, and is silent when somebody waits.
func TestRedisAway(t *testing.T) {
	t.Parallel()
	for _, durable := range []bool{false, true} {
		server := durableServer(t)
		to := topic[order](t, quickly(t, server.URL()), "orders", event.Options{Durable: durable, ConnectTimeout: 200 * time.Millisecond})
		server.Stop()
		_, subErr := to.Subscribe(soon(t))
		_, pubErr := to.Publish(soon(t), order{})
		for _, err := range []error{subErr, pubErr} {
			var e *event.Error
			if !errors.Is(err, event.ErrUnavailable) || !errors.Is(err, conn.ErrUnavailable) && err == pubErr || !errors.As(err, &e) { //nolint:errorlint // which of the two
				t.Error(err)
			}
		}
		server.Restart()
		eventually(t, "it is back", func() bool {
			s, err := to.Subscribe(soon(t))
			if err == nil {
				_ = s.Close()
			}
			return err == nil
		})
		s := subscribe(t, to)
		publishSurely(t, to, order{N: 1})
		numbers(t, s, 1)
		server.Pause()
		ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
		if _, err := s.Next(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Error(err)
		}
		cancel()
		server.Resume()
		if err := to.Close(); err != nil {
			t.Error(err)
		}
	}
}

// Nothing is left of a topic that was closed in the middle of an outage.
func TestNothingLeaks(t *testing.T) {
	server := redistest.Start(t)
	c := quickly(t, server.URL())
	before := runtime.NumGoroutine()
	for _, durable := range []bool{false, true} {
		to, err := event.NewTopic[order](c, "orders", event.Options{Durable: durable, ConnectTimeout: patience, Buffer: 1})
		if err != nil {
			t.Fatal(err)
		}
		for range 10 {
			s := subscribe(t, to)
			go func() {
				for _, err := range s.Messages(context.Background()) {
					_ = err // gaps
				}
			}()
		}
		publishSurely(t, to, order{})
		server.Restart()
		if err := to.Close(); err != nil {
			t.Error(err)
		}
	}
	eventually(t, "the goroutines have ended", func() bool { return runtime.NumGoroutine() <= before+2 })
}
