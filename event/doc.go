// Package event publishes typed messages over Redis and receives them.
//
//	orders, err := event.NewTopic[Order](c, "orders", event.Options{Durable: true})
//	id, err := orders.Publish(ctx, Order{ID: 7}, event.Once("order-7-created"))
//
//	sub, err := orders.Subscribe(ctx, event.From(lastSeen))
//	for m, err := range sub.Messages(ctx) {
//		…                                    // err: a gap, or a message that cannot be decoded
//	}
//
//	http.Handle("GET /orders/live", event.SSE(orders, …))
//
// # Two kinds of topics
//
// A topic that is not durable is Redis Pub/Sub: a message reaches who listens at
// that moment, at most once. Where messages may have been missed, because the
// connection was lost or the subscriber was too slow, it is told so by a
// [*GapError].
//
// A durable topic is a Redis stream: a subscriber misses nothing while it is
// subscribed, however often the connection is lost and however slow it is, and can
// begin at any message that the stream still holds ([From]). Every subscriber gets
// the same messages in the same order, once. Where the stream was trimmed before a
// subscriber came to read, or the server has lost data, it is told by a GapError.
// A message that was published twice, because its Publish was repeated after an
// error, has two ids; with an idempotency key ([Once]) it is stored once.
//
// # Wire
//
// The payload of a message is its JSON, the channel is the topic's name as it is,
// so that redis.publish and redis.subscribe of other clients take part. Durable
// topics are stored and announced as @upstash/realtime does. See docs/event.md.
//
// # Concurrency
//
// All methods are safe for concurrent use. A topic holds one subscription at the
// server while it has subscribers, whatever their number, and up to two goroutines
// for it, which end with the last subscriber or with Close. Use one topic per name
// and process.
//
// # Failure
//
// Publish returns an error that is [ErrUnavailable] where Redis does not answer; it
// is then open whether the message was published. A subscription survives lost
// connections, restarts and messages that cannot be decoded: it ends with its
// context or with the topic only. Payloads appear in no error.
package event
