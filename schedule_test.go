package larder_test

import (
	"cmp"
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// A schedule runs actors whose every exchange with Redis, and with the source, is a step:
// one is chosen among those that wait, executed, and the next chosen when all that
// follows from it has come to rest. Time is the bubble's, and passes only where nothing
// else can happen. So the same choices make the same history.
type schedule struct {
	// choose picks one of n steps that wait.
	choose func(n int) int

	mu      sync.Mutex // protects the following
	waiting []*turn
	order   int
	trace   []string
}

// turn is a step that waits.
type turn struct {
	actor, what string
	order       int
	proceed     chan struct{}
}

// step waits until it is the actor's turn.
func (s *schedule) step(actor, what string) {
	t := &turn{actor: actor, what: what, proceed: make(chan struct{})}
	s.mu.Lock()
	s.order++
	t.order = s.order
	s.waiting = append(s.waiting, t)
	s.mu.Unlock()
	<-t.proceed
}

// run makes the steps of the actors until all have ended. It returns how many there were.
func (s *schedule) run(t *testing.T, actors ...func()) (steps int) {
	t.Helper()
	var running sync.WaitGroup
	var left atomic.Int64
	left.Store(int64(len(actors)))
	for _, actor := range actors {
		running.Go(func() {
			defer left.Add(-1)
			actor()
		})
	}
	defer running.Wait()
	idle := 0
	for {
		synctest.Wait()
		s.mu.Lock()
		n := len(s.waiting)
		if n == 0 {
			s.mu.Unlock()
			if left.Load() == 0 {
				return steps
			}
			if idle++; idle > 100_000 {
				t.Fatalf("nothing happens any more after:\n%s", s.history())
			}
			<-time.After(time.Millisecond)
			continue
		}
		slices.SortFunc(s.waiting, func(a, b *turn) int {
			return cmp.Or(cmp.Compare(a.actor, b.actor), cmp.Compare(a.order, b.order))
		})
		i := s.choose(n)
		next := s.waiting[i]
		s.waiting = slices.Delete(s.waiting, i, i+1)
		s.trace = append(s.trace, next.actor+": "+next.what)
		s.mu.Unlock()
		steps++
		close(next.proceed)
	}
}

// explore calls run for every sequence of choices, depth first, until there is no other
// or it has been called limit times. It returns how often, and whether that was all.
func explore(limit int, run func(choose func(n int) int)) (runs int, all bool) {
	type choice struct{ made, of int }
	var path []choice
	for {
		at := 0
		run(func(n int) int {
			if at == len(path) {
				path = append(path, choice{0, n})
			}
			c := path[at]
			at++
			return c.made
		})
		runs++
		path = path[:at]
		for len(path) > 0 && path[len(path)-1].made+1 == path[len(path)-1].of {
			path = path[:len(path)-1]
		}
		if len(path) == 0 {
			return runs, true
		}
		if runs == limit {
			return runs, false
		}
		path[len(path)-1].made++
	}
}

// sample calls run n times with choices that are drawn.
func sample(n int, seed uint64, run func(choose func(n int) int)) {
	for i := range n {
		rng := rand.New(rand.NewPCG(seed, uint64(i)))
		run(rng.IntN)
	}
}

func TestExplore(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	runs, all := explore(1000, func(choose func(int) int) {
		var word strings.Builder
		left := []int{3, 2, 2} // three actors with so many steps
		for {
			var can []int
			for actor, n := range left {
				if n > 0 {
					can = append(can, actor)
				}
			}
			if len(can) == 0 {
				break
			}
			actor := can[choose(len(can))]
			left[actor]--
			fmt.Fprint(&word, actor)
		}
		seen[word.String()] = true
	})
	if want := 210; runs != want || len(seen) != want || !all { // 7! / (3! 2! 2!)
		t.Errorf("%d runs, %d different, all: %t; want %d", runs, len(seen), all, want)
	}
}

// note adds a line to what has happened, and history tells all of it.
func (s *schedule) note(line string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.trace = append(s.trace, line)
}

func (s *schedule) history() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return strings.Join(s.trace, "\n")
}

// stepped lets every exchange of a hook be a step of an actor.
func (s *schedule) stepped(h *hook, actor string) {
	h.on(func(_ context.Context, op string, run func()) error {
		s.step(actor, op)
		run()
		return nil
	})
}
