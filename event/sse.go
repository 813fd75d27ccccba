package event

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"
)

// Defaults of SSEOptions.
const (
	DefaultHeartbeat    = 15 * time.Second
	DefaultWriteTimeout = 10 * time.Second
	DefaultMaxClients   = 10_000
)

// SSEOptions are the settings of SSE. The zero value is valid.
type SSEOptions struct {
	// Heartbeat is how often a comment is sent where nothing else is, so that
	// proxies keep the connection and dead clients are noticed. 0 means
	// DefaultHeartbeat (15 s); negative is an error.
	Heartbeat time.Duration

	// WriteTimeout is how long a client may take to accept what is sent; then its
	// connection is cut. 0 means DefaultWriteTimeout (10 s); negative is an error.
	WriteTimeout time.Duration

	// MaxClients is how many clients the handler serves at a time; further ones
	// get status 503. 0 means DefaultMaxClients (10,000); negative is an error.
	MaxClients int

	// MaxPerClient is how many connections a client may have at a time; further
	// ones get status 429. 0 means no such limit; negative is an error.
	MaxPerClient int

	// ClientKey says who a client is, for MaxPerClient. Nil means the host that
	// the connection comes from, which behind a proxy is the proxy.
	ClientKey func(*http.Request) string
}

func (o SSEOptions) withDefaults() SSEOptions {
	if o.Heartbeat == 0 {
		o.Heartbeat = DefaultHeartbeat
	}
	if o.WriteTimeout == 0 {
		o.WriteTimeout = DefaultWriteTimeout
	}
	if o.MaxClients == 0 {
		o.MaxClients = DefaultMaxClients
	}
	if o.ClientKey == nil {
		o.ClientKey = remoteHost
	}
	return o
}

func (o SSEOptions) validate() error {
	switch {
	case o.Heartbeat < 0:
		return optionError("SSEOptions.Heartbeat", o.Heartbeat, fmt.Sprintf("a positive duration, or 0 for %v", DefaultHeartbeat))
	case o.WriteTimeout < 0:
		return optionError("SSEOptions.WriteTimeout", o.WriteTimeout, fmt.Sprintf("a positive duration, or 0 for %v", DefaultWriteTimeout))
	case o.MaxClients < 0:
		return optionError("SSEOptions.MaxClients", o.MaxClients, fmt.Sprintf("a positive number, or 0 for %d", DefaultMaxClients))
	case o.MaxPerClient < 0:
		return optionError("SSEOptions.MaxPerClient", o.MaxPerClient, "a positive number, or 0 for no limit")
	}
	return nil
}

func remoteHost(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr
	}
	return host
}

// SSE serves a topic to browsers as server-sent events (HTML standard, section
// 9.2), each with the JSON of a message as its data, whether it is a T or not. Who
// may read the topic, a handler before it decides.
//
// Where the topic is durable each event has an id, and a client that was cut off
// goes on where it was: browsers send the header Last-Event-ID by themselves, others
// may use the query parameter lastEventId. An event that was published with Named
// has that type, others have none, so that they reach onmessage. A GapError is sent
// as an event of type "gap" with {"reason":…,"missed":…}.
//
// Responses end with the client, when it does not read, and with Topic.Close, which
// a graceful shutdown has to call first. Where Redis does not answer the status is
// 503.
func SSE[T any](t *Topic[T], o SSEOptions) (http.Handler, error) {
	if t == nil {
		return nil, optionError("the topic", nil, "one made by NewTopic")
	}
	o = o.withDefaults()
	if err := o.validate(); err != nil {
		return nil, err
	}
	return &sse{hub: t.hub, opt: o, clients: map[string]int{}}, nil
}

type sse struct {
	hub *hub
	opt SSEOptions

	mu      sync.Mutex // protects the following
	total   int
	clients map[string]int
}

// enter counts a client; the status is 0 if it may come in.
func (s *sse) enter(key string) (status int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.total >= s.opt.MaxClients:
		return http.StatusServiceUnavailable
	case s.opt.MaxPerClient > 0 && s.clients[key] >= s.opt.MaxPerClient:
		return http.StatusTooManyRequests
	}
	s.total++
	if s.opt.MaxPerClient > 0 {
		s.clients[key]++
	}
	return 0
}

