package generation

import (
	"context"
	_ "embed"
	"errors"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/larder-go/larder/conn"
	"github.com/larder-go/larder/internal/script"
)

var (
	//go:embed capture.lua
	captureText string
	//go:embed prelude.lua
	prelude string

	captureScript = script.New(prelude, captureText)
)

// MaxTags bounds the tags that a Table remembers; beyond it arbitrary ones are
// forgotten and read again when needed.
const MaxTags = 100_000

// Table holds the generations that one cache uses.
type Table struct {
	c     conn.Conn    // nil for a cache that lives in the process alone
	tr    conn.Tracker // nil where the server does not track
	ttl   time.Duration
	bound time.Duration
	bumps atomic.Uint64 // calls of Disown

	mu sync.RWMutex // protects byKey
	// byKey has every Generation that may be known.
	byKey map[string]*Generation
}

// NewTable makes a table. Generations live for ttl after a load; ttl must be at
// least twice the longest life of an entry. What is known counts for as long as
// the connection was heard of within bound. c is nil for a local cache.
func NewTable(c conn.Conn, ttl, bound time.Duration) *Table {
	t := &Table{c: c, ttl: ttl, bound: bound, byKey: map[string]*Generation{}}
	if c != nil {
		t.tr, _ = c.Tracker()
	}
	return t
}

