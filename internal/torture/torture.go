package torture

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/url"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/larder-go/larder/conn"
	"github.com/larder-go/larder/embedded"
	"github.com/larder-go/larder/internal/faultproxy"
	"github.com/larder-go/larder/internal/mutation"
	"github.com/larder-go/larder/internal/redisserver"
	"github.com/larder-go/larder/redisconn"
)

// Torture is one run.
type Torture struct {
	opts   Options
	prefix string
	url    string

	set    *redisserver.Set // servers of its own, or nil
	engine *embedded.Engine // likewise
	direct conn.Conn        // without a proxy between
	source *source
	check  *checker

	struck map[string]int // by strikes alone

	mu      sync.Mutex // protects the following
	members []*member
	proxies map[int]map[string]*faultproxy.Proxy // by process and the address behind
	next    int
	killed  int
	notes   []string
}

// New starts what is tortured.
func New(ctx context.Context, o Options) (_ *Torture, err error) {
	if o, err = o.withDefaults(); err != nil {
		return nil, err
	}
	t := &Torture{
		opts: o, prefix: "torture-" + strconv.FormatUint(rand.Uint64(), 36),
		struck: map[string]int{}, proxies: map[int]map[string]*faultproxy.Proxy{},
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, t.Close())
		}
	}()
	t.opts.Progress("starting the servers", 0, 0)
	if err := t.servers(ctx); err != nil {
		return nil, err
	}
	// What is sent to one node after the other is seen by others in between.
	l := limits{others: stalenessBound, settle: 2 * time.Second}
	if t.opts.Topology != Single { // a partition is noticed when the nodes notice it
		l = limits{others: stalenessBound + 2*redisserver.NodeTimeout, settle: 8 * time.Second}
	}
	t.check = newChecker(l)
	if t.source, err = openSource(ctx, t.check.begun, t.check.written); err != nil {
		return nil, err
	}
	return t, nil
}

// servers starts or opens what is under the caches.
func (t *Torture) servers(ctx context.Context) (err error) {
	switch {
	case t.opts.Redis != "":
		t.url = t.opts.Redis
	case t.opts.Embedded || !redisserver.Available():
		if !t.opts.Embedded {
			t.note("there is no redis-server on the PATH: this is the embedded engine in one process, with the faults that fit")
		}
		t.opts.Embedded, t.opts.Child = true, nil
		if t.engine, err = embedded.New(embedded.Options{}); err != nil {
			return err
		}
		t.direct = t.engine.Connect()
		return nil
	case t.opts.Topology == Cluster:
		t.set, err = redisserver.StartCluster(ctx, 3, 1)
	case t.opts.Topology == Sentinel:
		t.set, err = redisserver.StartSentinel(ctx, 2)
	default:
		t.set, err = redisserver.StartOne(ctx)
	}
	if err != nil {
		return err
	}
	if t.set != nil {
		t.url = t.set.URL
	}
	if len(t.opts.Child) == 0 {
		return &OptionError{"Child", "empty", "the command of a process, where there is a Redis server"}
	}
	t.direct, err = redisconn.Open(ctx, t.url, redisconn.Options{ReadWires: 1})
	return err
}

// note is something to say in the report.
func (t *Torture) note(format string, args ...any) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.notes) < 20 {
		t.notes = append(t.notes, fmt.Sprintf(format, args...))
	}
}

// behind are the addresses that processes connect to, as far as they can be told.
func (t *Torture) behind() (addrs []string) {
	if t.set != nil {
		for _, s := range append(slices.Clip(t.set.Servers), t.set.Sentinels...) {
			addrs = append(addrs, s.Addr())
		}
		return addrs
	}
	if u, err := url.Parse(t.url); err == nil && (u.Scheme == "redis" || u.Scheme == "valkey") {
		addr := u.Host
		if u.Port() == "" {
			addr += ":6379"
		}
		return []string{addr}
	}
	return nil
}

// config is what a process is started with.
func (t *Torture) config(proc int) config {
	c := config{
		Proc: proc, Seed: t.opts.Seed, Prefix: t.prefix, URL: t.url, Proxies: map[string]string{},
		Cluster: t.opts.Topology == Cluster,
	}
	if t.source != nil {
		c.Source = t.source.ln.Addr().String()
	}
	return c
}

// add starts a process.
func (t *Torture) add(ctx context.Context) error {
	t.mu.Lock()
	t.next++
	proc := t.next
	t.mu.Unlock()
	cfg := t.config(proc)
	var m *member
	var err error
	if t.engine != nil {
		m = inside(ctx, t.engine, cfg, t.check.hear)
	} else {
		own := map[string]*faultproxy.Proxy{}
		for i, addr := range t.behind() {
			p, err := faultproxy.Open(ctx, faultproxy.Options{Target: addr, Seed: t.opts.Seed<<16 + uint64(proc)<<8 + uint64(i)})
			if err != nil {
				return err
			}
			own[addr], cfg.Proxies[addr] = p, p.Addr()
		}
		t.mu.Lock()
		t.proxies[proc] = own
		t.mu.Unlock()
		if m, err = spawn(t.opts.Child, cfg, t.check.hear); err != nil {
			return err
		}
	}
	t.mu.Lock()
	t.members = append(t.members, m)
	t.mu.Unlock()
	return m.await(ctx)
}

// replace starts a process in the place of one that has died.
func (t *Torture) replace(ctx context.Context) error {
	if ctx.Err() != nil {
		return nil
	}
	return t.add(ctx)
}

// bury takes a process off that has ended.
func (t *Torture) bury(m *member) {
	t.source.abandon(m.proc)
	t.check.died(m.proc)
	t.mu.Lock()
	defer t.mu.Unlock()
	t.killed++
	for i, x := range t.members {
		if x == m {
			t.members = append(t.members[:i:i], t.members[i+1:]...)
			break
		}
	}
}

