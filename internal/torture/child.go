package torture

import (
	"context"
	"encoding/gob"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"runtime"
	"strings"
	"sync"
	"time"

	"github.com/larder-go/larder/conn"
	"github.com/larder-go/larder/internal/wall"
	"github.com/larder-go/larder/redisconn"
)

// config is what a process is started with. It goes over standard input, for a URL
// may hold a password.
type config struct {
	Proc    int
	Seed    uint64
	Prefix  string
	URL     string
	Source  string            // the address of the source
	Proxies map[string]string // the address to dial in place of one
	Cluster bool
}

// order is what a process is told while it runs.
type order struct {
	Config *config
	DieAt  string        // die at the next step of this name
	Skew   time.Duration // set the wall clock wrong by this
	Clock  bool          // Skew is set
	Quiet  bool          // write no more
}

const (
	flushEvery  = 20 * time.Millisecond
	stallTick   = 5 * time.Millisecond
	stallFrom   = 15 * time.Millisecond // later than this is a stall
	dialTimeout = 2 * time.Second
)

// RunProcess is the main function of a process under torture. It gets orders on in,
// and reports on out, until in ends.
func RunProcess(ctx context.Context, in io.Reader, out io.Writer) error {
	return runProcess(ctx, in, out, killSelf, func(ctx context.Context, cfg config) (conn.Conn, error) {
		var d net.Dialer
		return redisconn.Open(ctx, cfg.URL, redisconn.Options{
			DialTimeout: dialTimeout,
			Dial: func(ctx context.Context, network, addr string) (net.Conn, error) {
				if through, ok := cfg.Proxies[addr]; ok {
					addr = through
				}
				return d.DialContext(ctx, network, addr)
			},
		})
	})
}

func runProcess(ctx context.Context, in io.Reader, out io.Writer, kill func(), open func(context.Context, config) (conn.Conn, error)) error {
	orders := gob.NewDecoder(in)
	var first order
	if err := orders.Decode(&first); err != nil || first.Config == nil {
		return fmt.Errorf("torture: the first order is no configuration: %w", err)
	}
	cfg := *first.Config
	before := runtime.NumGoroutine()
	p := &proc{
		cfg: cfg, source: dialSource(cfg.Source), out: newRecorder(out), kill: kill,
		rng: rand.New(rand.NewPCG(cfg.Seed, uint64(cfg.Proc))),
	}
	err := p.start(ctx, open)
	if err != nil {
		_ = p.close()
		p.out.send(batch{Ready: true, Error: err.Error()})
		return err
	}
	p.out.send(batch{Ready: true})
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	var work, watch sync.WaitGroup
	watching := make(chan struct{})
	watch.Go(func() { p.watch(watching) })
	watch.Go(func() { p.stalls(watching) })
	for i := range readers + writers {
		rng := rand.New(rand.NewPCG(cfg.Seed, uint64(cfg.Proc)<<16|uint64(i)))
		work.Go(func() {
			for ctx.Err() == nil {
				if i < readers {
					p.read(ctx, rng)
					pause(ctx, time.Duration(rng.IntN(4000))*time.Microsecond)
				} else {
					if !p.quiet.Load() {
						p.write(ctx, rng)
					}
					pause(ctx, time.Duration(rng.IntN(40))*time.Millisecond)
				}
			}
		})
	}
	for {
		var o order
		if orders.Decode(&o) != nil {
			break
		}
		if o.DieAt != "" {
			p.dieAt.Store(&o.DieAt)
		}
		if o.Clock {
			wall.Skew(o.Skew)
		}
		if o.Quiet {
			p.quiet.Store(true)
		}
	}
	stop()
	work.Wait()
	close(watching)
	watch.Wait()
	last := batch{Ended: true}
	if err := p.close(); err != nil {
		last.Error = err.Error()
	}
	if kill != nil { // else they are those of others too
		last.Left = leftOver(before)
	}
	p.out.flush()
	p.out.send(last)
	return nil
}

