package event

import (
	"fmt"

	"github.com/larder-go/larder/internal/describe"
	"github.com/larder-go/larder/observe"
)

// Describe tells what the options say of the topic: for a declared strategy, and for
// whoever watches. It does not touch Redis.
func (t *Topic[T]) Describe() observe.Subject {
	o, name := t.hub.opt, t.hub.name
	s := observe.Subject{
		Kind:    observe.Topic,
		Name:    name,
		Pattern: name,
		Type:    "channel",
		Value:   describe.Type[T](),
		Policy: describe.Join(
			describe.If(o.Durable, fmt.Sprintf("durable, the last %d messages", o.MaxLen)),
			describe.If(!o.Durable, "nothing is kept: who does not listen misses it"),
			describe.If(o.Pattern, "the name is a glob"),
			fmt.Sprintf("a slow subscriber: %s after %d", o.Overflow, o.Buffer),
		),
	}
	if o.Durable {
		s.Keys, s.Type, s.TTL = []string{name}, "stream", o.Retention
	}
	return s
}
