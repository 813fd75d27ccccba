package gateway

import (
	"log/slog"
	"sync/atomic"
	"time"
)

const accessLevel = slog.LevelInfo

// log tells what was asked and how it went, without anything that a client has
// chosen: paths hold keys, values and perhaps a token.
func (x *exchange) log() {
	x.g.opts.AccessLog.LogAttrs(x.r.Context(), accessLevel, "gateway: request",
		slog.String("method", method(x.r.Method)),
		slog.String("endpoint", string(x.endpoint)),
		slog.Int("commands", x.commands),
		slog.Int("status", x.status),
		slog.Int("bytes", x.written),
		slog.Duration("took", time.Since(x.begun)),
		slog.String("client", x.r.RemoteAddr),
	)
}

// method is one of the known methods: any word may stand there.
func method(m string) string {
	switch m {
	case "GET", "HEAD", "POST", "PUT", "OPTIONS", "DELETE", "PATCH":
		return m
	}
	return "other"
}

// counters are what Stats shows.
type counters struct {
	requests, commands, streams, slow, messages, lost atomic.Uint64
	open                                              atomic.Int64
}

// Stats counts what a Gateway has done since New.
type Stats struct {
	// Requests are all HTTP requests, refused ones included.
	Requests uint64
	// Commands are those of accepted requests.
	Commands uint64
	// Streams have been opened, OpenStreams are open now.
	Streams     uint64
	OpenStreams int64
	// Messages were handed to streams, each counted once per stream.
	Messages uint64
	// SlowReaders were cut off because they were too slow; see Options.MaxLag.
	SlowReaders uint64
	// LostSubscriptions were interrupted by the loss of Redis and made again.
	LostSubscriptions uint64
}

// Stats returns the present counts.
func (g *Gateway) Stats() Stats {
	c := &g.counters
	return Stats{
		Requests: c.requests.Load(), Commands: c.commands.Load(),
		Streams: c.streams.Load(), OpenStreams: c.open.Load(), Messages: c.messages.Load(),
		SlowReaders: c.slow.Load(), LostSubscriptions: c.lost.Load(),
	}
}
