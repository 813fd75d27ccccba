package embedded

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"

	"github.com/larder-go/larder/conn"
)

// Version is the version of Redis whose behaviour the engine follows.
const Version = "7.0.0"

// Conn is one client of an Engine.
type Conn struct {
	engine *Engine
	owner  bool // closing it closes the engine
	epoch  conn.Epoch
	push   pushes
	done   chan struct{} // closed by Close or by the engine's end
	close  sync.Once

	// tracked is protected by the engine's lock.
	tracked map[string]struct{}

	// users counts the calls of Subscribe, which Close waits for.
	users users
}

var _ conn.Conn = (*Conn)(nil)

func newConn(e *Engine) *Conn {
	c := &Conn{engine: e, done: make(chan struct{})}
	c.epoch.Hear(conn.Always)
	return c
}

// Do executes one command.
func (c *Conn) Do(ctx context.Context, cmd conn.Command) (conn.Value, error) {
	return c.do(ctx, nil, cmd)
}

// Pipeline executes cmds in order. Commands between MULTI and EXEC are one
// transaction; both must be in the same call.
func (c *Conn) Pipeline(ctx context.Context, cmds ...conn.Command) []conn.Result {
	return c.pipeline(ctx, nil, cmds)
}

// Eval runs s.
func (c *Conn) Eval(ctx context.Context, s *conn.Script, keys, args []string) (conn.Value, error) {
	return c.eval(ctx, nil, s, keys, args)
}

// EvalEach runs s once per call.
func (c *Conn) EvalEach(ctx context.Context, s *conn.Script, calls ...conn.ScriptCall) []conn.Result {
	return c.evalEach(ctx, nil, s, calls)
}

// Tracker returns the part whose reads are followed by invalidation pushes.
func (c *Conn) Tracker() (conn.Tracker, bool) { return tracker{c}, true }

// Incarnation is the same for all keys, for the life of the engine.
func (c *Conn) Incarnation(string) (id uint64, known bool) {
	return c.engine.incarnation, true
}

// Capabilities implements conn.Conn.
func (c *Conn) Capabilities() conn.Capabilities {
	return conn.Capabilities{Server: "embedded", Version: Version, Tracking: true}
}

// Close ends this client's subscriptions and pushes, and the engine if the Conn
// comes from Open.
func (c *Conn) Close() error {
	if c.owner {
		return c.engine.Close()
	}
	c.end()
	if c.engine.lock.acquire(context.Background(), c.engine.done) == nil {
		delete(c.engine.conns, c)
		c.tracked = nil
		c.engine.lock.release()
	}
	return nil
}

// end makes all calls fail and waits for subscriptions. Pushes cease, so what
// was remembered under the present epoch is worthless.
func (c *Conn) end() {
	c.close.Do(func() {
		close(c.done)
		c.epoch.Advance()
	})
	c.users.wait()
}

// do executes one command; track is c itself, or nil.
func (c *Conn) do(ctx context.Context, track *Conn, cmd conn.Command) (conn.Value, error) {
	if err := valid(cmd); err != nil {
		return conn.Value{}, err
	}
	if err := c.begin(ctx); err != nil {
		return conn.Value{}, failed(cmd.Name(), err)
	}
	x := call{ctx: ctx, tracker: track}
	v := c.engine.executeLocked(&x, cmd.Args)
	c.finish(track)
	return result(&x, cmd.Name(), v)
}

func (c *Conn) eval(ctx context.Context, track *Conn, s *conn.Script, keys, args []string) (conn.Value, error) {
	if err := c.begin(ctx); err != nil {
		return conn.Value{}, failed("eval", err)
	}
	x := call{ctx: ctx, tracker: track}
	v := c.engine.evalLocked(&x, s, keys, args, false)
	c.finish(track)
	return result(&x, "eval", v)
}

func (c *Conn) evalEach(ctx context.Context, track *Conn, s *conn.Script, calls []conn.ScriptCall) []conn.Result {
	out := make([]conn.Result, len(calls))
	for i, one := range calls {
		out[i].Value, out[i].Err = c.eval(ctx, track, s, one.Keys, one.Args)
	}
	return out
}

// begin locks the engine on behalf of c.
func (c *Conn) begin(ctx context.Context) error {
	select {
	case <-c.done:
		return conn.ErrClosed
	default:
		return c.engine.begin(ctx)
	}
}

// finish unlocks the engine. A tracking reply waits for the pushes before it.
func (c *Conn) finish(track *Conn) {
	c.engine.end()
	if track != nil {
		track.push.deliver()
	}
}

// result is what a caller gets for a reply.
func result(x *call, op string, v reply) (conn.Value, error) {
	if x.stopped != nil {
		return conn.Value{}, failed(op, x.stopped)
	}
	if v.Kind == conn.Failure {
		return conn.Value{}, &conn.ServerError{Text: v.Str}
	}
	return v, nil
}

// valid finds the mistakes of callers that any server would suffer from.
func valid(cmd conn.Command) error {
	if len(cmd.Args) == 0 {
		return errors.New("embedded: Command.Args is empty; it must begin with the command's name")
	}
	if cmd.KeyAt < 0 || cmd.KeyAt >= len(cmd.Args) {
		return fmt.Errorf("embedded: Command.KeyAt is %d; it must be an index of the %d arguments after the name, or 0 for no key", cmd.KeyAt, len(cmd.Args)-1)
	}
	return nil
}

// failed is the error of a call that was not executed.
func failed(op string, err error) error {
	if errors.Is(err, conn.ErrClosed) {
		return conn.ErrClosed
	}
	if len(op) > maxName {
		op = op[:maxName]
	}
	return &conn.Error{Op: strings.ToLower(op), Err: err}
}