// alive are the numbers of the processes.
func (t *Torture) alive() (procs []int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, m := range t.members {
		procs = append(procs, m.proc)
	}
	return procs
}

// any is one of the processes.
func (t *Torture) any(rng *rand.Rand) *member {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.members) == 0 {
		return nil
	}
	return t.members[rng.IntN(len(t.members))]
}

func (t *Torture) proxiesOf(proc int) map[string]*faultproxy.Proxy {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.proxies[proc]
}

// Run tortures, lets all settle, and judges. It ends early, with what it has found so
// far, if ctx ends.
func (t *Torture) Run(ctx context.Context) (*Report, error) {
	t.opts.Progress("starting the processes", 0, 0)
	for range t.opts.Processes {
		if err := t.add(ctx); err != nil {
			return nil, err
		}
	}
	start := time.Now()
	limited, cancel := context.WithTimeout(ctx, t.opts.For)
	defer cancel()
	var work sync.WaitGroup
	done := make(chan struct{})
	work.Go(func() { t.supervise(done, start) })
	work.Go(func() {
		watchStalls(done, func(begin, end int64) { t.check.hear(batch{Stalls: []Stall{{parentProc, begin, end}}}) })
	})
	t.strikes(limited, rand.New(rand.NewPCG(t.opts.Seed, 0x5741)))
	took := time.Since(start)
	t.opts.Progress("settling", 0, 0)
	err := t.settle(ctx)
	close(done)
	work.Wait()
	if err != nil {
		return nil, err
	}
	t.check.judge(true)
	keys, err := t.expiry(ctx)
	if err != nil {
		return nil, err
	}
	t.note("%d keys were left, each looked at for its expiry", keys)
	r := &Report{
		Seed: t.opts.Seed, Seconds: float64(took.Round(time.Millisecond)) / 1e9, Topology: t.opts.Topology, Processes: t.opts.Processes,
		Mutation: mutation.Planted(), ByFault: t.struck, Faults: sum(t.struck), Touched: map[string]int{}, Killed: t.killed, Notes: t.notes,
	}
	caps := t.direct.Capabilities()
	r.Server = caps.Server + " " + caps.Version
	for _, own := range t.proxies {
		for _, p := range own {
			for k, n := range p.Touched() {
				r.Touched[k.String()] += n
			}
		}
	}
	r.fill(t.check)
	return r, nil
}

// supervise judges as time passes, and looks for processes that died unasked.
func (t *Torture) supervise(done <-chan struct{}, start time.Time) {
	tick := time.NewTicker(250 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-done:
			return
		case <-tick.C:
		}
		t.check.judge(false)
		t.mu.Lock()
		for _, m := range t.members {
			select {
			case <-m.gone:
				if !m.ending.Load() && !m.doomed.Swap(true) {
					t.check.diedUnasked(m.proc, m.exit)
				}
			default:
			}
		}
		t.mu.Unlock()
		t.opts.Progress("torturing, seconds", min(int(time.Since(start).Seconds()), int(t.opts.For.Seconds())), int(t.opts.For.Seconds()))
	}
}

// settle ends the faults, waits for what is pending, lets everybody read once more,
// and ends the processes.
func (t *Torture) settle(ctx context.Context) error {
	t.mu.Lock()
	members := append([]*member{}, t.members...)
	t.mu.Unlock()
	for _, m := range members {
		m.order(order{Quiet: true})
	}
	if t.set != nil {
		if err := t.set.AwaitReady(); err != nil {
			return fmt.Errorf("torture: the servers do not come back: %w", err)
		}
	}
	deadline := time.Now().Add(deliverAfter)
	for _, m := range members {
		for m.pending.Load() > 0 && time.Now().Before(deadline) && ctx.Err() == nil {
			pause(ctx, flushEvery)
		}
		if n := m.pending.Load(); n > 0 && !m.doomed.Load() && ctx.Err() == nil {
			t.check.undelivered(m.proc, int(n))
		}
	}
	pause(ctx, 2*flushEvery+t.check.limits.others+2*clockMargin) // from here on nobody may be behind
	pause(ctx, 500*time.Millisecond)
	var all sync.WaitGroup
	for _, m := range members {
		all.Go(func() {
			if !m.close() && !m.doomed.Load() {
				t.check.hung(m.proc)
				return
			}
			if !m.doomed.Load() {
				t.check.left(m.proc, m.last.Left)
				if m.exit != nil {
					t.check.diedUnasked(m.proc, m.exit)
				}
			}
		})
	}
	all.Wait()
	return nil
}

// undelivered hears of a process that cannot deliver though Redis is there: P5.
func (c *checker) undelivered(proc, n int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.addLocked(Finding{Promise: "P5", What: fmt.Sprintf("process %d had %d invalidations pending %v after the last fault", proc, n, deliverAfter)}, now(), now(), -1)
}

// Close ends all processes and servers.
func (t *Torture) Close() error {
	t.mu.Lock()
	members, proxies := t.members, t.proxies
	t.mu.Unlock()
	for _, m := range members {
		if m.kill != nil {
			m.kill()
		} else {
			m.end()
		}
		<-m.gone
	}
	var errs []error
	for _, own := range proxies {
		for _, p := range own {
			_ = p.Close()
		}
	}
	if t.source != nil {
		t.source.close()
	}
	if t.direct != nil {
		if t.opts.Redis != "" {
			errs = append(errs, t.sweep(context.Background()))
		}
		_ = t.direct.Close()
	}
	if t.engine != nil {
		errs = append(errs, t.engine.Close())
	}
	if t.set != nil {
		errs = append(errs, t.set.Close())
	}
	return errors.Join(errs...)
}
