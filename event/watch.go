package event

import "github.com/larder-go/larder/observe"

// What a Topic counts, for its Observer.
var (
	metricPublished = &observe.Metric{
		Name: "larder.topic.published", Unit: "{message}", Instrument: observe.Counter,
		Help: "messages of this process that the server has accepted",
	}
	metricReceived = &observe.Metric{
		Name: "larder.topic.received", Unit: "{message}", Instrument: observe.Counter,
		Help: "messages that came from the server, however many subscribers they have",
	}
	metricDelivered = &observe.Metric{
		Name: "larder.topic.delivered", Unit: "{message}", Instrument: observe.Counter,
		Help: "messages that subscribers have got",
	}
	metricDropped = &observe.Metric{
		Name: "larder.topic.dropped", Unit: "{message}", Instrument: observe.Counter,
		Help: "messages that did not fit the buffer of a subscriber",
	}
	metricUndecodable = &observe.Metric{
		Name: "larder.topic.undecodable", Unit: "{message}", Instrument: observe.Counter,
		Help: "messages that subscribers have got as an error",
	}
	metricGaps = &observe.Metric{
		Name: "larder.topic.gaps", Unit: "{gap}", Instrument: observe.Counter,
		Help: "times that a subscriber was told that it has missed messages",
	}
	metricReconnects = &observe.Metric{
		Name: "larder.topic.reconnects", Unit: "{connection}", Instrument: observe.Counter,
		Help: "subscriptions to the server that were lost and made again",
	}
	metricCatchUps = &observe.Metric{
		Name: "larder.topic.catch_ups", Unit: "{read}", Instrument: observe.Counter,
		Help: "times that a subscriber of a durable topic has read from the stream by itself",
	}
	metricSubscribers = &observe.Metric{
		Name: "larder.topic.subscribers", Unit: "{subscriber}", Instrument: observe.Gauge,
		Help: "subscriptions in this process",
	}
	metricLag = &observe.Metric{
		Name: "larder.topic.lag", Unit: "{message}", Instrument: observe.Gauge,
		Help: "messages that wait for the subscriber that is furthest behind, those in the stream left out",
	}
)

// Metrics are those that every Topic has, for a document or a dashboard.
func Metrics() []*observe.Metric {
	return []*observe.Metric{
		metricPublished, metricReceived, metricDelivered, metricDropped, metricUndecodable, metricGaps,
		metricReconnects, metricCatchUps, metricSubscribers, metricLag,
	}
}

// verbPublish is the operation of Publish.
const verbPublish = "publish"

func (t *Topic[T]) yield(yield observe.Yield) {
	s := t.Stats()
	for _, f := range []struct {
		m *observe.Metric
		n int64
	}{
		{metricPublished, s.Published},
		{metricReceived, s.Received},
		{metricDelivered, s.Delivered},
		{metricDropped, s.Dropped},
		{metricUndecodable, s.Undecodable},
		{metricGaps, s.Gaps},
		{metricReconnects, s.Reconnects},
		{metricCatchUps, s.CatchUps},
		{metricSubscribers, int64(s.Subscribers)},
		{metricLag, int64(t.hub.lag())},
	} {
		yield(f.m, "", float64(f.n))
	}
}

// lag is the length of the longest queue of a subscriber.
func (h *hub) lag() (longest int) {
	h.mu.Lock()
	var feeds []*feed
	if h.pump != nil {
		feeds = h.pump.feeds // replaced, never changed
	}
	h.mu.Unlock()
	for _, f := range feeds {
		f.mu.Lock()
		longest = max(longest, f.queue.n)
		f.mu.Unlock()
	}
	return longest
}
