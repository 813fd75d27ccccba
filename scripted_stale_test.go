package larder_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/larder-go/larder"
	"github.com/larder-go/larder/embedded"
	"github.com/larder-go/larder/internal/scripted"
	"github.com/larder-go/larder/redisconn"
)

// P1: never stale after an invalidation.

// invalidations are the ways to make an older value of "k" go.
var invalidations = map[string]func(context.Context, *larder.Cache[string, int64]) error{
	"Invalidate":     operations["Invalidate"].call,
	"InvalidateTags": operations["InvalidateTags"].call,
	"Clear":          operations["Clear"].call,
	"Set":            operations["Set"].call,
}

// The writer's own process never serves the old value, though no push reaches it:
// neither the cache that invalidated nor another one on the same connection.
func TestOwnProcessNeedsNoPush(t *testing.T) {
	for name, invalidate := range invalidations {
		t.Run(name, func(t *testing.T) {
			onScript(t, func(t *testing.T, s *scripted.Server) {
				c, src := connect(t, s, redisconn.Options{}), newOriginal(1)
				one, two := newCache(t, c, src.options()), newCache(t, c, src.options())
				warm(t, one, "k", 1)
				warm(t, two, "k", 1)
				s.Break(scripted.Fault{Kind: scripted.HoldPushes})
				src.version.Store(2)
				if err := invalidate(t.Context(), one); err != nil {
					t.Fatal(err)
				}
				for range 3 {
					wants(t, one, "k", 2)
					wants(t, two, "k", 2)
				}
			})
		})
	}
}

// Another process whose connection has gone silent serves the old value for up to
// StalenessBound after the invalidation, whenever that comes between two
// heartbeats, and whatever else would notice the silence.
func TestOtherProcessIsBehindByTheBoundAtMost(t *testing.T) {
	const bound = larder.DefaultStalenessBound
	for name, invalidate := range invalidations {
		for silence, f := range map[string]scripted.Fault{
			"pushes held": {Kind: scripted.HoldPushes},
			"frozen":      {Kind: scripted.Freeze},
			"mute":        {Kind: scripted.Mute},
		} {
			for patience, o := range map[string]redisconn.Options{
				"the bound alone": {SilenceTimeout: time.Hour, CutTimeout: time.Hour},
				"defaults":        {},
			} {
				t.Run(name+", "+silence+", "+patience, func(t *testing.T) {
					for offset := time.Duration(0); offset <= redisconn.DefaultHeartbeat; offset += redisconn.DefaultHeartbeat / 2 {
						onTwoScripts(t, func(t *testing.T, _ *embedded.Engine, a, b *scripted.Server) {
							src := newOriginal(1)
							writer := newCache(t, connect(t, a, redisconn.Options{}), src.options())
							reader := newCache(t, connect(t, b, o), src.options())
							warm(t, reader, "k", 1)
							elapse(time.Second + offset)
							warm(t, reader, "k", 1)
							b.Break(f)
							src.version.Store(2)
							start := time.Now()
							if err := invalidate(t.Context(), writer); err != nil {
								t.Fatal(err)
							}
							behind := time.Duration(-1)
							<-time.After(bound * 7 / 10)
							for time.Since(start) < bound+20*time.Millisecond {
								began := time.Since(start)
								v, err := reader.Get(t.Context(), "k")
								if err != nil {
									t.Fatal(err)
								}
								if v == 1 {
									behind = began
								}
								<-time.After(time.Millisecond)
							}
							if behind > bound {
								t.Errorf("%v after a heartbeat: the old value was served to a Get that began %v after the invalidation", offset, behind)
							}
							// Or the test would not see a bound at work.
							if least := larder.DefaultStalenessBound - redisconn.DefaultHeartbeat - 10*time.Millisecond; o.CutTimeout != 0 && behind < least {
								t.Errorf("%v after a heartbeat: the old value went after %v", offset, behind)
							}
						})
					}
				})
			}
		}
	}
}

