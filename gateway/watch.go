package gateway

import (
	"errors"
	"log/slog"
	"net/http"
	"sync/atomic"

	"github.com/larder-go/larder/observe"
)

// What a Gateway counts, for its Observer.
var (
	metricRequests = &observe.Metric{
		Name: "larder.gateway.requests", Unit: "{request}", Instrument: observe.Counter, Label: "larder.status",
		Help: "HTTP requests by the class of their status; streams that have ended are 2xx",
	}
	metricCommands = &observe.Metric{
		Name: "larder.gateway.commands", Unit: "{command}", Instrument: observe.Counter, Label: "larder.family",
		Help: "commands that the server knows, by what they work on",
	}
	metricErrors = &observe.Metric{
		Name: "larder.gateway.errors", Unit: "{command}", Instrument: observe.Counter,
		Help: "commands that were answered with an error",
	}
	metricStreams = &observe.Metric{
		Name: "larder.gateway.streams", Unit: "{stream}", Instrument: observe.Gauge,
		Help: "subscriptions of clients that are open",
	}
	metricMessages = &observe.Metric{
		Name: "larder.gateway.messages", Unit: "{message}", Instrument: observe.Counter,
		Help: "messages handed to streams",
	}
	metricSlow = &observe.Metric{
		Name: "larder.gateway.slow_readers", Unit: "{stream}", Instrument: observe.Counter,
		Help: "streams that were cut off because they were too slow",
	}
	metricLost = &observe.Metric{
		Name: "larder.gateway.lost_subscriptions", Unit: "{subscription}", Instrument: observe.Counter,
		Help: "subscriptions to Redis that were lost and made again",
	}
)

// Metrics are those that every Gateway has, for a document or a dashboard.
func Metrics() []*observe.Metric {
	return []*observe.Metric{
		metricRequests, metricCommands, metricErrors, metricStreams, metricMessages, metricSlow, metricLost,
	}
}

// tally is what only an Observer reads.
type tally struct {
	status   [len(statusNames)]atomic.Uint64
	families [families]atomic.Uint64
	errors   atomic.Uint64
}

// statusNames are the classes of HTTP status; the first is of requests whose client
// went before there was one.
var statusNames = [...]string{"none", "1xx", "2xx", "3xx", "4xx", "5xx"}

var errServer = errors.New("gateway: the request was answered with a status of 500 or above")

// watched serves a request that an Observer sees.
func (x *exchange) watched() {
	attrs := []slog.Attr{slog.String("http.request.method", requestMethod(x.r.Method)), slog.String("url.scheme", scheme(x.r))}
	ctx, end := x.g.opts.Observer.Begin(x.r.Context(), observe.Operation{
		Kind: observe.Gateway, Name: x.g.name, Verb: attrs[0].Value.String(), Attrs: attrs,
	})
	x.r = x.r.WithContext(ctx)
	done := false
	defer func() {
		x.g.tally.status[min(x.status/100, len(statusNames)-1)].Add(1)
		err := error(nil)
		if x.status >= http.StatusInternalServerError || !done { // not done: a panic, which net/http takes
			err = errServer
		}
		end(err, slog.Int("http.response.status_code", x.status), slog.String("http.route", x.route()))
	}()
	x.serve()
	done = true
}

// route is what the request was for, of which there are few: a path holds keys.
func (x *exchange) route() string {
	switch x.endpoint {
	case toCommand:
		return "/"
	case toPipeline:
		return "/pipeline"
	case toMulti:
		return "/multi-exec"
	case toPath:
		return "/{command}"
	case toStream:
		return "/subscribe/{channel}"
	case toHealth:
		return "/healthz"
	}
	return "refused"
}

// requestMethod is a method under the name that the semantic conventions give it.
func requestMethod(m string) string {
	if m = method(m); m == "other" {
		return "_OTHER"
	}
	return m
}

func scheme(r *http.Request) string {
	if r.TLS != nil {
		return "https"
	}
	return "http"
}

// countRow counts a command that has been answered.
func (g *Gateway) countRow(r *row) {
	if g.opts.Observer != nil && r.res.Err != nil {
		g.tally.errors.Add(1)
	}
}

func (g *Gateway) yield(yield observe.Yield) {
	for i, name := range statusNames {
		yield(metricRequests, name, float64(g.tally.status[i].Load()))
	}
	for f, name := range familyNames {
		yield(metricCommands, name, float64(g.tally.families[f].Load()))
	}
	s := g.Stats()
	yield(metricErrors, "", float64(g.tally.errors.Load()))
	yield(metricStreams, "", float64(s.OpenStreams))
	yield(metricMessages, "", float64(s.Messages))
	yield(metricSlow, "", float64(s.SlowReaders))
	yield(metricLost, "", float64(s.LostSubscriptions))
}
