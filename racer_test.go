package larder_test

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/larder-go/larder"
	"github.com/larder-go/larder/conn"
	"github.com/larder-go/larder/redisconn"
)

// racer is one of the two processes of a race. The source that they share is in
// Redis, outside the caches' namespaces.
type racer struct {
	conn conn.Conn
	near *larder.Cache[string, int64] // has an L1
	far  *larder.Cache[string, int64] // asks Redis each time
}

func openRacer(ctx context.Context, url string) (*racer, error) {
	c, err := redisconn.Open(ctx, url, redisconn.Options{SilenceTimeout: 10 * time.Second})
	if err != nil {
		return nil, err
	}
	r := &racer{conn: c}
	o := larder.Options[string, int64]{
		Namespace: "race", TTL: time.Hour, CacheTimeout: 10 * time.Second,
		Tags: func(key string) []string { return []string{laneTag(key)} },
		Load: r.load,
	}
	if r.near, err = larder.New(c, o); err == nil {
		o.L1MaxBytes = -1
		r.far, err = larder.New(c, o)
	}
	if err != nil {
		_ = c.Close()
		return nil, err
	}
	return r, nil
}

// laneTag is the tag of a key "lane/number".
func laneTag(key string) string {
	lane, _, _ := strings.Cut(key, "/")
	return "lane-" + lane
}

func (r *racer) close() error {
	return errors.Join(r.near.Close(), r.far.Close(), r.conn.Close())
}

// load takes its time after it has read, so that the other's change overtakes it.
func (r *racer) load(ctx context.Context, key string) (int64, error) {
	v, err := r.conn.Do(ctx, conn.Key("GET", "source:"+key))
	if err != nil || v.Str == "" {
		return 0, err
	}
	if rand.IntN(2) == 0 {
		pause(ctx, time.Millisecond)
	}
	return v.Int64()
}

// pause is up to d long.
func pause(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(rand.N(max(d, 1)))
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}

// change makes a new version of a key, within d from now, and invalidates the old
// one. It returns an error if this process sees an older one afterwards.
func (r *racer) change(ctx context.Context, key string, byTag bool, d time.Duration) (version int64, acknowledged time.Time, err error) {
	pause(ctx, d)
	v, err := r.conn.Do(ctx, conn.Key("INCR", "source:"+key))
	if err != nil {
		return 0, time.Time{}, err
	}
	if byTag {
		err = r.near.InvalidateTags(ctx, laneTag(key))
	} else {
		err = r.near.Invalidate(ctx, key)
	}
	acknowledged = time.Now()
	if err != nil {
		return 0, time.Time{}, err
	}
	for name, cache := range map[string]*larder.Cache[string, int64]{"L1": r.near, "Redis": r.far} {
		if got, err := cache.Get(ctx, key); err != nil || got < v.Int {
			return 0, time.Time{}, fmt.Errorf("%s: the process that invalidated what is older than %d got %d over %s, %w", key, v.Int, got, name, err)
		}
	}
	return v.Int, acknowledged, nil
}

// witness looks at a key that the other process has changed: how long, from now
// on, does this one's memory have an older version? Redis must not have one, but
// where a tag was invalidated its generation may be remembered for as long.
func (r *racer) witness(ctx context.Context, key string, version int64, byTag bool) (stale time.Duration, err error) {
	from := time.Now()
	for _, cache := range []*larder.Cache[string, int64]{r.far, r.near} {
		for {
			start := time.Now()
			got, err := cache.Get(ctx, key)
			if err != nil {
				return 0, err
			}
			if got >= version {
				break
			}
			if cache == r.far && !byTag {
				return 0, fmt.Errorf("%s: version %d from Redis, after %d was acknowledged", key, got, version)
			}
			if stale = max(stale, time.Nanosecond, start.Sub(from)); stale > 2*bound {
				return stale, nil // enough for a verdict
			}
		}
	}
	return stale, nil
}

// order is what one process asks of the other.
type order struct {
	ID      int
	Do      string // "open", "load", "change" or "witness"
	Key     string // for "open" the URL
	Version int64
	ByTag   bool
	Within  time.Duration // of change
}

// answered is what it answers.
type answered struct {
	ID      int
	Version int64         // that was loaded, or made
	Stale   time.Duration // of witness
	Err     string
}

// runRacer is the main function of the second process: it does what the lines on
// its input say, at the same time, until that ends.
func runRacer(in io.Reader, out io.Writer) int {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	var (
		r      *racer
		mu     sync.Mutex // protects out
		orders sync.WaitGroup
		lines  = json.NewDecoder(bufio.NewReader(in))
	)
	reply := func(a answered, err error) {
		if err != nil {
			a.Err = err.Error()
		}
		mu.Lock()
		defer mu.Unlock()
		_ = json.NewEncoder(out).Encode(a) // nobody listens: the input ends too
	}
	for {
		var o order
		if err := lines.Decode(&o); err != nil {
			break
		}
		if o.Do == "open" {
			var err error
			r, err = openRacer(ctx, o.Key)
			reply(answered{ID: o.ID}, err)
			if err != nil {
				return 1
			}
			continue
		}
		orders.Go(func() {
			a := answered{ID: o.ID}
			var err error
			switch o.Do {
			case "load":
				a.Version, err = r.near.Get(ctx, o.Key)
			case "change":
				a.Version, _, err = r.change(ctx, o.Key, o.ByTag, o.Within)
			case "witness":
				a.Stale, err = r.witness(ctx, o.Key, o.Version, o.ByTag)
			}
			reply(a, err)
		})
	}
	cancel()
	orders.Wait()
	if r != nil {
		if err := r.close(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
	}
	return 0
}

// remote is the second process as the first one sees it.
type remote struct {
	mu      sync.Mutex // protects in, waiting and last
	in      *json.Encoder
	waiting map[int]chan answered
	last    int
	gone    chan struct{} // closed when the process has ended
}

func newRemote(in io.Writer, out io.Reader) *remote {
	r := &remote{in: json.NewEncoder(in), waiting: map[int]chan answered{}, gone: make(chan struct{})}
	go func() { // ends with the process
		defer close(r.gone)
		lines := json.NewDecoder(bufio.NewReader(out))
		for {
			var a answered
			if err := lines.Decode(&a); err != nil {
				return
			}
			r.mu.Lock()
			ch := r.waiting[a.ID]
			delete(r.waiting, a.ID)
			r.mu.Unlock()
			ch <- a
		}
	}()
	return r
}

// start gives an order; the answer comes over the channel.
func (r *remote) start(o order) (<-chan answered, error) {
	ch := make(chan answered, 1)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.last++
	o.ID = r.last
	r.waiting[o.ID] = ch
	return ch, r.in.Encode(o)
}

// do gives an order and waits for the answer.
func (r *remote) do(ctx context.Context, o order) (answered, error) {
	ch, err := r.start(o)
	if err != nil {
		return answered{}, err
	}
	return r.await(ctx, ch)
}

func (r *remote) await(ctx context.Context, ch <-chan answered) (answered, error) {
	select {
	case a := <-ch:
		if a.Err != "" {
			return a, errors.New("the second process: " + a.Err)
		}
		return a, nil
	case <-r.gone:
		return answered{}, errors.New("the second process has ended")
	case <-ctx.Done():
		return answered{}, ctx.Err()
	}
}
