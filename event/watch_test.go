package event_test

import (
	"errors"
	"testing"

	"github.com/larder-go/larder/embedded"
	"github.com/larder-go/larder/event"
	"github.com/larder-go/larder/internal/observetest"
	"github.com/larder-go/larder/observe"
)

// Messages whose every figure is known.
func TestWhatAnObserverIsTold(t *testing.T) {
	t.Parallel()
	c, err := embedded.Open(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	seen, ctx := observetest.New(t), t.Context()
	topic, err := event.NewTopic[string](c, "watched", event.Options{Durable: true, MaxBytes: 100, Observer: seen})
	if err != nil {
		t.Fatal(err)
	}
	var subs []*event.Subscription[string]
	for range 2 {
		s, err := topic.Subscribe(ctx)
		if err != nil {
			t.Fatal(err)
		}
		subs = append(subs, s)
	}
	for range 3 {
		if _, err := topic.Publish(ctx, "hello"); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := topic.Publish(ctx, string(make([]byte, 1000))); !errors.Is(err, event.ErrTooLarge) {
		t.Fatal(err)
	}
	for i, s := range subs {
		for range 3 - i { // the second leaves one unread
			if _, err := s.Next(ctx); err != nil {
				t.Fatal(err)
			}
		}
	}
	want := map[string]float64{
		"larder.topic.published":   3,
		"larder.topic.received":    3,
		"larder.topic.delivered":   5,
		"larder.topic.subscribers": 2,
		"larder.topic.lag":         1,
	}
	seen.Want(observe.Topic, "watched", want)
	if n := len(seen.Ended(observe.Topic, "publish")); n != 3 {
		t.Errorf("%d operations publish, want 3", n)
	}
	if got := len(seen.Metrics()); got != len(event.Metrics()) {
		t.Errorf("%d metrics are declared, Metrics lists %d", got, len(event.Metrics()))
	}
	_ = topic.Close()
	_ = topic.Close()
	if left := seen.Subjects(); len(left) != 0 {
		t.Errorf("after Close: %+v", left)
	}
	delete(want, "larder.topic.subscribers")
	delete(want, "larder.topic.lag")
	seen.Want(observe.Topic, "watched", want)
}
