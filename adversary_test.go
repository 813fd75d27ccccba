package larder_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/larder-go/larder"
	"github.com/larder-go/larder/conn"
)

// world is a source with a few keys, several processes that cache it over one Redis,
// and what they have been promised.
type world struct {
	t      *testing.T
	rng    *rand.Rand
	mu     sync.Mutex // protects rng and the following
	now    [3]int64   // the version of each key in the source
	floor  [][3]int64 // per process: what a Get must not be older than
	owed   [3]int64   // what a Get must not be older than when all is delivered
	alone  gate
	caches []*larder.Cache[int, revisioned]
	log    []string
}

// gate is a lock that lets the bubble's time go on: three may be in it, or one alone.
type gate struct{ turn, places chan struct{} }

func (g gate) enter(places int) {
	g.turn <- struct{}{}
	for range places {
		g.places <- struct{}{}
	}
	<-g.turn
}

func (g gate) leave(places int) {
	for range places {
		<-g.places
	}
}

func (w *world) n(n int) int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.rng.IntN(n)
}

func (w *world) note(format string, args ...any) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.log = append(w.log, time.Now().Format("05.000000 ")+fmt.Sprintf(format, args...))
}

func (w *world) pause(max time.Duration) {
	if d := w.n(int(max / (100 * time.Microsecond))); d > 0 {
		<-time.After(time.Duration(d) * 100 * time.Microsecond)
	}
}

func (w *world) commit(key int) int64 {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.now[key]++
	return w.now[key]
}

func (w *world) current(key int) int64 {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.now[key]
}

func (w *world) load(ctx context.Context, key int) (revisioned, error) {
	w.pause(2 * time.Millisecond)
	v := w.current(key)
	w.pause(4 * time.Millisecond)
	if w.n(20) == 0 {
		return revisioned{}, errDown
	}
	return revisioned{Rev: v, N: v}, ctx.Err()
}

// told raises what Gets must see: in the process that told it at once, in the others
// when the pushes have arrived.
func (w *world) told(process int, least map[int]int64, err error) {
	w.mu.Lock()
	for k, v := range least {
		w.owed[k] = max(w.owed[k], v)
		if err == nil {
			w.floor[process][k] = max(w.floor[process][k], v)
		}
	}
	w.mu.Unlock()
	if err != nil {
		return
	}
	<-time.After(2 * time.Microsecond) // the pushes arrive
	w.mu.Lock()
	defer w.mu.Unlock()
	for p := range w.floor {
		for k, v := range least {
			w.floor[p][k] = max(w.floor[p][k], v)
		}
	}
}

func (w *world) read(process, key int) {
	w.mu.Lock()
	least := w.floor[process][key]
	w.mu.Unlock()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	var v revisioned
	var err error
	start := time.Now()
	if w.n(4) == 0 {
		var m map[int]revisioned
		m, err = w.caches[process].GetMany(ctx, []int{key, (key + 1) % 3})
		if _, ok := m[key]; ok {
			v, err = m[key], nil
		}
	} else {
		v, err = w.caches[process].Get(ctx, key)
	}
	w.note("%d get %d since %v = %d %v", process, key, start.Format("05.000000"), v.N, err)
	if errors.Is(err, errDown) || errors.Is(err, larder.ErrLoadFailed) {
		return
	}
	if err != nil {
		w.t.Errorf("process %d key %d: %v", process, key, err)
	} else if v.N < least {
		w.t.Errorf("process %d key %d: version %d; %d was written before (Get since %s)", process, key, v.N, least, start.Format("05.000000"))
	}
}

