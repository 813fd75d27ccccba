package torture

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/larder-go/larder/conn"
	"github.com/larder-go/larder/internal/faultproxy"
	"github.com/larder-go/larder/internal/redisserver"
)

// A strike is a fault that is drawn.
type strike struct {
	name  string
	procs []int // whom it concerns; nil: all
	// run strikes, and returns when the fault is over.
	run func(ctx context.Context) error
}

// The pauses between faults: promises that hold while Redis is reachable want to be
// seen holding.
const (
	shortCalm = 100 * time.Millisecond
	longCalm  = 4 * time.Second
	calmEvery = 6 // faults
)

// strikes lets faults befall the processes until ctx ends. Now and then there is a calm.
func (t *Torture) strikes(ctx context.Context, rng *rand.Rand) {
	for n := 0; ; n++ {
		calm := shortCalm + time.Duration(rng.IntN(400))*time.Millisecond
		if n%calmEvery == calmEvery-1 {
			calm = longCalm
		}
		pause(ctx, calm)
		if ctx.Err() != nil {
			return
		}
		s, ok := t.draw(rng)
		if !ok {
			continue
		}
		end := t.check.fault(s.name, s.procs)
		t.struck[s.name]++
		err := s.run(ctx)
		end()
		t.check.healed(s.name, t.alive())
		if err != nil && ctx.Err() == nil {
			t.note("fault %q: %v", s.name, err)
		}
	}
}

// draw chooses a fault among those that fit.
func (t *Torture) draw(rng *rand.Rand) (strike, bool) {
	var kinds []func(*rand.Rand) (strike, bool)
	add := func(weight int, draw func(*rand.Rand) (strike, bool)) {
		for range weight {
			kinds = append(kinds, draw)
		}
	}
	if len(t.proxies) > 0 {
		add(8, t.drawNetwork)
	}
	if len(t.opts.Child) > 0 {
		add(4, t.drawDeath)
		add(1, t.drawPause)
		add(1, t.drawClock)
	}
	if t.set != nil || t.opts.Destructive || t.engine != nil {
		add(1, t.drawFlush)
	}
	if t.set != nil || t.opts.Destructive {
		add(1, t.drawKill)
		add(1, t.drawFull)
	}
	if t.set != nil {
		add(2, t.drawFreeze)
		switch t.opts.Topology {
		case Single:
			add(3, t.drawRestart)
		case Cluster:
			add(3, t.drawFailover)
			add(3, t.drawReshard)
		case Sentinel:
			add(3, t.drawPromotion)
		}
	}
	if len(kinds) == 0 {
		return strike{}, false
	}
	return kinds[rng.IntN(len(kinds))](rng)
}

// drawNetwork makes the network of one process fail, or that of all.
func (t *Torture) drawNetwork(rng *rand.Rand) (strike, bool) {
	f := faultproxy.Draw(rng)
	procs := t.alive()
	who := "all"
	if rng.IntN(4) != 0 {
		procs = []int{procs[rng.IntN(len(procs))]}
		who = "one"
	}
	d := time.Duration(100+rng.IntN(1900)) * time.Millisecond
	if f.Kind == faultproxy.DropPushes {
		// While replies pass, no client can know. A network that loses packets for good
		// cuts the connection, but not at once.
		d = min(d, stalenessBound/2)
	}
	return strike{name: "network of " + who + ": " + f.Kind.String(), procs: procs, run: func(ctx context.Context) error {
		for _, proc := range procs {
			for _, p := range t.proxiesOf(proc) {
				defer p.Inject(f)()
			}
		}
		pause(ctx, d)
		return nil
	}}, true
}

