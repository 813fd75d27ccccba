package e2e

import (
	"sync"
	"testing"
	"time"

	"github.com/larder-go/larder/event"
)

type order struct {
	N    int
	Name string
}

// What a Go process publishes reaches a Node process through larder serve, and what
// that publishes reaches Go: over redis.subscribe and redis.publish of
// @upstash/redis, and where the topic is durable over @upstash/realtime, history
// included.
func TestOneTopicForGoAndTypeScript(t *testing.T) {
	t.Parallel()
	install(t)
	larder := buildLarder(t)
	for _, e := range engines {
		t.Run(e.name, func(t *testing.T) {
			t.Parallel()
			url := e.redis(t)
			env := serve(t, larder, url, e.name)
			for kind, o := range map[string]event.Options{
				"plain":   {},
				"durable": {Durable: true},
			} {
				t.Run(kind, func(t *testing.T) {
					t.Parallel()
					echo(t, url, env, kind, o)
				})
			}
		})
	}
}

// echo publishes to one topic and reads from another what Node has made of it.
func echo(t *testing.T, url string, env []string, kind string, o event.Options) {
	const count, before = 20, 5
	c := openBeside(t, url, env)
	topic := func(name string) *event.Topic[order] {
		to, err := event.NewTopic[order](c, name, o)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = to.Close() })
		return to
	}
	there, back := topic(kind+":there"), topic(kind+":back")
	sub, err := back.Subscribe(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var named []event.PublishOption
	if o.Durable {
		named = append(named, event.Named("order.paid"))
	}
	publish := func(n int) {
		if _, err := there.Publish(t.Context(), order{n, "número \"1\" 🥊"}, named...); err != nil {
			t.Error(err)
		}
	}
	first := 0
	if o.Durable {
		for ; first < before; first++ {
			publish(first)
		}
	}
	var busy sync.WaitGroup
	busy.Go(func() {
		await(t, c, kind+":there:ready")
		for n := first; n < count; n++ {
			publish(n)
		}
	})
	runNode(t, env, "test/echo.js", kind, kind+":there", kind+":back", "20")
	busy.Wait()
	for n := range count {
		m, err := sub.Next(within(t, 30*time.Second))
		if err != nil {
			t.Fatal(err)
		}
		if m.Data != (order{n, "número \"1\" 🥊"}) || (m.ID != "") != o.Durable || o.Durable && m.Event != "order.paid" {
			t.Errorf("message %d: %+v", n, m)
		}
	}
}
