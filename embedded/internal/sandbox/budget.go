package sandbox

import (
	"context"
	"fmt"
	"runtime/metrics"
	"time"

	lua "github.com/yuin/gopher-lua"
)

const (
	// maxString bounds every string that a script makes, in bytes.
	maxString = 64 << 20
	// maxHeapGrowth bounds how much the heap may grow during one script.
	maxHeapGrowth = 512 << 20

	heapEvery  = 32 << 20 // bytes made by library functions between two looks
	clockEvery = 1 << 10  // steps between two looks at the clock
	heapSteps  = 1 << 16  // steps between two looks at the heap
)

// budget is what one run may use up. The interpreter asks it before every
// instruction, in the guise of its context; library functions that loop ask
// too. Once exceeded it stays so: catching the error does not help a script.
type budget struct {
	caller   context.Context //nolint:containedctx // for the length of one run
	over     <-chan struct{}
	deadline time.Time
	limit    time.Duration
	wrote    bool

	steps   uint
	charged int
	heap    uint64
	stopped error
	sample  []metrics.Sample
}

// stop says why a run was ended from outside.
type stop struct {
	text   string
	caller error // the caller's context's, if that was the reason
}

func (e *stop) Error() string { return e.text }

var closed = func() chan struct{} {
	c := make(chan struct{})
	close(c)
	return c
}()

func newBudget() *budget {
	return &budget{sample: []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}}}
}

func (b *budget) start(ctx context.Context, limit time.Duration, over <-chan struct{}) {
	b.caller, b.over, b.limit, b.deadline = ctx, over, limit, time.Now().Add(limit)
	b.wrote, b.steps, b.charged, b.heap, b.stopped = false, 0, 0, 0, nil
}

func (b *budget) end() { b.caller, b.over = nil, nil }

// Done implements context.Context for the interpreter.
func (b *budget) Done() <-chan struct{} {
	if b.step() {
		return nil
	}
	return closed
}

// Err implements context.Context.
func (b *budget) Err() error { return b.stopped }

// Deadline implements context.Context.
func (b *budget) Deadline() (time.Time, bool) { return b.deadline, true }

// Value implements context.Context.
func (b *budget) Value(any) any { return nil }

// step counts one step and tells whether the script may go on.
func (b *budget) step() bool {
	b.steps++
	if b.steps%clockEvery == 0 {
		b.look()
	}
	return b.stopped == nil
}

func (b *budget) look() {
	if b.stopped != nil {
		return
	}
	if !b.wrote && b.caller.Err() != nil {
		b.stopped = &stop{text: "the caller has given up", caller: b.caller.Err()}
		return
	}
	select {
	case <-b.over:
		b.stopped = &stop{text: "the script was stopped: the engine is closing"}
		return
	default:
	}
	if time.Now().After(b.deadline) {
		b.stopped = &stop{text: fmt.Sprintf("the script was stopped: it exceeded its time limit of %v (ScriptTimeout)", b.limit)}
		return
	}
	if b.steps%heapSteps == 0 {
		b.weigh()
	}
}

// stepOrRaise is step for library functions.
func (b *budget) stepOrRaise(l *lua.LState) {
	if !b.step() {
		l.RaiseError("%s", b.stopped.Error())
	}
}

// charge counts n bytes that a library function is about to make.
func (b *budget) charge(l *lua.LState, n int) {
	if n < 1<<10 {
		return
	}
	b.charged += n
	if b.charged >= heapEvery {
		b.charged = 0
		b.look()
		b.weigh()
	}
	if b.stopped != nil {
		l.RaiseError("%s", b.stopped.Error())
	}
}

// chargeString is charge for a string, whose size is bounded too.
func (b *budget) chargeString(l *lua.LState, n int) {
	if n > maxString || n < 0 {
		l.RaiseError("the resulting string is too large: the embedded engine allows %d bytes", maxString)
	}
	b.charge(l, n)
}

// weigh stops a run during which the heap has grown too much. Other goroutines
// count too, so the bound is far above what caching scripts need.
func (b *budget) weigh() {
	metrics.Read(b.sample)
	now := b.sample[0].Value.Uint64()
	if b.heap == 0 {
		b.heap = now
	}
	if now > b.heap+maxHeapGrowth && b.stopped == nil {
		b.stopped = &stop{text: fmt.Sprintf("the script was stopped: the heap grew by more than %d bytes", maxHeapGrowth)}
	}
}
