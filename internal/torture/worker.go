package torture

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/larder-go/larder"
	"github.com/larder-go/larder/conn"
)

// patience is the context of every call. None should need it.
const patience = 20 * time.Second

// The readers and writers of a process.
const (
	readers = 6
	writers = 2
)

// coldOneIn is how few of the writes are to the keys of cold.
const coldOneIn = 50

// steps are the places at which a process can be told to die.
var steps = []string{
	"load", "load read", "load end", "write", "write committed", "write inside", "write returned",
}

var (
	errSourceDown = errors.New("torture: the source fails, as planned")
	errMutate     = errors.New("torture: the write fails, as planned")
)

// proc is one process under torture.
type proc struct {
	cfg    config
	conn   conn.Conn
	caches [spaces]*larder.Cache[int, value]
	source *client
	out    *recorder

	ids   atomic.Uint64
	dieAt atomic.Pointer[string]
	kill  func()
	quiet atomic.Bool // writers rest
	// loading counts the loads of each key that run.
	loading [allKeys]atomic.Int32
	// errsBefore are the L2Errors of each space a while ago.
	errsBefore [spaces]atomic.Uint64

	mu  sync.Mutex // protects rng
	rng *rand.Rand
}

func (p *proc) id() uint64 { return uint64(p.cfg.Proc)<<40 | p.ids.Add(1) }

func (p *proc) draw(n int) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.rng.IntN(n)
}

// reach is called at a step: the process may have been told to die there.
func (p *proc) reach(step string) {
	if at := p.dieAt.Load(); at != nil && *at == step && p.kill != nil {
		p.kill()
	}
}

// killSelf does not return where there is a process to kill.
func killSelf() {
	_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
	select {}
}

func pause(ctx context.Context, d time.Duration) {
	if d <= 0 {
		return
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}

func (p *proc) open(c conn.Conn) error {
	p.conn = c
	for space := range spaces {
		o := p.cfg.options(space)
		o.Load = func(ctx context.Context, key int) (value, error) { return p.load(ctx, space, key) }
		cache, err := larder.New(c, o)
		if err != nil {
			return err
		}
		p.caches[space] = cache
	}
	return nil
}

func (p *proc) close() error {
	var errs []error
	for _, c := range p.caches {
		if c != nil {
			errs = append(errs, c.Close())
		}
	}
	if p.conn != nil {
		errs = append(errs, p.conn.Close())
	}
	p.source.close()
	return errors.Join(errs...)
}

// load is the loader of a space.
func (p *proc) load(ctx context.Context, space, n int) (value, error) {
	key := space*keysEach + n
	l := Load{ID: p.id(), Proc: p.cfg.Proc, Key: key, Begin: now()}
	l.Twice = p.loading[key].Add(1) > 1
	l.Cut = p.caches[space].Stats().L2Errors != p.errsBefore[space].Load()
	defer func() {
		p.loading[key].Add(-1)
		l.End = now()
		p.out.load(l)
	}()
	p.reach("load")
	pause(ctx, time.Duration(p.draw(1000))*time.Microsecond)
	v, err := p.source.ask(ctx, request{Read: true, Keys: []int{key}})
	if err != nil {
		return value{}, errors.Join(errSourceDown, err)
	}
	l.Version = v[0]
	p.reach("load read")
	switch p.draw(400) {
	case 0:
		if space != rev { // renewed there too, but it must not make everything stale
			pause(ctx, slowLoad)
		}
	case 1, 2, 3:
		return value{}, errSourceDown
	default:
		pause(ctx, time.Duration(p.draw(3000))*time.Microsecond)
	}
	p.reach("load end")
	return value{V: v[0], L: l.ID}, nil
}

// read makes one read and records it.
func (p *proc) read(ctx context.Context, rng *rand.Rand) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	space, n := rng.IntN(spaces), rng.IntN(keysEach)
	op := Op{ID: p.id(), Proc: p.cfg.Proc, Kind: Get, Space: space}
	var err error
	if rng.IntN(8) == 0 {
		op.Kind = GetMany
		keys := []int{n, (n + 1) % keysEach, (n + 2) % keysEach}
		op.Begin = now()
		var got map[int]value
		got, err = p.caches[space].GetMany(ctx, keys)
		op.End = now()
		for k, v := range got {
			op.Keys, op.Values, op.Loads = append(op.Keys, space*keysEach+k), append(op.Values, v.V), append(op.Loads, v.L)
		}
	} else {
		op.Begin = now()
		var v value
		v, err = p.caches[space].Get(ctx, n)
		op.End = now()
		if err == nil {
			op.Keys, op.Values, op.Loads = []int{space*keysEach + n}, []int64{v.V}, []uint64{v.L}
		}
	}
	p.record(op, err)
}

// record judges an error and reports the operation.
func (p *proc) record(op Op, err error) {
	switch {
	case err == nil:
	case errors.Is(err, larder.ErrInvalidationPending):
		op.Outcome = Pending
	case errors.Is(err, errMutate):
		op.Outcome = OK // what it has written is invalidated
	case errors.Is(err, larder.ErrLoaderPanic):
		op.Outcome, op.Text = Unexpected, err.Error()
	case errors.Is(err, errSourceDown), errors.Is(err, errSourceGone), errors.Is(err, larder.ErrLoadFailed), errors.Is(err, larder.ErrClosed), errors.Is(err, context.Canceled):
		op.Outcome = Failed
	default:
		op.Outcome, op.Text = Unexpected, err.Error()
	}
	p.out.op(op)
}

