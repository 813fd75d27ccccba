package event_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/larder-go/larder/conn"
	"github.com/larder-go/larder/embedded"
	"github.com/larder-go/larder/event"
)

func TestPublishAndSubscribe(t *testing.T) {
	t.Parallel()
	everywhere(t, func(t *testing.T, open func(testing.TB) conn.Conn) {
		for kind, o := range map[string]event.Options{
			"fire and forget": {}, "unsharded": {Unsharded: true}, "durable": {Durable: true}, "durable, unsharded": {Durable: true, Unsharded: true},
		} {
			t.Run(kind, func(t *testing.T) {
				t.Parallel()
				name := name()
				a, b := topic[order](t, open(t), name, o), topic[order](t, open(t), name, o)
				here, there, second := subscribe(t, a), subscribe(t, b), subscribe(t, b)
				for i := range 3 {
					id := publish(t, a, order{i, "é\n\""})
					if (id != "") != o.Durable {
						t.Errorf("id %q", id)
					}
					for _, s := range []*event.Subscription[order]{here, there, second} {
						m := next(t, s)
						if m.Data != (order{i, "é\n\""}) || m.ID != id || m.Channel != name {
							t.Errorf("%+v, want %d with id %q", m, i, id)
						}
					}
				}
				if err := second.Close(); err != nil {
					t.Error(err)
				}
				if _, err := second.Next(soon(t)); !errors.Is(err, event.ErrClosed) {
					t.Errorf("closed: %v", err)
				}
				publish(t, b, order{N: 9})
				numbers(t, here, 9)
				numbers(t, there, 9)
				if st := b.Stats(); st.Subscribers != 1 || st.Published != 1 || st.Received != 4 || st.Delivered != 7 || st.Dropped+st.Gaps+st.Undecodable+st.Reconnects != 0 {
					t.Errorf("%+v", st)
				}
			})
		}
	})
}

// Subscribers come and go; the upstream begins anew each time.
func TestSubscribeAgain(t *testing.T) {
	t.Parallel()
	everywhere(t, func(t *testing.T, open func(testing.TB) conn.Conn) {
		for _, durable := range []bool{false, true} {
			to := topic[order](t, open(t), name(), event.Options{Durable: durable})
			for i := range 5 {
				s := subscribe(t, to)
				publish(t, to, order{N: i})
				numbers(t, s, i)
				if err := s.Close(); err != nil {
					t.Error(err)
				}
				publish(t, to, order{N: 100})
			}
		}
	})
}