// drawDeath kills a process, at a step or wherever it is, and starts another.
func (t *Torture) drawDeath(rng *rand.Rand) (strike, bool) {
	m := t.any(rng)
	if m == nil || m.kill == nil {
		return strike{}, false
	}
	step := ""
	if rng.IntN(4) != 0 {
		step = steps[rng.IntN(len(steps))]
	}
	name := "kill -9"
	if step != "" {
		name += " at step " + step
	}
	return strike{name: name, run: func(ctx context.Context) error {
		m.doomed.Store(true)
		if step == "" {
			m.kill()
		} else {
			m.order(order{DieAt: step})
		}
		select {
		case <-m.gone:
		case <-time.After(5 * time.Second): // it did not come by
			m.kill()
			<-m.gone
		}
		t.bury(m)
		return t.replace(ctx)
	}}, true
}

// drawPause stops a process for a while, as a machine does that is moved.
func (t *Torture) drawPause(rng *rand.Rand) (strike, bool) {
	m := t.any(rng)
	if m == nil || m.stop == nil {
		return strike{}, false
	}
	d := time.Duration(100+rng.IntN(2500)) * time.Millisecond
	return strike{name: "process paused", run: func(ctx context.Context) error {
		m.stop()
		pause(ctx, d)
		m.cont()
		return nil
	}}, true
}

// drawClock sets the wall clock of a process wrong.
func (t *Torture) drawClock(rng *rand.Rand) (strike, bool) {
	m := t.any(rng)
	if m == nil {
		return strike{}, false
	}
	by := time.Duration(rng.IntN(7200)-3600) * time.Second
	return strike{name: "clock jumps", procs: []int{m.proc}, run: func(context.Context) error {
		m.order(order{Clock: true, Skew: by})
		return nil
	}}, true
}

// each sends a command to every node that takes writes.
func (t *Torture) each(ctx context.Context, args ...string) error {
	if t.engine != nil {
		_, err := t.direct.Do(ctx, conn.Cmd(args[0], args[1:]...))
		return err
	}
	if t.set == nil {
		_, err := t.direct.Do(ctx, conn.Cmd(args[0], args[1:]...))
		return err
	}
	for _, s := range t.set.Masters() {
		if _, err := s.Do(args...); err != nil {
			return fmt.Errorf("%s: %w", args[0], err)
		}
	}
	return nil
}

func (t *Torture) drawFlush(*rand.Rand) (strike, bool) {
	return strike{name: "FLUSHALL", run: func(ctx context.Context) error { return t.each(ctx, "FLUSHALL") }}, true
}