// write makes one write and records it.
func (p *proc) write(ctx context.Context, rng *rand.Rand) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	w := p.plan(rng)
	in := intent{ID: w.op.ID, Proc: p.cfg.Proc, Kind: w.op.Kind, Keys: w.keys, Begun: now()}
	if may, err := p.source.ask(ctx, request{Begin: &in}); err != nil || may[0] != 0 {
		return
	}
	defer func() { _, _ = p.source.ask(context.WithoutCancel(ctx), request{End: w.op.ID}) }()
	p.reach("write")
	if w.before { // the source first, then the cache
		if w.commit(ctx) != nil {
			// Nothing is known of it; the intent stays open.
			return
		}
		p.reach("write committed")
	}
	w.op.Begin = now()
	err := w.run(ctx)
	w.op.End = now()
	p.reach("write returned")
	w.op.Keys, w.op.Values = w.keys, w.versions
	if w.versions == nil && err == nil {
		err = errSourceGone
	}
	p.record(w.op, err)
}

// writing is one write that is planned.
type writing struct {
	p        *proc
	op       Op
	keys     []int
	versions []int64
	before   bool
	run      func(ctx context.Context) error
}

func (w *writing) commit(ctx context.Context) error {
	v, err := w.p.source.ask(ctx, request{Commit: w.op.ID, Keys: w.keys})
	if err == nil {
		w.versions = v
	}
	return err
}

// inside is the part of a write that changes the source behind a barrier.
func (w *writing) inside(ctx context.Context, slow time.Duration, fails bool) error {
	begin := now()
	defer func() { w.op.Inner += time.Duration(now() - begin) }()
	pause(ctx, slow)
	if err := w.commit(ctx); err != nil {
		return errors.Join(errMutate, err)
	}
	w.p.reach("write inside")
	pause(ctx, slow)
	if fails {
		return errMutate
	}
	return nil
}

// plan draws what to write, and how.
func (p *proc) plan(rng *rand.Rand) *writing {
	space, n := rng.IntN(cold), rng.IntN(keysEach)
	if rng.IntN(coldOneIn) == 0 {
		space = cold
	}
	key := space*keysEach + n
	c := p.caches[space]
	w := &writing{p: p, op: Op{ID: p.id(), Proc: p.cfg.Proc, Space: space}, keys: []int{key}, before: true}
	slow := time.Duration(rng.IntN(3000)) * time.Microsecond
	fails := rng.IntN(20) == 0
	through := func() {
		w.op.Kind, w.before = WriteThrough, false
		w.run = func(ctx context.Context) error {
			return c.WriteThrough(ctx, n, func(ctx context.Context) (value, error) {
				err := w.inside(ctx, slow, fails)
				if err != nil {
					return value{}, err
				}
				return value{V: w.versions[0], L: w.op.ID}, nil
			})
		}
	}
	what := rng.IntN(12)
	if space == cold && rng.IntN(3) != 0 {
		what = rng.IntN(7) // of single keys, mostly
	}
	switch what {
	case 0, 1, 2:
		through()
	case 3, 4, 5, 6:
		w.op.Kind = Invalidate
		w.run = func(ctx context.Context) error { return c.Invalidate(ctx, n) }
	case 7, 8:
		if space != rev {
			through()
			break
		}
		w.op.Kind = Set
		w.run = func(ctx context.Context) error { return c.Set(ctx, n, value{V: w.versions[0], L: w.op.ID}) }
		if rng.IntN(3) == 0 {
			w.op.Kind = InvalidateBelow
			w.run = func(ctx context.Context) error { return c.InvalidateBelow(ctx, n, uint64(w.versions[0])) }
		}
	case 9, 10:
		name := []string{tagAll, tagEven, tagLate}[rng.IntN(3)]
		if space == cold {
			name = tagCold
		}
		tag := p.cfg.Prefix + "-" + name
		w.keys, w.op.Kind = taggedKeys(name), InvalidateTags
		w.run = func(ctx context.Context) error { return c.InvalidateTags(ctx, tag) }
		if rng.IntN(2) == 0 {
			w.op.Kind, w.before = CommitTags, false
			w.run = func(ctx context.Context) error {
				return c.CommitTags(ctx, []string{tag}, func(ctx context.Context) error { return w.inside(ctx, slow, fails) })
			}
		}
	case 11:
		w.op.Kind, w.keys = Clear, spaceKeys(space)
		w.run = c.Clear
		if !p.cfg.Cluster && rng.IntN(3) == 0 { // not promised where slots move
			w.op.Kind, w.keys = InvalidatePrefix, []int{key}
			w.run = func(ctx context.Context) error {
				if err := c.InvalidatePrefix(ctx, strconv.Itoa(n)); err != nil {
					return fmt.Errorf("key %d: %w", n, err)
				}
				return nil
			}
		}
	}
	return w
}
