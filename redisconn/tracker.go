package redisconn

import (
	"context"
	"errors"
	"hash/maphash"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/redis/rueidis"

	"github.com/larder-go/larder/conn"
	"github.com/larder-go/larder/internal/mutation"
)

// tracker reads over connections with CLIENT TRACKING, each key over its own.
type tracker struct {
	hub    hub
	seed   maphash.Seed
	shards []*shard
}

var _ conn.Tracker = (*tracker)(nil)

// shard is one client with one connection per node.
type shard struct {
	*client
	epoch conn.Epoch
	open  atomic.Bool // losses before that are part of Open
}

// openTracker opens all shards. It returns nil where the server cannot track.
func openTracker(w wire) (*tracker, error) {
	t := &tracker{seed: maphash.MakeSeed(), shards: make([]*shard, w.opts.ReadWires)}
	errs := make([]error, len(t.shards))
	var wg sync.WaitGroup
	for i := range t.shards {
		t.shards[i] = &shard{}
		wg.Go(func() { errs[i] = t.open(t.shards[i], w) })
		if i == 0 { // tells whether the server can track at all
			wg.Wait()
			if errors.Is(errs[0], rueidis.ErrNoCache) {
				return nil, nil
			}
		}
		if errs[0] != nil {
			break
		}
	}
	wg.Wait()
	if err := errors.Join(errs...); err != nil {
		t.close()
		for _, err := range errs {
			if err != nil {
				return nil, err
			}
		}
	}
	return t, nil
}

// open opens one shard. Its epoch advances at every new connection, before
// anything can be read over it, and at the first sign that one is lost: between
// the two there is no reply that a dead connection's number would cover.
func (t *tracker) open(s *shard, w wire) (err error) {
	w.opened = func() { s.forget() }
	w.lost = func(addr string, cause error) {
		s.forget()
		if s.open.Load() && !w.life.over.Load() {
			w.opts.Logger.LogAttrs(context.Background(), slog.LevelWarn,
				"redisconn: a tracking connection is lost; what was read over it is forgotten",
				slog.String("addr", addr), slog.Any("error", cause))
		}
	}
	s.client, err = share(&w, true, func(pushed []rueidis.RedisMessage) { t.pushed(s, pushed) })
	if err != nil {
		return err
	}
	s.changed = func() { t.pushed(s, nil) }
	s.heard = s.epoch.Hear
	s.open.Store(true)
	return nil
}

// forget ends the epoch, and with it what was read over the connection, unless a
// mutation takes that out.
func (s *shard) forget() bool {
	if mutation.NoEpoch {
		return false
	}
	s.epoch.Advance()
	return true
}

// pushed passes on an invalidation. Nothing means all keys: the database was
// flushed, the connection was lost, or the server is not what it was.
func (t *tracker) pushed(s *shard, pushed []rueidis.RedisMessage) {
	if len(pushed) == 0 {
		if s.forget() {
			t.hub.notify(nil)
		}
		return
	}
	keys := make([]string, len(pushed))
	for i := range pushed {
		keys[i], _ = pushed[i].ToString()
	}
	t.hub.notify(keys)
}

func (t *tracker) close() {
	var wg sync.WaitGroup
	for _, s := range t.shards {
		if s != nil && s.client != nil {
			wg.Go(s.client.close)
		}
	}
	wg.Wait()
}

// index is the shard of a key.
func (t *tracker) index(key string) int {
	return int(maphash.String(t.seed, key) % uint64(len(t.shards)))
}

// first is the shard of the first of keys; without keys any will do.
func (t *tracker) first(keys []string) int {
	if len(keys) == 0 {
		return 0
	}
	return t.index(keys[0])
}

// Do reads over the connection of cmd's key.
func (t *tracker) Do(ctx context.Context, cmd conn.Command) (conn.Value, error) {
	i := 0
	if key, ok := cmd.Key(); ok {
		i = t.index(key)
	}
	return t.shards[i].do(ctx, cmd)
}

var errTrackerTx = errors.New("redisconn: MULTI is refused: a Tracker has no transactions; nothing of the pipeline was sent")

// Pipeline reads over the connections of the keys, at the same time.
func (t *tracker) Pipeline(ctx context.Context, cmds ...conn.Command) []conn.Result {
	if slices.ContainsFunc(cmds, begins) { // its parts would go different ways
		results := make([]conn.Result, len(cmds))
		for i := range results {
			results[i].Err = errTrackerTx
		}
		return results
	}
	return scatter(len(t.shards), cmds, func(cmd conn.Command) int {
		if key, ok := cmd.Key(); ok {
			return t.index(key)
		}
		return 0
	}, func(i int, cmds []conn.Command) []conn.Result {
		return t.shards[i].pipeline(ctx, cmds)
	})
}

// Eval runs s over the connection of the first key. Other keys that it reads
// are tracked there too.
func (t *tracker) Eval(ctx context.Context, s *conn.Script, keys, args []string) (conn.Value, error) {
	return t.shards[t.first(keys)].eval(ctx, s, keys, args)
}

// EvalEach runs s over the connections of each call's first key, at the same time.
func (t *tracker) EvalEach(ctx context.Context, s *conn.Script, calls ...conn.ScriptCall) []conn.Result {
	return scatter(len(t.shards), calls, func(call conn.ScriptCall) int {
		return t.first(call.Keys)
	}, func(i int, calls []conn.ScriptCall) []conn.Result {
		return t.shards[i].evalEach(ctx, s, calls)
	})
}

// Epoch is the epoch of the key's shard.
func (t *tracker) Epoch(key string) *conn.Epoch { return &t.shards[t.index(key)].epoch }

// Listen registers fn. stop must not be called by fn.
func (t *tracker) Listen(fn func(keys []string)) (stop func()) { return t.hub.listen(fn) }

// Announce calls all listeners; without keys it does nothing.
func (t *tracker) Announce(keys ...string) {
	if len(keys) > 0 {
		t.hub.notify(keys)
	}
}
