package embedded

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/alicebob/miniredis/v2"

	"github.com/larder-go/larder/conn"
	"github.com/larder-go/larder/embedded/internal/sandbox"
)

// Engine holds the data. Its clients are made by Connect.
type Engine struct {
	opts  Options
	id    identity
	lock  lock
	done  chan struct{} // closed by Close
	alarm alarm
	wg    sync.WaitGroup
	close sync.Once

	incarnation uint64 // of id

	// lock protects the following.
	redis     *miniredis.Miniredis
	db        *miniredis.RedisDB
	wire      *wire
	now       time.Time // of the present call
	deadlines deadlines
	fields    fieldLives
	room      int // keys that may surely be created before counting again
	conns     map[*Conn]struct{}
	monitors  map[*subscriber]struct{}
	pushed    []*Conn // connections with pushes of the present call
	scripts   map[string]*sandbox.Program
	lua       *sandbox.State
	stats     stats

	channels channels
}

// New starts an engine without data. An error names the option that is wrong.
func New(o Options) (*Engine, error) {
	if err := o.validate(); err != nil {
		return nil, err
	}
	e := &Engine{
		opts:     o.withDefaults(),
		id:       newIdentity(),
		lock:     newLock(),
		done:     make(chan struct{}),
		alarm:    newAlarm(),
		redis:    miniredis.NewMiniRedis(),
		conns:    map[*Conn]struct{}{},
		monitors: map[*subscriber]struct{}{},
		scripts:  map[string]*sandbox.Program{},
		lua:      sandbox.New(),
	}
	e.id.started, e.incarnation = e.opts.Now(), e.id.incarnation()
	// Dial starts miniredis without a listener; the pipe itself is not needed.
	pipe, err := e.redis.Dial()
	if err != nil {
		return nil, fmt.Errorf("embedded: start: %w", err)
	}
	if err := pipe.Close(); err != nil {
		return nil, fmt.Errorf("embedded: start: %w", err)
	}
	e.db, e.wire = e.redis.DB(0), newWire(e.redis)
	e.wg.Go(e.expireInBackground)
	return e, nil
}

// Open starts an engine and connects to it. Closing the Conn closes the engine.
func Open(ctx context.Context) (*Conn, error) {
	if err := ctx.Err(); err != nil {
		return nil, &conn.Error{Op: "open", Err: err}
	}
	e, err := New(Options{})
	if err != nil {
		return nil, err
	}
	c := e.Connect()
	c.owner = true
	return c, nil
}

// Connect returns a new client. On a closed engine every call of it fails with
// conn.ErrClosed.
func (e *Engine) Connect() *Conn {
	c := newConn(e)
	if e.lock.acquire(context.Background(), e.done) == nil {
		e.conns[c] = struct{}{}
		e.lock.release()
	} else {
		c.end()
	}
	return c
}

// Close ends all clients and frees the data. A second Close does nothing.
func (e *Engine) Close() error {
	e.close.Do(func() {
		close(e.done)
		e.wg.Wait()
		// Nobody is refused the lock for long: scripts end with done.
		e.lock.always()
		for c := range e.conns {
			c.end()
		}
		e.conns, e.scripts, e.deadlines, e.fields = nil, nil, deadlines{}, fieldLives{}
		e.redis.Close()
		e.lock.release()
	})
	return nil
}

// begin locks the engine for one call and sets its time.
func (e *Engine) begin(ctx context.Context) error {
	if err := e.lock.acquire(ctx, e.done); err != nil {
		return err
	}
	e.now = e.opts.Now().UTC()
	e.redis.SetTime(e.now)
	return nil
}

// end unlocks the engine and delivers the pushes of the call.
func (e *Engine) end() {
	pushed := e.pushed
	e.pushed = nil
	e.lock.release()
	for _, c := range pushed {
		c.push.deliver()
	}
}
