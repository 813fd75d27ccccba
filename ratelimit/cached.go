package ratelimit

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/larder-go/larder/conn"
)

// cached is the store of CachedFixedWindow: it decides in the process and tells
// Redis afterwards. What it tells is added to the count there whatever that is, since
// it has been allowed; the answer brings what other processes have allowed.
type cached struct {
	*redis
	max     int
	timeout time.Duration
	wake    chan struct{} // has room for one
	stop    chan struct{}
	done    chan struct{}

	mu    sync.Mutex // protects the following
	cells map[string]*cachedCell
	dirty map[string]*cachedCell // those with something unsent, by key
}

// cachedCell is one window of one identifier.
type cachedCell struct {
	bucket int64
	count  int64 // known of the window, unsent included
	unsent int64
}

// errUnsent is returned by Close.
var errUnsent = errors.New("some of what cached windows have allowed was not written")

func newCached(r *redis, o Options) *cached {
	s := &cached{
		redis: r, max: o.MaxLocal, timeout: o.Timeout,
		wake: make(chan struct{}, 1), stop: make(chan struct{}), done: make(chan struct{}),
		cells: map[string]*cachedCell{}, dirty: map[string]*cachedCell{},
	}
	go s.run()
	return s
}

func (s *cached) decide(ctx context.Context, q *query) (reply, error) {
	if _, known := s.counted(q); known && s.denying {
		// The window is known here, the deny list is not.
		if r, err := s.deniedThere(ctx, q); err != nil || r.verdict == denied {
			return r, err
		}
	}
	if r, ok := s.here(q); ok {
		return r, nil
	}
	r, err := s.redis.decide(ctx, q)
	if err == nil && r.verdict != denied {
		s.learn(q, r.x)
	}
	return r, err
}

// counted is the count of the window, if it has been asked for before.
func (s *cached) counted(q *query) (int64, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.cells[q.id]
	if c == nil || c.bucket != s.algorithm.bucket(q.now) {
		return 0, false
	}
	return c.count, true
}

func (s *cached) deniedThere(ctx context.Context, q *query) (reply, error) {
	values := q.deniable()
	v, err := s.c.Do(ctx, conn.Key("SMISMEMBER", s.denyList, values...))
	if err != nil {
		return reply{}, err
	}
	return lastDenied(v, s.algorithm.limit), nil
}

// here decides without Redis, where the window is known.
func (s *cached) here(q *query) (reply, bool) {
	b := s.algorithm.bucket(q.now)
	limit := s.algorithm.limit
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.cells[q.id]
	if c == nil || c.bucket != b {
		return reply{}, false
	}
	if q.cost > 0 && c.count+q.cost > limit {
		return reply{refused, limit, c.count, 0}, true
	}
	c.count += q.cost
	c.unsent += q.cost
	if q.cost != 0 {
		s.dirty[s.names.window(q.id, b)] = c
		s.rouse()
	}
	return reply{verdict(c.count <= limit), limit, c.count, 0}, true
}

// learn notes the count that Redis has answered. Answers may overtake each other,
// and what is unsent is in none of them.
func (s *cached) learn(q *query, used int64) {
	b := s.algorithm.bucket(q.now)
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.cells[q.id]
	switch {
	case c == nil && len(s.cells) >= s.max:
		s.makeRoomLocked(b)
		fallthrough
	case c == nil || c.bucket < b:
		s.cells[q.id] = &cachedCell{bucket: b, count: used}
	case c.bucket == b:
		c.count = max(c.count, used+c.unsent)
	}
}

// makeRoomLocked forgets past windows of a sample, or any one.
func (s *cached) makeRoomLocked(bucket int64) {
	const sample = 32
	seen, removed := 0, false
	var last string
	for id, c := range s.cells {
		if last = id; c.bucket < bucket {
			delete(s.cells, id)
			removed = true
		}
		if seen++; seen == sample {
			break
		}
	}
	if !removed {
		delete(s.cells, last)
	}
}

// forget is what Reset does here.
func (s *cached) forget(q *query) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.cells, q.id)
	for _, key := range s.all(q.id, q.now) {
		delete(s.dirty, key)
	}
}

// run writes what is unsent, until stop: while one round trip is under way the next
// gathers.
func (s *cached) run() {
	defer close(s.done)
	for {
		select {
		case <-s.stop:
			return
		case <-s.wake:
		}
		ctx, cancel := context.WithTimeout(context.Background(), s.timeout)
		ok := s.flush(ctx)
		cancel()
		if ok {
			continue
		}
		pause := time.NewTimer(s.timeout)
		select {
		case <-s.stop:
		case <-pause.C:
			s.rouse()
		}
		pause.Stop()
	}
}

func (s *cached) rouse() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// flush writes what is unsent and tells whether all of it is written.
func (s *cached) flush(ctx context.Context) bool {
	s.mu.Lock()
	dirty := s.dirty
	s.dirty = map[string]*cachedCell{}
	calls := make([]conn.ScriptCall, 0, len(dirty))
	cells := make([]*cachedCell, 0, len(dirty))
	sent := make([]int64, 0, len(dirty))
	for key, c := range dirty {
		calls = append(calls, conn.ScriptCall{Keys: []string{key}, Args: []string{number(c.unsent), s.redis.window}})
		cells, sent = append(cells, c), append(sent, c.unsent)
	}
	s.mu.Unlock()
	if len(calls) == 0 {
		return true
	}
	results := s.c.EvalEach(ctx, addScript, calls...)
	s.mu.Lock()
	defer s.mu.Unlock()
	all := true
	for i, r := range results {
		c := cells[i]
		if r.Err != nil {
			all = false
			// What failed on the way may have been counted: counting it again at worst
			// allows less, and never more.
			if len(s.dirty) < s.max {
				s.dirty[calls[i].Keys[0]] = c
			}
			continue
		}
		c.unsent -= sent[i]
		c.count = max(c.count, r.Value.Int+c.unsent)
	}
	return all
}

// close ends the goroutine and writes what is left.
func (s *cached) close(ctx context.Context) error {
	close(s.stop)
	<-s.done
	if !s.flush(ctx) {
		return errUnsent
	}
	return nil
}
