package larder_test

import (
	"context"
	"errors"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"github.com/larder-go/larder"
	"github.com/larder-go/larder/conn"
	"github.com/larder-go/larder/embedded"
	"github.com/larder-go/larder/internal/generation"
	"github.com/larder-go/larder/internal/scripted"
	"github.com/larder-go/larder/redisconn"
)

// P2: what was lost costs a miss, never a stale value.

// evict removes keys as Redis does that needs room.
func evict(t *testing.T, e *embedded.Engine, keys ...string) {
	t.Helper()
	for _, key := range keys {
		if v, err := e.Connect().Do(t.Context(), conn.Key("DEL", key)); v.Int != 1 || err != nil {
			t.Fatalf("%s was not there: %v", key, err)
		}
	}
	synctest.Wait()
}

func TestEvictedMetadataIsAMiss(t *testing.T) {
	for name, keys := range map[string][]string{
		"entry":             {"ns:k"},
		"tag":               {generation.TagKey("tag")},
		"namespace":         {generation.NamespaceKey("ns")},
		"tag and namespace": {generation.TagKey("tag"), generation.NamespaceKey("ns")},
	} {
		for where, l1 := range map[string]int64{"L1": 0, "no L1": -1} {
			t.Run(name+", "+where, func(t *testing.T) {
				onTwoScripts(t, func(t *testing.T, e *embedded.Engine, a, b *scripted.Server) {
					src := newOriginal(1)
					o := src.options()
					o.L1MaxBytes = l1
					one, two := newCache(t, connect(t, a, redisconn.Options{}), o), newCache(t, connect(t, b, redisconn.Options{}), o)
					wants(t, one, "k", 1)
					wants(t, two, "k", 1)
					evict(t, e, keys...)
					src.version.Store(2)
					wants(t, one, "k", 2)
					wants(t, two, "k", 2)
					wants(t, newCache(t, connect(t, a, redisconn.Options{}), o), "k", 2)
					if n := src.loads.Load(); n != 2 {
						t.Errorf("%d loads, want 2", n)
					}
				})
			})
		}
	}
}

// A tag is evicted, and with it the knowledge that it was invalidated; or the
// namespace's generation is.
func TestEvictionDoesNotUndoAnInvalidation(t *testing.T) {
	for name, keys := range map[string][]string{
		"tag": {generation.TagKey("tag")}, "namespace": {generation.NamespaceKey("ns")},
	} {
		for how, invalidate := range map[string]func(context.Context, *larder.Cache[string, int64]) error{
			"InvalidateTags": invalidations["InvalidateTags"], "Clear": invalidations["Clear"],
		} {
			t.Run(how+", "+name, func(t *testing.T) {
				onTwoScripts(t, func(t *testing.T, e *embedded.Engine, a, b *scripted.Server) {
					src := newOriginal(1)
					one, two := newCache(t, connect(t, a, redisconn.Options{}), src.options()), newCache(t, connect(t, b, redisconn.Options{}), src.options())
					warm(t, one, "k", 1)
					warm(t, two, "k", 1)
					src.version.Store(2)
					if err := invalidate(t.Context(), one); err != nil {
						t.Fatal(err)
					}
					evict(t, e, keys...)
					wants(t, two, "k", 2)
					wants(t, one, "k", 2)
				})
			})
		}
	}
}

// What a load needs to land is evicted while it runs: its value is for those only
// who asked before it began.
func TestMetadataLostDuringALoadIsAMiss(t *testing.T) {
	for name, tt := range map[string]struct {
		lost          string
		fills, refuse uint64
	}{
		"lease":     {"ns:k", 0, 1},
		"tag":       {generation.TagKey("tag"), 1, 0},
		"namespace": {generation.NamespaceKey("ns"), 1, 0},
	} {
		t.Run(name, func(t *testing.T) {
			onTwoScripts(t, func(t *testing.T, e *embedded.Engine, a, b *scripted.Server) {
				src, gate := newOriginal(1), make(chan struct{})
				o := src.options()
				o.Load = func(ctx context.Context, key string) (int64, error) {
					v, err := src.load(ctx, key)
					<-gate
					return v, err
				}
				slow := newCache(t, connect(t, a, redisconn.Options{}), o)
				asked := get(t.Context(), slow, "k")
				synctest.Wait()
				evict(t, e, tt.lost)
				src.version.Store(2)
				close(gate)
				if x := <-asked; x.value != 1 || x.err != nil {
					t.Errorf("got %d, %v", x.value, x.err)
				}
				if s := slow.Stats(); s.Fills != tt.fills || s.FillsRefused != tt.refuse {
					t.Errorf("%d fills, %d refused", s.Fills, s.FillsRefused)
				}
				wants(t, newCache(t, connect(t, b, redisconn.Options{}), src.options()), "k", 2)
				wants(t, slow, "k", 2)
			})
		})
	}
}

