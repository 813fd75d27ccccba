package generation

import (
	"context"
	_ "embed"
	"strconv"
	"sync"
	"time"

	"github.com/larder-go/larder/conn"
	"github.com/larder-go/larder/internal/script"
)

var (
	//go:embed capture.lua
	captureText string
	//go:embed bump.lua
	bumpText string

	captureScript = script.New(captureText)
	bumpScript    = script.NewAllowOOM(bumpText)
)

// MaxTags bounds the tags that a Table remembers; beyond it arbitrary ones are
// forgotten and read again when needed.
const MaxTags = 100_000

// BumpTTL is how long a generation lives at least after an invalidation. Loads
// extend it as their entries need.
const BumpTTL = 24 * time.Hour

// Table holds the generations that one cache uses.
type Table struct {
	c     conn.Conn    // nil for a cache that lives in the process alone
	tr    conn.Tracker // nil where the server does not track
	ttl   time.Duration
	bound time.Duration

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
		g.known.Store(&known{number: newNumber()})
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

// Read sets out[i] to the number of gs[i], 0 where there is none, reading those
// that are not known in one round trip.
func (t *Table) Read(ctx context.Context, gs []*Generation, out []uint64) error {
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
		out[i] = t.number(gs[i].key, r.Value.Str)
		if t.tr != nil && out[i] != 0 {
			gs[i].learn(readings[j], out[i])
		}
	}
	return nil
}

// number reads a generation that was found under key; one of another life of the
// node is none.
func (t *Table) number(key, value string) uint64 {
	v := ParseValue(value)
	if life, known := t.c.Incarnation(key); !known || life != v.Incarnation {
		return 0
	}
	return v.Number
}

// Capture is Read before a load: generations that are missing are made, and all
// are kept alive for as long as an entry may carry them.
func (t *Table) Capture(ctx context.Context, gs []*Generation, out []uint64) error {
	if t.c == nil {
		return t.Read(ctx, gs, out)
	}
	now := int64(conn.Uptime())
	err := t.assure(ctx, gs, out, now, func(i int) bool {
		at := gs[i].assured.Load()
		return at == 0 || now-at > int64(t.ttl/4)
	})
	if err == nil {
		err = t.Read(ctx, gs, out)
	}
	if err == nil {
		err = t.assure(ctx, gs, out, now, func(i int) bool { return out[i] == 0 })
	}
	return err
}

// assure makes sure that the generations for which need returns true are there
// and live long enough.
func (t *Table) assure(ctx context.Context, gs []*Generation, out []uint64, now int64, need func(i int) bool) error {
	var (
		at    []int
		calls []conn.ScriptCall
	)
	for i, g := range gs {
		if need(i) {
			at = append(at, i)
			calls = append(calls, conn.ScriptCall{
				Keys: []string{g.key},
				Args: []string{newValue(time.Now()), strconv.FormatInt(t.ttl.Milliseconds(), 10)},
			})
		}
	}
	if len(calls) == 0 {
		return nil
	}
	for j, r := range t.c.EvalEach(ctx, captureScript, calls...) {
		if r.Err != nil {
			return r.Err
		}
		out[at[j]] = ParseValue(r.Value.Str).Number // the script has looked at the incarnation
		gs[at[j]].assured.Store(now)
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
	for _, key := range keys {
		if g := t.byKey[key]; g != nil {
			g.detach()
			delete(t.byKey, key)
		}
	}
}

// Bump starts new generations in Redis. Every table of this process that uses c
// has forgotten the old ones when it returns, whatever it returns; others are
// told by a push.
func Bump(ctx context.Context, c conn.Conn, keys ...string) error {
	calls := make([]conn.ScriptCall, len(keys))
	for i, key := range keys {
		calls[i] = conn.ScriptCall{
			Keys: []string{key},
			Args: []string{newValue(time.Now()), strconv.FormatInt(BumpTTL.Milliseconds(), 10)},
		}
	}
	announce := func() {
		if tr, ok := c.Tracker(); ok {
			tr.Announce(keys...)
		}
	}
	announce()
	defer announce()
	for _, r := range c.EvalEach(ctx, bumpScript, calls...) {
		if r.Err != nil {
			return r.Err
		}
	}
	return nil
}
