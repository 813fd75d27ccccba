package gateway

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/larder-go/larder/conn"
	"github.com/larder-go/larder/internal/deadline"
	"github.com/larder-go/larder/observe"
)

// Gateway is an http.Handler that answers as Upstash's REST API does.
type Gateway struct {
	c         conn.Conn
	caps      conn.Capabilities
	nodes     conn.NodeDoer // nil unless the server is a cluster
	noShebang bool          // the server's scripts have no first line of their own

	opts      Options
	tokens    tokens
	deadlines *deadline.Source
	scripts   scripts
	hub       *hub
	counters  counters

	name       string // for the Observer
	tally      tally
	unregister func()
	closed     atomic.Bool

	table   atomic.Pointer[table]
	reading chan struct{} // held while the table is read

	life string // of the sync tokens
	sync atomic.Uint64
}

var _ http.Handler = (*Gateway)(nil)

// New makes a gateway to what c reaches. It sends nothing. An error names the
// option that is wrong. c must stay open until Close has returned, and the
// gateway does not close it.
func New(c conn.Conn, opts Options) (*Gateway, error) {
	if c == nil {
		return nil, errors.New("gateway: the Conn is nil; open one with redisconn or embedded")
	}
	opts, err := opts.withDefaults()
	if err != nil {
		return nil, err
	}
	g := &Gateway{
		c: c, caps: c.Capabilities(), opts: opts, tokens: newTokens(opts),
		deadlines: deadline.New(opts.Timeout), reading: make(chan struct{}, 1),
	}
	if g.caps.Cluster {
		nodes, ok := c.(conn.NodeDoer)
		if !ok {
			return nil, errors.New("gateway: the Conn leads to a cluster but is no conn.NodeDoer")
		}
		g.nodes = nodes
	}
	major, _, _ := strings.Cut(g.caps.Version, ".")
	if n, err := strconv.Atoi(major); err == nil && n < 7 {
		g.noShebang = true
	}
	var life [4]byte
	_, _ = rand.Read(life[:]) // never fails
	g.life = hex.EncodeToString(life[:]) + "-"
	g.hub = newHub(g)
	subject := g.Describe()
	g.name = subject.Name
	g.unregister = observe.OrNobody(opts.Observer).Register(observe.Source{Subject: subject, Metrics: Metrics(), Read: g.yield})
	return g, nil
}

// Close ends all streams, after what waits for them has been sent, and waits for
// the goroutines that the gateway owns. New streams are refused and /readyz
// fails from now on; commands are still answered, so that a server can be shut
// down after Close without an error to anybody. A second Close does nothing.
func (g *Gateway) Close() error {
	g.hub.close()
	if !g.closed.Swap(true) {
		g.unregister()
	}
	return nil
}

// endpoint is what a request is for.
type endpoint string

const (
	toCommand  endpoint = "command"
	toPath     endpoint = "path"
	toPipeline endpoint = "pipeline"
	toMulti    endpoint = "multi-exec"
	toStream   endpoint = "stream"
	toHealth   endpoint = "health"
	toNothing  endpoint = "refused"
)

// ServeHTTP answers one request.
func (g *Gateway) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	g.counters.requests.Add(1)
	x := exchange{g: g, w: w, r: r, endpoint: toNothing}
	if g.opts.AccessLog.Enabled(r.Context(), accessLevel) {
		x.begun = time.Now()
		defer x.log()
	}
	if g.opts.Observer != nil {
		x.watched()
		return
	}
	x.serve()
}

// serve finds out what the request is for.
func (x *exchange) serve() {
	r := x.r
	x.limitBody()
	if len(r.Header["Origin"]) > 0 {
		allowOrigin(x.w.Header())
	}
	switch r.Method {
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut:
	case http.MethodOptions:
		x.preflight()
		return
	default:
		x.w.Header().Set("Allow", allowedMethods)
		x.refuse(http.StatusMethodNotAllowed, "ERR method not allowed")
		return
	}
	path := r.URL.EscapedPath()
	switch path {
	case "/healthz":
		x.healthy()
		return
	case "/readyz":
		x.ready()
		return
	}
	if x.role = x.g.tokens.role(r); x.role == nobody {
		x.w.Header().Set("WWW-Authenticate", "Bearer")
		x.refuse(http.StatusUnauthorized, textAuth)
		return
	}
	first, rest, _ := strings.Cut(strings.TrimPrefix(path, "/"), "/")
	switch first {
	case "subscribe", "psubscribe", "monitor":
		x.stream(first, rest)
		return
	}
	if !x.format() {
		return
	}
	switch path {
	case "", "/":
		x.command()
	case "/pipeline":
		x.pipeline()
	case "/multi-exec":
		x.multi()
	default:
		x.path(path)
	}
}
