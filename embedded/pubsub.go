package embedded

import (
	"slices"
	"strings"
	"sync"

	"github.com/larder-go/larder/conn"
)

const (
	// maxQueued messages, or maxQueuedBytes, may wait for a subscriber before
	// it is cut off, as Redis does by client-output-buffer-limit.
	maxQueued      = 1 << 16
	maxQueuedBytes = 64 << 20
)

// channels is the engine's publish/subscribe.
type channels struct {
	mu   sync.Mutex // protects all
	subs map[*subscriber]struct{}
}

// subscriber is one call of Subscribe.
type subscriber struct {
	want conn.Subscription
	wake chan struct{}

	mu    sync.Mutex // protects the following
	queue []conn.Message
	bytes int
	lost  bool
}

func (ch *channels) add(s *subscriber) {
	ch.mu.Lock()
	defer ch.mu.Unlock()
	if ch.subs == nil {
		ch.subs = map[*subscriber]struct{}{}
	}
	ch.subs[s] = struct{}{}
}

func (ch *channels) remove(s *subscriber) {
	ch.mu.Lock()
	defer ch.mu.Unlock()
	delete(ch.subs, s)
}

// publish returns how many subscriptions matched.
func (ch *channels) publish(channel, payload string, sharded bool) int {
	ch.mu.Lock()
	defer ch.mu.Unlock()
	n := 0
	for s := range ch.subs {
		if sharded {
			if slices.Contains(s.want.Sharded, channel) {
				n++
				s.add(conn.Message{Channel: channel, Payload: payload})
			}
			continue
		}
		if slices.Contains(s.want.Channels, channel) {
			n++
			s.add(conn.Message{Channel: channel, Payload: payload})
		}
		for _, p := range s.want.Patterns {
			if matches(p, channel) {
				n++
				s.add(conn.Message{Pattern: p, Channel: channel, Payload: payload})
			}
		}
	}
	return n
}

func (s *subscriber) add(m conn.Message) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.bytes += len(m.Channel) + len(m.Payload)
	if len(s.queue) >= maxQueued || s.bytes > maxQueuedBytes {
		s.lost, s.queue = true, nil
	}
	if !s.lost {
		s.queue = append(s.queue, m)
	}
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

func (s *subscriber) take() (queue []conn.Message, lost bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	queue, s.queue, s.bytes = s.queue, nil, 0
	return queue, s.lost
}

// count returns the subscribers per channel; patterns are their own.
func (ch *channels) count(sharded bool) (byChannel map[string]int, patterns int) {
	ch.mu.Lock()
	defer ch.mu.Unlock()
	byChannel, seen := map[string]int{}, map[string]bool{}
	for s := range ch.subs {
		names := s.want.Channels
		if sharded {
			names = s.want.Sharded
		}
		for _, name := range names {
			byChannel[name]++
		}
		for _, p := range s.want.Patterns {
			seen[p] = true
		}
	}
	return byChannel, len(seen)
}

func runPublish(e *Engine, _ *call, args []string) reply {
	return integer(e.channels.publish(args[1], args[2], false))
}

func runSPublish(e *Engine, _ *call, args []string) reply {
	return integer(e.channels.publish(args[1], args[2], true))
}

func runPubSub(e *Engine, _ *call, args []string) reply {
	sub := strings.ToUpper(args[1])
	byChannel, patterns := e.channels.count(strings.HasPrefix(sub, "SHARD"))
	list := conn.Value{Kind: conn.Array}
	switch sub {
	case "CHANNELS", "SHARDCHANNELS":
		for name := range byChannel {
			if len(args) < 3 || matches(args[2], name) {
				list.Elems = append(list.Elems, bulk(name))
			}
		}
	case "NUMSUB", "SHARDNUMSUB":
		for _, name := range args[2:] {
			list.Elems = append(list.Elems, bulk(name), integer(byChannel[name]))
		}
	case "NUMPAT":
		return integer(patterns)
	default:
		return failure("ERR unknown subcommand of 'pubsub'; CHANNELS, NUMSUB, NUMPAT, SHARDCHANNELS and SHARDNUMSUB are known")
	}
	return list
}

func integer(n int) conn.Value { return conn.Value{Kind: conn.Int, Int: int64(n)} }

func bulk(s string) conn.Value { return conn.Value{Kind: conn.Bulk, Str: s} }
