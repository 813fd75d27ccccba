package dashboard

import (
	"context"
	"time"

	"github.com/larder-go/larder/conn"
)

// retryFollow is the pause after a subscription was lost.
const retryFollow = 3 * time.Second

// follow listens to the topics of Options.Topics until ctx ends.
func (d *Dashboard) follow(ctx context.Context) {
	for _, name := range d.opts.Topics {
		d.running.Go(func() {
			for ctx.Err() == nil {
				// A lost connection is not news of the topic's; the page says that Redis
				// is away.
				_ = d.c.Subscribe(ctx, conn.Subscription{Channels: []string{name}}, func(m conn.Message) {
					d.events.message(name, m.Payload)
				})
				if ctx.Err() == nil {
					pause(ctx, retryFollow)
				}
			}
		})
	}
}

// message notes that a topic has said something. For a durable topic that is an
// announcement, whose length is that of the announced message or so.
func (e *events) message(topic, payload string) {
	ev := happening{At: time.Now(), Sort: "message", What: size(float64(len(payload))) + " on", Name: topic}
	if e.values {
		ev.By = cut(payload, maxShown)
	}
	e.add(ev)
}

func pause(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
}
