package redisconn

import (
	"context"
	"log/slog"
	"net"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"

	"github.com/larder-go/larder/conn"
	"github.com/larder-go/larder/observe"
)

// What a Conn counts of each node, for its Observer.
var (
	metricConnections = &observe.Metric{
		Name: "larder.redis.connections", Unit: "{connection}", Instrument: observe.Gauge,
		Help: "shared connections to the node whose last heartbeat was answered; calls pass",
	}
	metricShut = &observe.Metric{
		Name: "larder.redis.connections_shut", Unit: "{connection}", Instrument: observe.Gauge, Label: "larder.state",
		Help: "shared connections over which calls fail at once: there is none (down), or it does not answer (silent)",
	}
	metricDials = &observe.Metric{
		Name: "larder.redis.dials", Unit: "{connection}", Instrument: observe.Counter,
		Help: "shared connections that were made",
	}
	metricLosses = &observe.Metric{
		Name: "larder.redis.losses", Unit: "{connection}", Instrument: observe.Counter,
		Help: "shared connections that were lost while the Conn was open",
	}
	metricCalls = &observe.Metric{
		Name: "larder.redis.calls", Unit: "{call}", Instrument: observe.Counter,
		Help: "commands, scripts and pipelines that were sent",
	}
	metricFailed = &observe.Metric{
		Name: "larder.redis.failed", Unit: "{call}", Instrument: observe.Counter,
		Help: "calls that were sent, and to which no answer came",
	}
	metricRefused = &observe.Metric{
		Name: "larder.redis.refused", Unit: "{call}", Instrument: observe.Counter,
		Help: "calls that were not sent, since the node did not answer",
	}
	metricInFlight = &observe.Metric{
		Name: "larder.redis.in_flight", Unit: "{call}", Instrument: observe.Gauge,
		Help: "calls that wait for their answer",
	}
)

// Metrics are those that every node has, for a document or a dashboard.
func Metrics() []*observe.Metric {
	return []*observe.Metric{
		metricConnections, metricShut, metricDials, metricLosses, metricCalls, metricFailed, metricRefused, metricInFlight,
	}
}

// maxVerbs bounds the names of commands whose attributes are kept.
const maxVerbs = 256

// watched is what an Observer sees of a gate. A nil one is of a gate that nobody
// watches.
type watched struct {
	observer observe.Observer
	name     string
	node     []slog.Attr // the same in all operations

	dials, losses, calls, failed, refused atomic.Uint64

	mu    sync.RWMutex           // protects verbs
	verbs map[string][]slog.Attr // the attributes of one command, by its name
}

// newWatched prepares for a node, which is named by its address.
func newWatched(o observe.Observer, addr string) *watched {
	if o == nil {
		return nil
	}
	w := &watched{observer: o, name: addr, verbs: map[string][]slog.Attr{}}
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		host = addr // a socket's path
	}
	w.node = []slog.Attr{slog.String("db.system.name", "redis"), slog.String("server.address", host)}
	if n, err := strconv.Atoi(port); err == nil {
		w.node = append(w.node, slog.Int("server.port", n))
	}
	return w
}

// register makes the gate a source.
func (w *watched) register(g *gate) (unregister func()) {
	return w.observer.Register(observe.Source{
		Subject: observe.Subject{Kind: observe.Redis, Name: w.name},
		Metrics: Metrics(),
		Read:    func(yield observe.Yield) { w.yield(g, yield) },
	})
}

func (w *watched) yield(g *gate, yield observe.Yield) {
	switch g.state.Load() {
	case gateOpen:
		yield(metricConnections, "", 1)
	case gateSilent:
		yield(metricShut, "silent", 1)
	default:
		yield(metricShut, "down", 1)
	}
	yield(metricDials, "", float64(w.dials.Load()))
	yield(metricLosses, "", float64(w.losses.Load()))
	yield(metricCalls, "", float64(w.calls.Load()))
	yield(metricFailed, "", float64(w.failed.Load()))
	yield(metricRefused, "", float64(w.refused.Load()))
	yield(metricInFlight, "", float64(max(0, g.inside())))
}

// begin tells that commands are sent: one of a name, or a batch.
func (w *watched) begin(ctx context.Context, verb string, commands int) (context.Context, func(error)) {
	if verb == opEval {
		verb = evalDigest
	}
	attrs := w.attrs(verb)
	if commands > 1 {
		verb = "PIPELINE"
		attrs = append(slices.Clip(w.node),
			slog.String("db.operation.name", verb), slog.Int("db.operation.batch.size", commands))
	}
	ctx, end := w.observer.Begin(ctx, observe.Operation{Kind: observe.Redis, Name: w.name, Verb: verb, Attrs: attrs})
	return ctx, func(err error) {
		if code := conn.Code(err); code != "" {
			end(err, slog.String("db.response.status_code", code))
			return
		}
		end(err)
	}
}

// attrs are those of one command, made once for each name.
func (w *watched) attrs(verb string) []slog.Attr {
	w.mu.RLock()
	attrs, ok := w.verbs[verb]
	w.mu.RUnlock()
	if ok {
		return attrs
	}
	attrs = append(slices.Clip(w.node), slog.String("db.operation.name", verb))
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.verbs) < maxVerbs {
		w.verbs[verb] = attrs
	}
	return attrs
}

// admitted and refusedOne count what became of a call at the gate.
func (w *watched) admitted() {
	if w != nil {
		w.calls.Add(1)
	}
}

func (w *watched) refusedOne() {
	if w != nil {
		w.refused.Add(1)
	}
}

func (w *watched) answered(err error) {
	if w != nil && err != nil {
		w.failed.Add(1)
	}
}

// watch is what an Observer sees of the gate, nil where there is none.
func (g *gate) watch() *watched {
	if g == nil {
		return nil
	}
	return g.watched
}

// firstFailure is the first error of a batch.
func firstFailure(results []conn.Result, at []int) error {
	for _, i := range at {
		if err := results[i].Err; err != nil {
			return err
		}
	}
	return nil
}