// leftOver waits for goroutines to end and tells how many have not. Some of the
// cluster client's outlast its Close by some seconds.
func leftOver(before int) int {
	for end := time.Now().Add(10 * time.Second); ; {
		left := runtime.NumGoroutine() - before
		if left <= 0 || time.Now().After(end) {
			return max(left, 0)
		}
		pause(context.Background(), 20*time.Millisecond)
	}
}

// start opens the connection, however often that takes: faults may be in force.
func (p *proc) start(ctx context.Context, open func(context.Context, config) (conn.Conn, error)) error {
	deadline := time.Now().Add(60 * time.Second)
	for {
		c, err := open(ctx, p.cfg)
		if err == nil {
			return p.open(c)
		}
		if ctx.Err() != nil || time.Now().After(deadline) || strings.Contains(err.Error(), "URL:") {
			return err
		}
		pause(ctx, 50*time.Millisecond)
	}
}

// watch reports the state of the process until done is closed.
func (p *proc) watch(done <-chan struct{}) {
	tick := time.NewTicker(flushEvery)
	defer tick.Stop()
	var history [50][spaces]uint64 // the L2Errors of the last second
	for n := 0; ; n++ {
		select {
		case <-done:
			return
		case <-tick.C:
		}
		s := Sample{Proc: p.cfg.Proc, At: now(), Goroutines: runtime.NumGoroutine()}
		for space, c := range p.caches {
			at := now()
			st := c.Stats()
			s.L1Bytes, s.Pending = max(s.L1Bytes, st.L1Bytes), s.Pending+st.Pending
			s.Reached += st.L2Hits + st.Fills
			if st.Pending == 0 {
				p.out.delivered(Delivered{Proc: p.cfg.Proc, Space: space, At: at})
			}
			p.errsBefore[space].Store(history[n%len(history)][space])
			history[n%len(history)][space] = st.L2Errors
		}
		if n%25 == 0 { // stops the world for a moment
			var m runtime.MemStats
			runtime.ReadMemStats(&m)
			s.Heap = m.HeapAlloc
		}
		p.out.sample(s)
		p.out.flush()
	}
}

// stalls measures for how long this process is not run.
func (p *proc) stalls(done <-chan struct{}) {
	watchStalls(done, func(begin, end int64) { p.out.stall(Stall{p.cfg.Proc, begin, end}) })
}

func watchStalls(done <-chan struct{}, stalled func(begin, end int64)) {
	tick := time.NewTicker(stallTick)
	defer tick.Stop()
	for last := now(); ; {
		select {
		case <-done:
			return
		case <-tick.C:
		}
		at := now()
		if at-last > int64(stallFrom) {
			stalled(last, at)
		}
		last = at
	}
}

// recorder sends what a process did to whoever judges it.
type recorder struct {
	mu  sync.Mutex // protects the following
	b   batch
	enc *gob.Encoder
	err error
}

func newRecorder(out io.Writer) *recorder { return &recorder{enc: gob.NewEncoder(out)} }

// maxBatch bounds what is recorded but not sent.
const maxBatch = 50_000

func (r *recorder) add(fn func(b *batch)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.b.Ops)+len(r.b.Loads) < maxBatch {
		fn(&r.b)
	}
}

func (r *recorder) op(o Op)       { r.add(func(b *batch) { b.Ops = append(b.Ops, o) }) }
func (r *recorder) load(l Load)   { r.add(func(b *batch) { b.Loads = append(b.Loads, l) }) }
func (r *recorder) stall(s Stall) { r.add(func(b *batch) { b.Stalls = append(b.Stalls, s) }) }

func (r *recorder) sample(s Sample) { r.add(func(b *batch) { b.Samples = append(b.Samples, s) }) }

func (r *recorder) delivered(d Delivered) {
	r.add(func(b *batch) { b.Delivered = append(b.Delivered, d) })
}

func (r *recorder) flush() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.b.empty() && r.err == nil {
		r.err = r.enc.Encode(r.b)
		r.b = batch{}
	}
}

func (r *recorder) send(b batch) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.err = errors.Join(r.err, r.enc.Encode(b))
}