func (s *sse) leave(key string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.total--
	if s.opt.MaxPerClient == 0 {
		return
	}
	if s.clients[key]--; s.clients[key] == 0 {
		delete(s.clients, key)
	}
}

// ServeHTTP serves one client.
func (s *sse) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet {
		w.Header().Set("Allow", http.MethodGet)
		http.Error(w, "use GET", http.StatusMethodNotAllowed)
		return
	}
	from, ok := s.position(r)
	if !ok {
		http.Error(w, "Last-Event-ID is no id of this stream", http.StatusBadRequest)
		return
	}
	key := ""
	if s.opt.MaxPerClient > 0 {
		key = s.opt.ClientKey(r)
	}
	if status := s.enter(key); status != 0 {
		refuse(w, status)
		return
	}
	defer s.leave(key)
	feed, end, err := s.hub.subscribe(r.Context(), from)
	if err != nil {
		refuse(w, http.StatusServiceUnavailable)
		return
	}
	defer end(ErrClosed)
	_ = s.serve(r.Context(), w, feed) // a client that is gone
}

func refuse(w http.ResponseWriter, status int) {
	w.Header().Set("Retry-After", "5")
	http.Error(w, http.StatusText(status), status)
}

// position is where the client wants to go on.
func (s *sse) position(r *http.Request) (p position, ok bool) {
	id := r.Header.Get("Last-Event-ID")
	if id == "" {
		id = r.URL.Query().Get("lastEventId")
	}
	if id == "" || !s.hub.opt.Durable {
		return p, true
	}
	p.from, ok = parseID(id)
	p.set = true
	return p, ok
}

// serve sends what the feed has until the client is gone, or the topic.
func (s *sse) serve(ctx context.Context, w http.ResponseWriter, f *feed) error {
	head := w.Header()
	head.Set("Content-Type", "text/event-stream")
	head.Set("Cache-Control", "no-cache, no-transform")
	head.Set("X-Accel-Buffering", "no") // nginx
	out := &eventWriter{w: w, rc: http.NewResponseController(w), timeout: s.opt.WriteTimeout}
	if err := out.send([]byte(":\n\n")); err != nil { // the client knows that it is in
		return err
	}
	var b []byte
	for {
		bound, cancel := context.WithTimeout(ctx, s.opt.Heartbeat)
		r, err := f.next(bound)
		cancel()
		var gap *GapError
		switch {
		case err == nil:
			b = appendEvent(b[:0], r)
		case errors.As(err, &gap):
			b = fmt.Appendf(b[:0], "event: gap\ndata: {\"reason\":%q,\"missed\":%d}\n\n", gap.Reason, gap.Missed)
		case ctx.Err() == nil && errors.Is(err, context.DeadlineExceeded):
			b = append(b[:0], ":\n\n"...)
		default:
			return err
		}
		if err := out.send(b); err != nil {
			return err
		}
	}
}

// eventWriter writes and flushes within a time.
type eventWriter struct {
	w       http.ResponseWriter
	rc      *http.ResponseController
	timeout time.Duration
}

func (e *eventWriter) send(b []byte) error {
	// Writers that know no deadlines are those of tests.
	if err := e.rc.SetWriteDeadline(time.Now().Add(e.timeout)); err != nil && !errors.Is(err, http.ErrNotSupported) {
		return err
	}
	if _, err := e.w.Write(b); err != nil {
		return err
	}
	return e.rc.Flush()
}

var lineEnds = strings.NewReplacer("\r\n", "\n", "\r", "\n")

// appendEvent appends one event. Payloads of others may have lines.
func appendEvent(b []byte, r received) []byte {
	if r.id != (streamID{}) {
		b = append(append(append(b, "id: "...), r.id.String()...), '\n')
	}
	if r.event != "" && r.event != DefaultEvent && !strings.ContainsAny(r.event, "\r\n\x00") {
		b = append(append(append(b, "event: "...), r.event...), '\n')
	}
	for line := range strings.SplitSeq(lineEnds.Replace(r.data), "\n") {
		b = append(append(append(b, "data: "...), line...), '\n')
	}
	return append(b, '\n')
}