func (t *Torture) drawKill(rng *rand.Rand) (strike, bool) {
	if rng.IntN(2) == 0 {
		return strike{name: "SCRIPT FLUSH", run: func(ctx context.Context) error { return t.each(ctx, "SCRIPT", "FLUSH") }}, true
	}
	return strike{name: "CLIENT KILL", run: func(ctx context.Context) error {
		return t.each(ctx, "CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
	}}, true
}

// drawFull makes the servers evict, or refuse, for a while.
func (t *Torture) drawFull(rng *rand.Rand) (strike, bool) {
	policy := []string{"volatile-ttl", "allkeys-random", "allkeys-lru", "noeviction"}[rng.IntN(4)]
	d := time.Duration(300+rng.IntN(1500)) * time.Millisecond
	return strike{name: "maxmemory, " + policy, run: func(ctx context.Context) error {
		err := t.each(ctx, "CONFIG", "SET", "maxmemory", "1", "maxmemory-policy", policy)
		pause(ctx, d)
		ctx = context.WithoutCancel(ctx)
		return firstError(err, t.each(ctx, "CONFIG", "SET", "maxmemory", "0", "maxmemory-policy", "noeviction"))
	}}, true
}

func firstError(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// drawFreeze stops a server without closing its connections.
func (t *Torture) drawFreeze(rng *rand.Rand) (strike, bool) {
	s := t.set.Servers[rng.IntN(len(t.set.Servers))]
	longest := 2500
	if t.opts.Topology != Single { // now and then long enough to be given up
		longest = 5000
	}
	d := time.Duration(100+rng.IntN(longest)) * time.Millisecond
	return strike{name: "Redis frozen", run: func(ctx context.Context) error {
		resume := s.Pause()
		pause(ctx, d)
		resume()
		return t.whole()
	}}, true
}

// whole waits until the servers are one again.
func (t *Torture) whole() error {
	if t.opts.Topology == Single {
		return nil
	}
	return t.set.AwaitReady()
}

// drawRestart ends the server and starts it again: empty, or with what it knew a while
// ago.
func (t *Torture) drawRestart(rng *rand.Rand) (strike, bool) {
	s := t.set.Servers[0]
	d := time.Duration(rng.IntN(800)) * time.Millisecond
	if rng.IntN(2) == 0 {
		return strike{name: "Redis restarted, empty", run: func(ctx context.Context) error {
			s.Stop()
			if err := s.Forget(); err != nil {
				return err
			}
			pause(ctx, d)
			return s.Run()
		}}, true
	}
	return strike{name: "Redis restarted with an old snapshot", run: func(ctx context.Context) error {
		_, err := s.Do("SAVE")
		pause(ctx, time.Second)
		s.Stop()
		return firstError(s.Run(), err)
	}}, true
}

// drawFailover promotes a replica of a cluster: as planned, by force, or because its
// master has died.
func (t *Torture) drawFailover(rng *rand.Rand) (strike, bool) {
	if rng.IntN(2) == 0 {
		masters := t.set.Masters()
		if len(masters) == 0 {
			return strike{}, false
		}
		return t.death(masters[rng.IntN(len(masters))]), true
	}
	replicas := t.set.Replicas()
	if len(replicas) == 0 {
		return strike{}, false
	}
	s, how := replicas[rng.IntN(len(replicas))], []string{"", "FORCE", "TAKEOVER"}[rng.IntN(3)]
	return strike{name: strings.TrimSpace("CLUSTER FAILOVER " + how), run: func(ctx context.Context) error {
		args := []string{"CLUSTER", "FAILOVER"}
		if how != "" {
			args = append(args, how)
		}
		_, err := s.Do(args...)
		pause(ctx, time.Second)
		return firstError(t.whole(), err)
	}}, true
}

// death kills a master for longer than it takes to be given up.
func (t *Torture) death(s *redisserver.Server) strike {
	return strike{name: "master killed", run: func(ctx context.Context) error {
		s.Stop()
		pause(ctx, 4500*time.Millisecond)
		return firstError(s.Run(), t.whole())
	}}
}

// drawReshard moves the slot of a key to another master, there and back.
func (t *Torture) drawReshard(rng *rand.Rand) (strike, bool) {
	space, n := rng.IntN(spaces), rng.IntN(keysEach)
	key := t.config(0).options(space).Namespace + ":" + fmt.Sprint(n)
	if rng.IntN(4) == 0 {
		key = "~tag:" + t.prefix + "-" + tagAll
	}
	return strike{name: "slot moved", run: func(context.Context) error {
		for range 4 {
			from, slot, err := t.set.Owner(key)
			if err != nil {
				return err
			}
			for _, to := range t.set.Masters() {
				if to != from {
					if err := t.set.MoveSlot(slot, from, to); err != nil {
						return err
					}
					break
				}
			}
		}
		return nil
	}}, true
}

// drawPromotion makes the sentinels promote a replica.
func (t *Torture) drawPromotion(rng *rand.Rand) (strike, bool) {
	if masters := t.set.Masters(); len(masters) == 1 && rng.IntN(2) == 0 {
		return t.death(masters[0]), true
	}
	s := t.set.Sentinels[rng.IntN(len(t.set.Sentinels))]
	return strike{name: "SENTINEL FAILOVER", run: func(ctx context.Context) error {
		_, err := s.Do("SENTINEL", "FAILOVER", redisserver.MasterName)
		pause(ctx, 3*time.Second)
		return firstError(t.whole(), err)
	}}, true
}