// A connection dies, and with it the pushes that it would have brought.
func TestDeadConnectionIsAMiss(t *testing.T) {
	for name, cut := range map[string]func(*scripted.Server){
		"tracking": (*scripted.Server).CutTracking, "all": (*scripted.Server).Cut,
	} {
		for back, away := range map[string]scripted.Kind{
			"comes back": 0, "is refused": scripted.Refuse, "hangs": scripted.Hang, "is frozen": scripted.Freeze,
		} {
			for how, invalidate := range invalidations {
				t.Run(name+", "+back+", "+how, func(t *testing.T) {
					onTwoScripts(t, func(t *testing.T, _ *embedded.Engine, a, b *scripted.Server) {
						src := newOriginal(1)
						writer := newCache(t, connect(t, a, redisconn.Options{}), src.options())
						reader := newCache(t, connect(t, b, redisconn.Options{}), src.options())
						warm(t, reader, "k", 1)
						mend := b.Break(scripted.Fault{Kind: away})
						cut(b)
						src.version.Store(2)
						if err := invalidate(t.Context(), writer); err != nil {
							t.Fatal(err)
						}
						synctest.Wait() // the end of the connection has arrived
						wants(t, reader, "k", 2)
						elapse(3 * time.Second)
						wants(t, reader, "k", 2)
						mend()
						elapse(recovery)
						warm(t, reader, "k", 2)
					})
				})
			}
		}
	}
}

func TestFlushedServerIsAMiss(t *testing.T) {
	onScript(t, func(t *testing.T, s *scripted.Server) {
		c, src := connect(t, s, redisconn.Options{}), newOriginal(1)
		cache := newCache(t, c, src.options())
		warm(t, cache, "k", 1)
		src.version.Store(2)
		if _, err := c.Do(t.Context(), conn.Cmd("FLUSHALL")); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		wants(t, cache, "k", 2)
	})
}

// The server dies and comes back with what it held before the invalidation:
// entry, generations, even the lease of a load that is still under way.
func TestServerWithAnOldSnapshotIsAMiss(t *testing.T) {
	for name, invalidate := range invalidations {
		t.Run(name, func(t *testing.T) {
			onTwoScripts(t, func(t *testing.T, e *embedded.Engine, a, b *scripted.Server) {
				src := newOriginal(1)
				one, two := newCache(t, connect(t, a, redisconn.Options{}), src.options()), newCache(t, connect(t, b, redisconn.Options{}), src.options())
				warm(t, one, "k", 1)
				warm(t, two, "k", 1)
				gate := make(chan struct{})
				loading := make(chan answer[int64], 1)
				go func() {
					v, err := two.GetWith(t.Context(), "slow", func(context.Context, string) (int64, error) {
						<-gate
						return 1, nil
					})
					loading <- answer[int64]{v, err}
				}()
				synctest.Wait()
				old := snapshot(t, e)
				src.version.Store(2)
				if err := errors.Join(invalidate(t.Context(), one), one.Invalidate(t.Context(), "slow")); err != nil {
					t.Fatal(err)
				}
				a.Replace(old)
				b.Replace(old)
				synctest.Wait()
				for range 2 { // before anybody has connected again, and after
					wants(t, one, "k", 2)
					wants(t, two, "k", 2)
					elapse(5 * time.Second)
				}
				close(gate)
				<-loading
				wants(t, one, "slow", 2)
				wants(t, two, "slow", 2)
				wants(t, newCache(t, connect(t, a, redisconn.Options{}), src.options()), "k", 2)
				mustExpire(t, old)
			})
		})
	}
}

// snapshot is another engine that holds what e does.
func snapshot(t *testing.T, e *embedded.Engine) *embedded.Engine {
	t.Helper()
	ctx, copied := t.Context(), newEngine(t)
	from, to := e.Connect(), copied.Connect()
	err := from.Scan(ctx, "*", func(keys []string) error {
		for _, key := range keys {
			v, err := from.Do(ctx, conn.Key("GET", key))
			ttl, terr := from.Do(ctx, conn.Key("PEXPIRETIME", key))
			at, _ := ttl.Int64()
			_, serr := to.Do(ctx, conn.Key("SET", key, v.Str, "PXAT", strconv.FormatInt(at, 10)))
			if err := errors.Join(err, terr, serr); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return copied
}
