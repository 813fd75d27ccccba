package upstash

import (
	"context"
	"net/http"
	"sync"
	"sync/atomic"

	"github.com/larder-go/larder/conn"
)

// Conn is a handle on one server behind the REST API.
type Conn struct {
	base, bearer string
	opts         Options
	hc           *http.Client
	own          *http.Transport // nil if it is the caller's
	caps         conn.Capabilities

	// Learnt by Open, constant afterwards.
	takesBytes  bool // arguments need not be UTF-8
	jsonBatches bool // pipelines are not answered in RESP2

	sync  atomic.Pointer[string] // the latest sync token
	known atomic.Pointer[server]

	life  context.Context //nolint:containedctx // of the handle itself
	end   context.CancelFunc
	mu    sync.Mutex // protects closed, and users against a late Add
	over  bool
	users sync.WaitGroup
}

var _ conn.Conn = (*Conn)(nil)

func newConn(base, token string, opts Options) *Conn {
	c := &Conn{
		base: base, bearer: "Bearer " + token, opts: opts,
		caps: conn.Capabilities{Server: "upstash"},
	}
	c.life, c.end = context.WithCancel(context.Background())
	via := opts.Transport
	if via == nil {
		c.own = ownTransport()
		via = c.own
	}
	c.hc = &http.Client{
		Transport: via,
		// A redirect would turn POST into GET, or carry commands elsewhere.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	return c
}

// String names the server, without the token.
func (c *Conn) String() string { return "upstash " + c.base }

// GoString is String.
func (c *Conn) GoString() string { return c.String() }

// enter counts a call that Close waits for.
func (c *Conn) enter() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.over {
		return false
	}
	c.users.Add(1)
	return true
}

// bind returns a context that ends with ctx, with the handle, and with it all.
func (c *Conn) bind(ctx context.Context) (bound context.Context, release func()) {
	bound, cancel := context.WithCancel(ctx)
	stop := context.AfterFunc(c.life, cancel)
	return bound, func() {
		stop()
		cancel()
	}
}

// Tracker returns nil and false: there are no invalidation pushes over REST.
func (c *Conn) Tracker() (conn.Tracker, bool) { return nil, false }

// Capabilities implements conn.Conn.
func (c *Conn) Capabilities() conn.Capabilities { return c.caps }

// Close ends calls in flight and subscriptions, and waits for them. It must not
// be called by what a subscription calls.
func (c *Conn) Close() error {
	c.mu.Lock()
	c.over = true
	c.mu.Unlock()
	c.end()
	c.users.Wait()
	if c.own != nil {
		c.own.CloseIdleConnections()
	}
	return nil
}
