package larder_test

import (
	"context"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/larder-go/larder/conn"
	"github.com/larder-go/larder/embedded"
	"github.com/larder-go/larder/internal/model"
)

// A hook is the connection that a test stands in front of a real engine: it sees
// every exchange of a cache with Redis, can hold it up, and can lose the command
// or the answer to it.
type hook struct {
	*watch
	tapped   // Do, Pipeline, Eval and EvalEach
	untapped // the rest
}

type untapped struct{ conn.Conn }

func newEngine(t *testing.T) *embedded.Engine {
	t.Helper()
	e, err := embedded.New(embedded.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = e.Close() })
	return e
}

func newHook(t *testing.T, e *embedded.Engine) *hook {
	t.Helper()
	return hookOn(t, e.Connect())
}

func hookOn(t *testing.T, c conn.Conn) *hook {
	t.Helper()
	w := &watch{seen: map[string]int{}}
	t.Cleanup(func() { _ = c.Close() })
	return &hook{w, tapped{c, w}, untapped{c}}
}

// Tracker returns the engine's tracker, watched as the rest.
func (h *hook) Tracker() (conn.Tracker, bool) {
	tr, ok := h.untapped.Tracker()
	return hookedTracker{tapped{tr, h.watch}, untappedTracker{tr}}, ok
}

type hookedTracker struct {
	tapped
	untappedTracker
}

type untappedTracker struct{ conn.Tracker }

// A step stands in for one exchange. Redis executes the exchange when step calls
// run, and not at all where it does not; an error of step reaches the cache in
// place of the answer.
//
// The op of a script is "acquire", "fill", "renew", "release", "invalidate",
// "entomb", "bar", "lift", "capture" or "bump", whether an entry's or a generation's;
// that of commands is the name of the first one.
type step func(ctx context.Context, op string, run func()) error

// watch is what a hook and its tracker share.
type watch struct {
	mu   sync.Mutex // protects the following
	step step
	seen map[string]int
}

// on makes fn stand in for every exchange that begins from now on; nil for none.
func (w *watch) on(fn step) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.step = fn
}

// count returns how many exchanges of op have begun; "" stands for all.
func (w *watch) count(op string) (n int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for name, times := range w.seen {
		if op == "" || op == name {
			n += times
		}
	}
	return n
}

// holdAnswer holds up the answer to the next op: executed is closed when the
// engine has executed it, and the answer arrives when deliver is called.
func (w *watch) holdAnswer(op string) (executed <-chan struct{}, deliver func()) {
	done, proceed := make(chan struct{}), make(chan struct{})
	var once sync.Once
	w.on(func(_ context.Context, this string, run func()) error {
		run()
		if this == op {
			once.Do(func() {
				close(done)
				<-proceed
			})
		}
		return nil
	})
	return done, func() { close(proceed) }
}

// silence leaves every op without an answer, and unexecuted.
func (w *watch) silence(op string) {
	w.on(func(ctx context.Context, this string, run func()) error {
		if this != op {
			run()
			return nil
		}
		<-ctx.Done()
		return ctx.Err()
	})
}

// dying is a process that dies in an exchange of op, which Redis executes still or not,
// or when dead is set: from then on nothing of it reaches Redis.
func dying(dead *atomic.Bool, op string, executed bool) step {
	return func(ctx context.Context, this string, run func()) error {
		if !dead.Load() && this != op {
			run()
			return nil
		}
		if !dead.Swap(true) && executed {
			run()
		}
		<-ctx.Done()
		return ctx.Err()
	}
}

func (w *watch) exchange(ctx context.Context, op string, run func()) error {
	w.mu.Lock()
	w.seen[op]++
	fn := w.step
	w.mu.Unlock()
	if fn == nil {
		run()
		return nil
	}
	if err := fn(ctx, op, run); err != nil {
		return &conn.Error{Op: strings.ToLower(op), Err: err}
	}
	return nil
}

// tapped passes exchanges on under a watch.
type tapped struct {
	to interface {
		conn.Doer
		conn.Pipeliner
		conn.Evaler
	}
	watch *watch
}

func (t tapped) Do(ctx context.Context, cmd conn.Command) (v conn.Value, err error) {
	return t.one(ctx, cmd.Name(), func() (conn.Value, error) { return t.to.Do(ctx, cmd) })
}

func (t tapped) Eval(ctx context.Context, s *conn.Script, keys, args []string) (conn.Value, error) {
	return t.one(ctx, scriptName(s), func() (conn.Value, error) { return t.to.Eval(ctx, s, keys, args) })
}

func (t tapped) Pipeline(ctx context.Context, cmds ...conn.Command) []conn.Result {
	return t.each(ctx, cmds[0].Name(), len(cmds), func() []conn.Result { return t.to.Pipeline(ctx, cmds...) })
}

func (t tapped) EvalEach(ctx context.Context, s *conn.Script, calls ...conn.ScriptCall) []conn.Result {
	return t.each(ctx, scriptName(s), len(calls), func() []conn.Result { return t.to.EvalEach(ctx, s, calls...) })
}

// An exchange that was given up may still run later, so it has variables of its own.
func (t tapped) one(ctx context.Context, op string, run func() (conn.Value, error)) (conn.Value, error) {
	var (
		v   conn.Value
		err error
	)
	if lost := t.watch.exchange(ctx, op, func() { v, err = run() }); lost != nil {
		return conn.Value{}, lost
	}
	return v, err
}

func (t tapped) each(ctx context.Context, op string, n int, run func() []conn.Result) []conn.Result {
	results := make([]conn.Result, n)
	if lost := t.watch.exchange(ctx, op, func() { results = run() }); lost != nil {
		failed := make([]conn.Result, n)
		for i := range failed {
			failed[i].Err = lost
		}
		return failed
	}
	return results
}

// scriptName knows the scripts by what their first lines say.
func scriptName(s *conn.Script) string {
	if name := model.Name(s.Text()); name != "" {
		return name
	}
	panic("hook: a script that it does not know:\n" + s.Text())
}