// A push that is late, but comes, ends it at once.
func TestPushEndsTheOldValueAtOnce(t *testing.T) {
	for name, invalidate := range invalidations {
		t.Run(name, func(t *testing.T) {
			onTwoScripts(t, func(t *testing.T, _ *embedded.Engine, a, b *scripted.Server) {
				src := newOriginal(1)
				writer := newCache(t, connect(t, a, redisconn.Options{}), src.options())
				reader := newCache(t, connect(t, b, redisconn.Options{}), src.options())
				warm(t, reader, "k", 1)
				mend := b.Break(scripted.Fault{Kind: scripted.HoldPushes})
				src.version.Store(2)
				if err := invalidate(t.Context(), writer); err != nil {
					t.Fatal(err)
				}
				wants(t, reader, "k", 1) // within the bound
				elapse(100 * time.Millisecond)
				mend()
				synctest.Wait()
				wants(t, reader, "k", 2)
			})
		})
	}
}

// The answer to a read or to a fill is under way while the key is invalidated, and
// the push behind it. Who asked before may have the value; of those who ask later
// nobody in the process that invalidated, and in others nobody once the push is there.
func TestAnswerOvertakenByAnInvalidation(t *testing.T) {
	for name, invalidate := range invalidations {
		for command, atWork := range map[string]func(scripted.Exchange) bool{
			"GET":  func(x scripted.Exchange) bool { return scripted.Commands("GET")(x) && x.Args[1] == "ns:k" },
			"fill": func(x scripted.Exchange) bool { return x.Tracking && executes("fill")(x) },
		} {
			for who, own := range map[string]bool{"own process": true, "another process": false} {
				t.Run(name+", "+command+", "+who, func(t *testing.T) {
					onTwoScripts(t, func(t *testing.T, _ *embedded.Engine, a, b *scripted.Server) {
						src := newOriginal(1)
						other := newCache(t, connect(t, a, redisconn.Options{}), src.options())
						c := connect(t, b, redisconn.Options{})
						reader, writer := newCache(t, c, src.options()), other
						if own {
							writer = newCache(t, c, src.options())
						}
						if command == "GET" {
							wants(t, other, "k", 1)
						}
						warm(t, reader, "other", 1)
						warm(t, writer, "other", 1)
						mend := b.Break(scripted.Fault{Kind: scripted.Mute, On: atWork})
						early := get(t.Context(), reader, "k")
						elapse(20 * time.Millisecond)
						src.version.Store(2)
						if err := invalidate(t.Context(), writer); err != nil {
							t.Fatal(err)
						}
						late := get(t.Context(), reader, "k")
						elapse(20 * time.Millisecond)
						mend()
						if x := <-early; x.err != nil {
							t.Error(x.err)
						}
						if x := <-late; own && x.value != 2 || x.err != nil {
							t.Errorf("a Get after the invalidation got %d, %v", x.value, x.err)
						}
						synctest.Wait()
						wants(t, reader, "k", 2)
						wants(t, writer, "k", 2)
					})
				})
			}
		}
	}
}

// A process sends its fill into a network that delivers it when the key has been
// invalidated, and perhaps loaded anew by others.
func TestLateFillIsRefused(t *testing.T) {
	for name, invalidate := range invalidations {
		for state, reload := range map[string]bool{"loaded anew": true, "gone": false} {
			t.Run(name+", "+state, func(t *testing.T) {
				onTwoScripts(t, func(t *testing.T, _ *embedded.Engine, a, b *scripted.Server) {
					src := newOriginal(1)
					writer := newCache(t, connect(t, a, redisconn.Options{}), src.options())
					late := newCache(t, connect(t, b, redisconn.Options{SilenceTimeout: time.Hour, CutTimeout: time.Hour}), src.options())
					wants(t, late, "other", 1)
					mend := b.Break(scripted.Fault{Kind: scripted.Freeze, On: executes("fill")})
					wants(t, late, "k", 1)
					src.version.Store(2)
					if err := invalidate(t.Context(), writer); err != nil {
						t.Fatal(err)
					}
					if reload {
						wants(t, writer, "k", 2)
					}
					mend()
					elapse(time.Second)
					wants(t, late, "k", 2)
					wants(t, writer, "k", 2)
					wants(t, newCache(t, connect(t, a, redisconn.Options{}), src.options()), "k", 2)
				})
			})
		}
	}
}