// One subscription at the server, whatever the number of subscribers.
func TestOneUpstream(t *testing.T) {
	t.Parallel()
	engine, err := embedded.New(embedded.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer engine.Close()
	c := engine.Connect()
	to := topic[order](t, c, "orders", event.Options{})
	upstream := func() int64 {
		v, err := c.Do(soon(t), conn.Cmd("PUBSUB", "NUMSUB", "orders"))
		if err != nil {
			t.Fatal(err)
		}
		return v.Elems[1].Int
	}
	var subs []*event.Subscription[order]
	var mu sync.Mutex
	var wg sync.WaitGroup
	for range 100 {
		wg.Go(func() {
			s := subscribe(t, to)
			mu.Lock()
			defer mu.Unlock()
			subs = append(subs, s)
		})
	}
	wg.Wait()
	if n := upstream(); n != 1 {
		t.Errorf("%d subscriptions at the server", n)
	}
	for _, s := range subs {
		_ = s.Close()
	}
	eventually(t, "nobody is subscribed", func() bool { return upstream() == 0 })
	if err := to.Close(); err != nil {
		t.Error(err)
	}
}

func TestReplay(t *testing.T) {
	t.Parallel()
	everywhere(t, func(t *testing.T, open func(testing.TB) conn.Conn) {
		to := topic[order](t, open(t), name(), event.Options{Durable: true, Buffer: 4})
		var ids []string
		for i := range 20 {
			ids = append(ids, publish(t, to, order{N: i}))
		}
		all, some, none := subscribe(t, to, event.From("0")), subscribe(t, to, event.From(ids[16])), subscribe(t, to)
		ahead := subscribe(t, to, event.From(ids[19]))
		publish(t, to, order{N: 20})
		for i := range 21 {
			m := next(t, all)
			if m.Data.N != i || i < 20 && m.ID != ids[i] {
				t.Fatalf("%+v, want %d", m, i)
			}
		}
		numbers(t, some, 17, 18, 19, 20)
		numbers(t, none, 20)
		numbers(t, ahead, 20)
	})
}

// A subscriber that is slow, of a topic that misses nothing, reads by itself, and
// nobody waits for it.
func TestSlowDurable(t *testing.T) {
	t.Parallel()
	everywhere(t, func(t *testing.T, open func(testing.TB) conn.Conn) {
		const n = 200
		to := topic[order](t, open(t), name(), event.Options{Durable: true, Buffer: 3})
		slow, quick := subscribe(t, to), subscribe(t, to)
		for i := range n {
			publish(t, to, order{N: i})
			numbers(t, quick, i)
		}
		for i := range n {
			numbers(t, slow, i)
			publish(t, to, order{N: n + i})
		}
		for i := range n {
			numbers(t, slow, n+i)
			numbers(t, quick, n+i)
		}
		if st := to.Stats(); st.Dropped != 0 || st.Gaps != 0 || st.CatchUps == 0 {
			t.Errorf("%+v", st)
		}
	})
}

func TestOverflow(t *testing.T) {
	t.Parallel()
	for _, durable := range []bool{false, true} {
		for policy, want := range map[event.Overflow][]any{
			event.DropOldest: {event.GapError{Reason: event.Slow, Missed: 7}, 7, 8, 9, 10},
			event.DropNewest: {0, 1, 2, event.GapError{Reason: event.Slow, Missed: 7}, 10},
			event.Block:      {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10},
		} {
			t.Run(fmt.Sprintf("%v/%v", policy, durable), func(t *testing.T) {
				t.Parallel()
				c, err := embedded.Open(soon(t))
				if err != nil {
					t.Fatal(err)
				}
				t.Cleanup(func() { _ = c.Close() })
				to := topic[order](t, c, "orders", event.Options{Durable: durable, Overflow: policy, Buffer: 3})
				s := subscribe(t, to)
				for i := range 10 {
					publish(t, to, order{N: i})
				}
				blocks := policy == event.Block
				if !blocks {
					eventually(t, "ten messages have come", func() bool { return to.Stats().Received == 10 })
					eventually(t, "seven are dropped", func() bool { return to.Stats().Dropped == 7 })
				}
				for i, w := range want {
					if w == 10 {
						if policy == event.DropNewest {
							continue
						}
						publish(t, to, order{N: 10})
					}
					m, err := s.Next(soon(t))
					var g *event.GapError
					switch {
					case errors.As(err, &g):
						if *g != w {
							t.Errorf("%d: %v, want %v", i, g, w)
						}
					case err != nil || m.Data.N != w:
						t.Errorf("%d: %+v, %v, want %v", i, m, err, w)
					}
				}
				if policy == event.DropNewest {
					publish(t, to, order{N: 10})
					numbers(t, s, 10)
				}
			})
		}
	}
}

func TestOnce(t *testing.T) {
	t.Parallel()
	everywhere(t, func(t *testing.T, open func(testing.TB) conn.Conn) {
		c := open(t)
		for _, name := range []string{name(), "a{" + name() + "}b", "{" + name()} {
			to := topic[order](t, c, name, event.Options{Durable: true})
			other := topic[order](t, c, "x"+name, event.Options{Durable: true})
			s := subscribe(t, to)
			first := publish(t, to, order{N: 1}, event.Once("k"))
			var wg sync.WaitGroup
			for range 10 {
				wg.Go(func() {
					if id, err := to.Publish(soon(t), order{N: 2}, event.Once("k")); id != first || err != nil {
						t.Errorf("%q, %v, want %q", id, err, first)
					}
				})
			}
			wg.Wait()
			if publish(t, other, order{}, event.Once("k")) == "" || publish(t, to, order{N: 3}, event.Once("l")) == first {
				t.Error("another topic, another key")
			}
			numbers(t, s, 1, 3)
		}
	})
}

func TestEveryKeyExpires(t *testing.T) {
	t.Parallel()
	everywhere(t, func(t *testing.T, open func(testing.TB) conn.Conn) {
		c, name := open(t), name()
		to := topic[order](t, c, name, event.Options{Durable: true, MaxLen: 3})
		for i := range 10 {
			publish(t, to, order{N: i}, event.Once(fmt.Sprint(i)))
		}
		n := 0
		err := c.Scan(soon(t), "*"+name+"*", func(keys []string) error {
			for _, key := range keys {
				n++
				if v, err := c.Do(soon(t), conn.Key("PTTL", key)); err != nil || v.Int <= 0 {
					t.Errorf("%s: %v, %v", key, v.Int, err)
				}
			}
			return nil
		})
		if n != 11 || err != nil {
			t.Errorf("%d keys, %v", n, err)
		}
		if v, err := c.Do(soon(t), conn.Key("XLEN", name)); v.Int != 3 || err != nil {
			t.Errorf("%d entries, %v", v.Int, err)
		}
	})
}

// Who wants to go on where the stream does not reach any more is told.
func TestTrimmed(t *testing.T) {
	t.Parallel()
	everywhere(t, func(t *testing.T, open func(testing.TB) conn.Conn) {
		to := topic[order](t, open(t), name(), event.Options{Durable: true, MaxLen: 5, Buffer: 2})
		first := publish(t, to, order{N: 0})
		behind := subscribe(t, to)
		for i := 1; i <= 10; i++ {
			publish(t, to, order{N: i})
			eventually(t, "it has come", func() bool { return to.Stats().Received == int64(i) })
		}
		resumed := subscribe(t, to, event.From(first))
		oldest := subscribe(t, to, event.From("0"))
		if g := gap(t, resumed); g.Reason != event.Trimmed {
			t.Errorf("%v", g)
		}
		numbers(t, resumed, 6, 7, 8, 9, 10)
		numbers(t, oldest, 6, 7, 8, 9, 10)
		numbers(t, behind, 1, 2)
		if g := gap(t, behind); g.Reason != event.Trimmed {
			t.Errorf("%v", g)
		}
		numbers(t, behind, 6, 7, 8, 9, 10)
	})
}

// Messages that are not ours are handed over, and the subscription goes on.
func TestUndecodable(t *testing.T) {
	t.Parallel()
	everywhere(t, func(t *testing.T, open func(testing.TB) conn.Conn) {
		for _, durable := range []bool{false, true} {
			c, name := open(t), name()
			to := topic[order](t, c, name, event.Options{Durable: durable, Unsharded: true})
			s := subscribe(t, to)
			foreign := conn.Cmd("PUBLISH", name, "secret{")
			if durable {
				foreign = conn.Key("XADD", name, "*", "data", "secret{")
			}
			if _, err := c.Do(soon(t), foreign); err != nil {
				t.Fatal(err)
			}
			if durable {
				if _, err := c.Do(soon(t), conn.Key("XADD", name, "*", "other", "x")); err != nil {
					t.Fatal(err)
				}
			}
			publish(t, to, order{N: 1})
			var de *event.DecodeError
			if _, err := s.Next(soon(t)); !errors.As(err, &de) || de.Payload != "secret{" || de.Channel != name || (de.ID != "") != durable ||
				strings.Contains(err.Error(), "secret") || de.Err == nil {
				t.Errorf("%+v", err)
			}
			if durable {
				if _, err := s.Next(soon(t)); !errors.As(err, &de) || de.Payload != "" {
					t.Errorf("%+v", err)
				}
			}
			numbers(t, s, 1)
			want := int64(1)
			if durable {
				want = 2
			}
			if st := to.Stats(); st.Undecodable != want {
				t.Errorf("%+v", st)
			}
		}
	})
}

// What other programs publish and read: see docs/event.md.
func TestWireFormat(t *testing.T) {
	t.Parallel()
	everywhere(t, func(t *testing.T, open func(testing.TB) conn.Conn) {
		c, name := open(t), name()
		listen := func() chan string {
			got, ready := make(chan string, 10), make(chan struct{})
			ctx, cancel := context.WithCancel(context.Background())
			done := make(chan struct{})
			t.Cleanup(func() { cancel(); <-done })
			go func() {
				defer close(done)
				_ = c.Subscribe(ctx, conn.Subscription{Channels: []string{name}, Ready: func() { close(ready) }}, func(m conn.Message) { got <- m.Payload })
			}()
			<-ready
			return got
		}
		got := listen()
		publish(t, topic[order](t, c, name, event.Options{Unsharded: true}), order{1, "x"})
		if s := <-got; s != `{"N":1,"Name":"x"}` {
			t.Errorf("published %s", s)
		}
		durable := topic[order](t, c, name, event.Options{Unsharded: true, Durable: true})
		id := publish(t, durable, order{2, "y"}, event.Named("order.paid"))
		var payload struct {
			Data               json.RawMessage
			Event, Channel, ID string
		}
		if err := json.Unmarshal([]byte(<-got), &payload); err != nil || string(payload.Data) != `{"N":2,"Name":"y"}` ||
			payload.Event != "order.paid" || payload.Channel != name || payload.ID != id {
			t.Errorf("%+v, %v", payload, err)
		}
		v, err := c.Do(soon(t), conn.Key("XRANGE", name, "-", "+"))
		if err != nil {
			t.Fatal(err)
		}
		var fields []string
		for _, e := range v.Elems[0].Elems[1].Elems {
			fields = append(fields, e.Str)
		}
		if want := `data {"N":2,"Name":"y"} event order.paid channel ` + name; strings.Join(fields, " ") != want {
			t.Errorf("%q, want %q", fields, want)
		}

		// As @upstash/realtime publishes: entry first, then the announcement; its
		// pings and strings without quotes.
		texts := topic[string](t, c, name, event.Options{Unsharded: true, Durable: true})
		s := subscribe(t, texts)
		for _, cmd := range []conn.Command{
			conn.Cmd("PUBLISH", name, `{"type":"ping","timestamp":1}`),
			conn.Key("XADD", name, "*", "data", "hello", "event", "chat", "channel", name),
			conn.Cmd("PUBLISH", name, `{"data":"hello","event":"chat","channel":"`+name+`","id":"1-1"}`),
		} {
			if _, err := c.Do(soon(t), cmd); err != nil {
				t.Fatal(err)
			}
		}
		if m := next(t, s); m.Data != "hello" || m.Event != "chat" {
			t.Errorf("%+v", m)
		}
	})
}

func TestPattern(t *testing.T) {
	t.Parallel()
	everywhere(t, func(t *testing.T, open func(testing.TB) conn.Conn) {
		c, name := open(t), name()
		glob := topic[order](t, c, name+":*", event.Options{Pattern: true})
		s := subscribe(t, glob)
		for i, sub := range []string{":a", ":b"} {
			publish(t, topic[order](t, c, name+sub, event.Options{Unsharded: true}), order{N: i})
			if m := next(t, s); m.Channel != name+sub || m.Data.N != i {
				t.Errorf("%+v", m)
			}
		}
		if _, err := glob.Publish(soon(t), order{}); err == nil {
			t.Error("published to a pattern")
		}
	})
}

func TestBadInput(t *testing.T) {
	t.Parallel()
	c, err := embedded.Open(soon(t))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	for field, o := range map[string]event.Options{
		"Buffer": {Buffer: -1}, "MaxBytes": {MaxBytes: 1 << 30}, "MaxLen": {MaxLen: -1}, "Retention": {Retention: 1},
		"OnceWindow": {OnceWindow: -1}, "Poll": {Poll: 1}, "ConnectTimeout": {ConnectTimeout: -1}, "Overflow": {Overflow: 7},
		"Pattern": {Pattern: true, Durable: true},
	} {
		var oe *event.OptionError
		if _, err := event.NewTopic[order](c, "x", o); !errors.As(err, &oe) || oe.Field != "Options."+field {
			t.Errorf("%s: %v", field, err)
		}
	}
	for _, bad := range []string{"", strings.Repeat("x", 513), "\xff", "a}b", "a{}b}"} {
		if _, err := event.NewTopic[order](c, bad, event.Options{Durable: true}); err == nil {
			t.Errorf("name %q accepted", bad)
		}
	}
	if _, err := event.NewTopic[order](nil, "x", event.Options{}); err == nil {
		t.Error("no conn")
	}
	to := topic[order](t, c, "x", event.Options{Durable: true, MaxBytes: 50})
	plain := topic[order](t, c, "y", event.Options{})
	if _, err := to.Publish(soon(t), order{Name: strings.Repeat("x", 50)}); !errors.Is(err, event.ErrTooLarge) {
		t.Error(err)
	}
	if _, err := topic[func()](t, c, "z", event.Options{}).Publish(soon(t), nil); err == nil {
		t.Error("a function was encoded")
	}
	for name, option := range map[string]event.PublishOption{
		"no key": event.Once(""), "a long key": event.Once(strings.Repeat("k", 513)), "no event": event.Named(""), "a line": event.Named("a\nb"),
	} {
		if _, err := to.Publish(soon(t), order{}, option); err == nil {
			t.Error(name)
		}
	}
	for _, option := range []event.PublishOption{event.Once("k"), event.Named("n")} {
		if _, err := plain.Publish(soon(t), order{}, option); err == nil {
			t.Error("an option of durable topics")
		}
	}
	for _, id := range []string{"", "x", "-", "1-", "-1", "1-1-1", "+1", "99999999999999999999"} {
		if _, err := to.Subscribe(soon(t), event.From(id)); err == nil {
			t.Errorf("id %q accepted", id)
		}
	}
	if _, err := plain.Subscribe(soon(t), event.From("0")); err == nil {
		t.Error("replay of what is not kept")
	}
}

func TestEnds(t *testing.T) {
	t.Parallel()
	everywhere(t, func(t *testing.T, open func(testing.TB) conn.Conn) {
		for _, durable := range []bool{false, true} {
			c := open(t)
			to := topic[order](t, c, name(), event.Options{Durable: durable})
			ctx, cancel := context.WithCancel(context.Background())
			s, err := to.Subscribe(ctx)
			if err != nil {
				t.Fatal(err)
			}
			short, stop := context.WithCancel(context.Background())
			stop()
			if _, err := s.Next(short); !errors.Is(err, context.Canceled) {
				t.Error(err)
			}
			publish(t, to, order{N: 1})
			numbers(t, s, 1)
			cancel()
			if _, err := s.Next(soon(t)); !errors.Is(err, context.Canceled) {
				t.Error(err)
			}
			if _, err := to.Subscribe(ctx); !errors.Is(err, context.Canceled) {
				t.Error(err)
			}
			a, b := subscribe(t, to), subscribe(t, to)
			seen := make(chan int)
			go func() {
				n := 0
				for _, err := range a.Messages(context.Background()) {
					if err != nil {
						t.Error(err)
					}
					n++
				}
				seen <- n
			}()
			publish(t, to, order{N: 1})
			numbers(t, b, 1)
			eventually(t, "both have it", func() bool { return to.Stats().Delivered == 3 })
			for range 2 {
				if err := to.Close(); err != nil {
					t.Error(err)
				}
			}
			if n := <-seen; n != 1 {
				t.Errorf("%d messages", n)
			}
			_, pubErr := to.Publish(soon(t), order{})
			_, subErr := to.Subscribe(soon(t))
			_, nextErr := b.Next(soon(t))
			for _, err := range []error{pubErr, subErr, nextErr} {
				if !errors.Is(err, event.ErrClosed) {
					t.Error(err)
				}
			}
			// The conn goes first.
			other := topic[order](t, c, name(), event.Options{Durable: durable})
			last := subscribe(t, other)
			_ = c.Close()
			if _, err := last.Next(soon(t)); !errors.Is(err, event.ErrClosed) {
				t.Error(err)
			}
			if _, err := other.Subscribe(soon(t)); err == nil {
				t.Error("subscribed to a closed conn")
			}
		}
	})
}
