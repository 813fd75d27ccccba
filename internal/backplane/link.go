package backplane

import (
	"context"
	"log/slog"
	"reflect"
	"sync"

	"github.com/larder-go/larder/conn"
)

// planes are those of all connections in use.
var planes = struct {
	mu sync.Mutex // protects m, and the links of each plane
	m  map[conn.Conn]*plane
}{m: map[conn.Conn]*plane{}}

// Link is a connection over the backplane.
type Link struct {
	conn.Conn
	tracker conn.Tracker
	leave   func()
	once    sync.Once
	failed  func() uint64
}

// Tracker returns the backplane. What Capabilities says of tracking is true of the
// server all the same.
func (l *Link) Tracker() (conn.Tracker, bool) { return l.tracker, true }

// Failed is how many messages could not be published, by all links over the
// connection.
func (l *Link) Failed() uint64 { return l.failed() }

// Leave ends the link, and with the last one over a connection the subscription. What
// was announced before is published then, which takes half a second where the server
// does not answer. The connection stays open. A second Leave does nothing.
func (l *Link) Leave() { l.once.Do(l.leave) }

// Join makes a link over c, a connection without a Tracker. It does not wait for
// the subscription. log hears where that cannot be had, of the first link over c.
func Join(c conn.Conn, log *slog.Logger) *Link {
	planes.mu.Lock()
	defer planes.mu.Unlock()
	p := planes.m[key(c)]
	if p == nil {
		p = newPlane(c, log)
		if k := key(c); k != nil {
			planes.m[k] = p
		}
	}
	p.links++
	return &Link{Conn: c, tracker: p, leave: p.left, failed: p.outbox.failed.Load}
}

// key is c if it can be the key of a map; else its plane is its own.
func key(c conn.Conn) conn.Conn {
	if reflect.ValueOf(c).Comparable() {
		return c
	}
	return nil
}

// left is the end of one link.
func (p *plane) left() {
	planes.mu.Lock()
	p.links--
	last := p.links == 0
	if k := key(p.Conn); last && k != nil {
		delete(planes.m, k)
	}
	planes.mu.Unlock()
	if !last {
		return
	}
	p.end()
	<-p.done
	p.outbox.flush(context.Background())
}

// Writer makes a link over c, a connection without a Tracker, for those who
// invalidate and remember nothing. Its Tracker publishes what is announced to it,
// tells the links of this process over c, and hears nothing.
func Writer(c conn.Conn) *Link {
	w := newWriter(c)
	return &Link{
		Conn: c, tracker: w, failed: w.outbox.failed.Load,
		leave: func() { w.outbox.flush(context.Background()) },
	}
}

// Announcing returns c if it has a Tracker, else a Writer's link over it. publish
// waits, while ctx lasts, until what was announced is published, unless links of
// this process see to it: a process may end after it.
func Announcing(ctx context.Context, c conn.Conn) (over conn.Conn, publish func()) {
	if _, tracks := c.Tracker(); tracks {
		return c, func() {}
	}
	w := newWriter(c)
	return &Link{Conn: c, tracker: w, leave: func() {}, failed: w.outbox.failed.Load}, func() { w.outbox.flush(ctx) }
}

// writer is the Tracker of a Writer.
type writer struct {
	conn.Conn
	epoch  conn.Epoch
	outbox *outbox
}

var _ conn.Tracker = (*writer)(nil)

func newWriter(c conn.Conn) *writer {
	w := &writer{Conn: c, outbox: newOutbox(c)}
	w.epoch.SetLossy()
	w.epoch.Hear(never)
	return w
}

func (w *writer) Epoch(string) *conn.Epoch { return &w.epoch }

func (w *writer) Listen(func(keys []string)) (stop func()) { return func() {} }

func (w *writer) Announce(keys ...string) {
	if len(keys) == 0 {
		return
	}
	planes.mu.Lock()
	p := planes.m[key(w.Conn)]
	planes.mu.Unlock()
	if p != nil {
		p.Announce(keys...)
		return
	}
	w.outbox.add(keys)
}