// A Set whose caller has given up is delivered after the key was invalidated.
func TestLateSetIsRefused(t *testing.T) {
	for _, script := range []string{"acquire", "fill"} {
		t.Run(script, func(t *testing.T) {
			onTwoScripts(t, func(t *testing.T, _ *embedded.Engine, a, b *scripted.Server) {
				src := newOriginal(2)
				writer := newCache(t, connect(t, a, redisconn.Options{}), src.options())
				late := newCache(t, connect(t, b, redisconn.Options{SilenceTimeout: time.Hour, CutTimeout: time.Hour}), src.options())
				wants(t, late, "other", 2)
				if err := late.Set(t.Context(), "k", 0); err != nil { // so that the server knows the scripts
					t.Fatal(err)
				}
				mend := b.Break(scripted.Fault{Kind: scripted.Freeze, On: executes(script)})
				if err := late.Set(within(t, 10*time.Millisecond), "k", 1); !errors.Is(err, larder.ErrInvalidationPending) {
					t.Fatalf("error %v, want ErrInvalidationPending", err)
				}
				if err := writer.Invalidate(t.Context(), "k"); err != nil {
					t.Fatal(err)
				}
				wants(t, writer, "k", 2)
				wants(t, late, "k", 2)
				mend()
				synctest.Wait()
				wants(t, writer, "k", 2)
				elapse(recovery)
				wants(t, writer, "k", 2)
				wants(t, late, "k", 2)
			})
		})
	}
}

// Half an answer is none, be it the half of an entry, and no later answer is
// taken for its rest.
func TestHalfAnswersAreNone(t *testing.T) {
	for kind, half := range map[string]scripted.Kind{"then silence": scripted.Half, "then the end": scripted.DieAnswering} {
		for command, on := range map[string]func(scripted.Exchange) bool{
			"GET": scripted.Commands("GET"), "EVALSHA": scripted.Commands("EVALSHA"),
			"pipeline of GETs": func(x scripted.Exchange) bool { return len(x.Args) > 1 && x.Args[1] == "ns:key2" },
		} {
			for how, ask := range asks[int64]() {
				t.Run(command+", "+kind+", "+how, func(t *testing.T) {
					onScript(t, func(t *testing.T, s *scripted.Server) {
						src := newOriginal(1)
						keys := numbered(5)
						first := newCache(t, connect(t, s, redisconn.Options{}), src.options())
						if _, err := first.GetMany(t.Context(), keys); err != nil {
							t.Fatal(err)
						}
						c := newCache(t, connect(t, s, redisconn.Options{}), src.options())
						mend := s.Break(scripted.Fault{Kind: half, On: on})
						for _, key := range append(keys, "new") {
							if v, err := ask(t.Context(), c, key); v != 1 || err != nil {
								t.Errorf("%s: got %d, %v", key, v, err)
							}
						}
						if m, err := c.GetMany(t.Context(), keys); len(m) != len(keys) || err != nil {
							t.Errorf("got %v, %v", m, err)
						}
						mend()
						elapse(5 * time.Second)
						src.version.Store(2)
						if err := first.Clear(t.Context()); err != nil {
							t.Fatal(err)
						}
						synctest.Wait()
						for _, key := range keys {
							warm(t, c, key, 2)
						}
					})
				})
			}
		}
	}
}