func (w *world) write(process, key int) {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	c := w.caches[process]
	all := func() map[int]int64 {
		m := map[int]int64{}
		for k := range 3 {
			m[k] = w.commit(k)
		}
		return m
	}
	var err error
	least := map[int]int64{}
	op := w.n(10)
	if op == 0 {
		w.alone.enter(3)
		defer w.alone.leave(3)
		v := w.commit(key)
		least[key] = v
		w.note("%d set %d %d ...", process, key, v)
		err = c.Set(ctx, key, revisioned{v, v})
		w.note("%d set %d %d: %v", process, key, v, err)
		w.told(process, least, err)
		return
	}
	w.alone.enter(1)
	defer w.alone.leave(1)
	switch op {
	case 1, 2, 3, 4:
		w.note("%d write %d ...", process, key)
		var v int64
		err = c.WriteThrough(ctx, key, func(context.Context) (revisioned, error) {
			w.pause(3 * time.Millisecond)
			v = w.commit(key)
			w.note("%d committed %d %d", process, key, v)
			w.pause(3 * time.Millisecond)
			return revisioned{v, v}, nil
		})
		least[key] = v
	case 5, 6:
		least[key] = w.commit(key)
		w.note("%d invalidate %d %d...", process, key, least[key])
		err = c.Invalidate(ctx, key)
	case 7:
		least = all()
		w.note("%d tags %v...", process, least)
		tag := []string{"tag", "late"}[w.n(2)]
		if w.n(2) == 0 {
			err = c.InvalidateTags(ctx, tag)
			break
		}
		err = c.CommitTags(ctx, []string{tag}, func(context.Context) error {
			w.pause(3 * time.Millisecond)
			least = all()
			w.note("%d committed %v", process, least)
			w.pause(3 * time.Millisecond)
			return nil
		})
	case 8:
		least = all()
		w.note("%d clear %v...", process, least)
		if w.n(2) == 0 {
			err = c.Clear(ctx)
		} else {
			err = c.InvalidatePrefix(ctx, strconv.Itoa(key))
			least = map[int]int64{key: least[key]}
		}
	case 9:
		least[key] = w.commit(key)
		w.note("%d below %d %d...", process, key, least[key])
		if err = c.InvalidateBelow(ctx, key, uint64(least[key])); err != nil && !errors.Is(err, larder.ErrInvalidationPending) {
			err = c.Invalidate(ctx, key)
		}
	}
	w.note("%d op %d %v: %v", process, op, least, err)
	if err != nil && !errors.Is(err, larder.ErrInvalidationPending) {
		w.t.Errorf("op %d: %v", op, err)
	}
	w.told(process, least, err)
}

// trouble delays exchanges, loses them, or the answers to them, or lets them be
// executed when nobody waits any more.
func (w *world) trouble(until time.Time, late *sync.WaitGroup) step {
	return func(ctx context.Context, op string, run func()) error {
		if time.Now().After(until) {
			run()
			return nil
		}
		w.pause(time.Millisecond)
		lost := errors.New("the connection was cut")
		switch w.n(12) {
		case 0:
			w.note("lost %s", op)
			return lost
		case 1:
			run()
			w.note("no answer %s", op)
			return lost
		case 2:
			late.Go(func() { w.pause(10 * time.Millisecond); w.note("late %s", op); run() })
			w.note("lost until late %s", op)
			return lost
		}
		run()
		w.pause(time.Millisecond)
		return nil
	}
}