// Get returns the generation with this Redis key.
func (t *Table) Get(key string) *Generation {
	t.mu.RLock()
	g := t.byKey[key]
	t.mu.RUnlock()
	if g != nil {
		return g
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if g := t.byKey[key]; g != nil {
		return g
	}
	if len(t.byKey) >= MaxTags {
		for k, old := range t.byKey {
			delete(t.byKey, k)
			old.detach()
			break
		}
	}
	g = &Generation{key: key}
	switch {
	case t.c == nil:
		g.known.Store(&known{Value: Value{Number: newNumber()}})
	case t.tr != nil:
		g.epoch = t.tr.Epoch(key)
	}
	t.byKey[key] = g
	return g
}

// Forget takes back what is known of the generation with this key.
func (t *Table) Forget(key string) {
	t.mu.RLock()
	g := t.byKey[key]
	t.mu.RUnlock()
	if g != nil {
		g.Forget()
	}
}

// ForgetAll takes back everything.
func (t *Table) ForgetAll() {
	t.mu.RLock()
	defer t.mu.RUnlock()
	for _, g := range t.byKey {
		g.Forget()
	}
}

// Read sets out[i] to what gs[i] is, the zero Value where there is none, reading
// those that are not known in one round trip.
func (t *Table) Read(ctx context.Context, gs []*Generation, out []Value) error {
	var (
		unknown  []int
		readings []reading
		cmds     []conn.Command
	)
	since := conn.Uptime() - t.bound
	for i, g := range gs {
		n, ok := g.Current(since)
		if out[i] = n; ok || t.c == nil {
			continue
		}
		unknown = append(unknown, i)
		cmds = append(cmds, conn.Key("GET", g.key))
		if t.tr != nil {
			readings = append(readings, g.begin())
		}
	}
	if len(cmds) == 0 {
		return nil
	}
	var results []conn.Result
	if t.tr != nil {
		results = t.tr.Pipeline(ctx, cmds...)
	} else {
		results = t.c.Pipeline(ctx, cmds...)
	}
	for j, r := range results {
		if r.Err != nil {
			return r.Err
		}
		i := unknown[j]
		out[i] = t.value(gs[i].key, r.Value.Str)
		if t.tr != nil && out[i].Number != 0 {
			gs[i].learn(readings[j], out[i])
		}
	}
	return nil
}

// value reads a generation that was found under key; one of another life of the
// node is none.
func (t *Table) value(key, raw string) Value {
	v := ParseValue(raw)
	if life, known := t.c.Incarnation(key); !known || life != v.Incarnation {
		return Value{}
	}
	return v
}

// Capture is Read before a load: generations that are missing are made, and all
// are kept alive for as long as an entry may carry them. One behind a barrier has
// the number 0 all the same.
func (t *Table) Capture(ctx context.Context, gs []*Generation, out []Value) error {
	if t.c == nil {
		return t.Read(ctx, gs, out)
	}
	now := int64(conn.Uptime())
	err := t.assure(ctx, gs, out, now, func(i int) bool {
		at := gs[i].assured.Load()
		return at == 0 || now-at > int64(t.ttl/4)
	})
	if err == nil && slices.ContainsFunc(out, Value.isNone) {
		if err = t.Read(ctx, gs, out); err == nil {
			err = t.assure(ctx, gs, out, now, func(i int) bool { return out[i].isNone() })
		}
	}
	return err
}

// assure makes sure that the generations for which need returns true are there
// and live long enough. Those that this process does not know it learns by the way.
func (t *Table) assure(ctx context.Context, gs []*Generation, out []Value, now int64, need func(i int) bool) error {
	var (
		at       []int
		calls    []conn.ScriptCall
		readings []reading
		unknown  bool
	)
	since := conn.Uptime() - t.bound
	for i, g := range gs {
		if !need(i) {
			continue
		}
		at = append(at, i)
		calls = append(calls, t.capture(g))
		if t.tr != nil {
			readings = append(readings, g.begin())
			_, known := g.Current(since)
			unknown = unknown || !known
		}
	}
	if len(calls) == 0 {
		return nil
	}
	var through conn.Evaler = t.c
	if unknown {
		through = t.tr
	}
	for j, r := range through.EvalEach(ctx, captureScript, calls...) {
		v, _, err := readCaptured(r)
		if err != nil {
			return err
		}
		g := gs[at[j]]
		out[at[j]] = v
		g.assured.Store(now)
		life, known := t.c.Incarnation(g.key)
		if unknown && v.Number != 0 && known && life == v.Incarnation {
			g.learn(readings[j], v)
		}
	}
	return nil
}

func (t *Table) capture(g *Generation) conn.ScriptCall {
	return conn.ScriptCall{Keys: []string{g.key}, Args: []string{word(newNumber()), ms(t.ttl)}}
}

var errReply = errors.New("generation: a script answered in an unknown form")

// readCaptured reads the answer of the capture script, which has looked at the
// incarnation.
func readCaptured(r conn.Result) (v Value, now int64, err error) {
	if r.Err != nil {
		return v, 0, r.Err
	}
	if len(r.Value.Elems) != 2 {
		return v, 0, errReply
	}
	return ParseValue(r.Value.Elems[0].Str), r.Value.Elems[1].Int, nil
}

// Beginning is the moment at which a load began, for CaptureLate.
type Beginning struct {
	at    time.Duration
	bumps uint64
	node  uint64 // incarnation of the node that granted the lease, 0 if not known
	now   int64  // the clock of that node
}

// Begin notes the beginning of a load, under a lease that the node of a key granted
// when its clock was now.
func (t *Table) Begin(key string, now int64) Beginning {
	b := Beginning{at: conn.Uptime(), bumps: t.bumps.Load(), now: now}
	if t.c != nil {
		b.node, _ = t.c.Incarnation(key)
	}
	return b
}

// CaptureLate is Capture after a load, for tags that only the loaded value names.
// It sets ok[i] where gs[i] was not invalidated since the load bs[i] began: one that
// was missing counts as invalidated now.
//
// What the beginning was on the clock of a tag's node follows from the node's
// answer, and is uncertain by the time that the answer took. Where the node is the
// one that granted the lease, its clock then counts too, so that one that is set
// forward or back meanwhile hides nothing.
func (t *Table) CaptureLate(ctx context.Context, gs []*Generation, bs []Beginning, out []Value, ok []bool) error {
	if t.c == nil {
		err := t.Read(ctx, gs, out)
		for i := range ok {
			ok[i] = bs[i].bumps == t.bumps.Load()
		}
		return err
	}
	calls := make([]conn.ScriptCall, len(gs))
	for i, g := range gs {
		calls[i] = t.capture(g)
	}
	results := t.c.EvalEach(ctx, captureScript, calls...)
	for i, r := range results {
		v, now, err := readCaptured(r)
		if err != nil {
			return err
		}
		b := bs[i]
		age := (conn.Uptime() - b.at).Milliseconds()
		// A thousandth for clocks that drift, and what is rounded off on both sides.
		began := now - age - age/1000 - 2
		out[i] = v
		ok[i] = v.Number != 0 && v.MadeAt < began && b.bumps == t.bumps.Load() &&
			(b.node == 0 || v.Incarnation != b.node || v.MadeAt < b.now)
	}
	return nil
}

// Bump starts new generations, in this table at once and in Redis, if there is
// one, for all.
func (t *Table) Bump(ctx context.Context, keys ...string) error {
	if t.c != nil {
		return Bump(ctx, t.c, keys...)
	}
	t.Disown(keys...)
	return nil
}

// Disown ends what was loaded under the present generations in this process for
// ever, whatever Redis says of them later.
func (t *Table) Disown(keys ...string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.bumps.Add(1)
	for _, key := range keys {
		if g := t.byKey[key]; g != nil {
			g.detach()
			delete(t.byKey, key)
		}
	}
}