func adversary(t *testing.T, seed uint64) {
	synctest.Test(t, func(t *testing.T) {
		t.Cleanup(func() { time.Sleep(time.Second) }) // loaders that were left behind end
		e := newEngine(t)
		w := &world{t: t, rng: rand.New(rand.NewPCG(seed, 1)), alone: gate{make(chan struct{}, 1), make(chan struct{}, 3)}}
		kind := seed
		var late sync.WaitGroup
		until := time.Now().Add(300 * time.Millisecond)
		for i := range 3 {
			h := newHook(t, e)
			o := larder.Options[int, revisioned]{
				Namespace: "ns", TTL: []time.Duration{8 * time.Millisecond, time.Minute}[kind%2],
				CacheTimeout: 20 * time.Millisecond, Lease: 100 * time.Millisecond,
				Load: w.load,
			}
			if i == 1 {
				o.L1MaxBytes = -1
			}
			if kind/2%2 == 0 {
				o.Revision = revisionOf
			}
			if kind/4%2 == 0 {
				o.Tags = func(int) []string { return []string{"tag"} }
				o.TagsOf = func(int, revisioned) []string { return []string{"late"} }
			} else {
				o.Tags = func(int) []string { return []string{"tag", "late"} }
			}
			if kind/8%2 == 0 {
				o.StaleFor = 20 * time.Millisecond
			}
			if kind/16%2 == 0 && os.Getenv("LARDER_AHEAD") != "" {
				o.RefreshAhead = 1
			}
			if kind/32%2 == 0 {
				load := o.Load
				o.LoadMany = func(ctx context.Context, keys []int) (map[int]revisioned, error) {
					m := map[int]revisioned{}
					for _, k := range keys {
						v, err := load(ctx, k)
						if err != nil {
							return nil, err
						}
						m[k] = v
					}
					return m, nil
				}
			}
			c, err := larder.New(h, o)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = c.Close() })
			if kind/64%2 == 0 {
				h.on(w.trouble(until, &late))
			} else {
				h.on(func(_ context.Context, op string, run func()) error {
					w.pause(time.Millisecond)
					run()
					w.pause(time.Millisecond)
					return nil
				})
			}
			w.caches = append(w.caches, c)
			w.floor = append(w.floor, [3]int64{})
		}
		defer func() {
			if t.Failed() && os.Getenv("LARDER_LOG") != "" {
				for _, l := range w.log {
					t.Log(l)
				}
			}
		}()
		var busy sync.WaitGroup
		for p := range w.caches {
			for range 2 {
				busy.Go(func() {
					for time.Now().Before(until) {
						w.read(p, w.n(3))
						w.pause(2 * time.Millisecond)
					}
				})
			}
			busy.Go(func() {
				for time.Now().Before(until) {
					w.write(p, w.n(3))
					w.pause(10 * time.Millisecond)
				}
			})
		}
		evictor := e.Connect()
		busy.Go(func() {
			for time.Now().Before(until) {
				key := []string{"ns:0", "ns:1", "ns:2", "~tag:tag", "~tag:late", "~ns:ns"}[w.n(6)]
				w.note("evict %s", key)
				_, _ = evictor.Do(t.Context(), conn.Key("DEL", key))
				w.pause(20 * time.Millisecond)
			}
		})
		busy.Wait()
		late.Wait()
		time.Sleep(5 * time.Second)
		for p, c := range w.caches {
			if n := c.Stats().Pending; n != 0 {
				t.Errorf("process %d: %d pending", p, n)
			}
		}
		w.floor = [][3]int64{w.owed, w.owed, w.owed}
		for p := range w.caches {
			for k := range 3 {
				start := time.Now()
				w.read(p, k)
				if d := time.Since(start); d > 50*time.Millisecond {
					t.Errorf("process %d waited %v for key %d", p, d, k)
				}
			}
		}
		expiring(t, evictor)
		_ = evictor.Close()
	})
}

// expiring looks for keys without an expiry.
func expiring(t *testing.T, c conn.Conn) {
	t.Helper()
	err := c.Scan(t.Context(), "*", func(keys []string) error {
		for _, k := range keys {
			if v, err := c.Do(t.Context(), conn.Key("PTTL", k)); err != nil || v.Int == -1 {
				t.Errorf("%s: expiry %d, %v", k, v.Int, err)
			}
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}

func TestAdversary(t *testing.T) {
	from, n := uint64(0), uint64(64)
	if s := os.Getenv("LARDER_SEED"); s != "" {
		from, _ = strconv.ParseUint(s, 10, 64)
		n = 1
	}
	if s := os.Getenv("LARDER_SEEDS"); s != "" {
		n, _ = strconv.ParseUint(s, 10, 64)
	}
	for seed := from; seed < from+n; seed++ {
		t.Run(fmt.Sprint(seed), func(t *testing.T) { adversary(t, seed) })
	}
}
