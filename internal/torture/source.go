package torture

import (
	"context"
	"encoding/gob"
	"errors"
	"fmt"
	"net"
	"slices"
	"sync"
	"time"
)

// intent is a write that has begun, and what it has committed. It is told to the
// source before anything else is done, so that it is known of even if its process dies.
type intent struct {
	ID    uint64
	Proc  int
	Kind  Kind
	Keys  []int
	Begun int64
}

// request is what a process asks of the source.
type request struct {
	Begin  *intent
	Read   bool // of Keys[0]
	Commit uint64
	Keys   []int
	End    uint64 // of the write with this number
}

// source holds the truth: a version for each key.
type source struct {
	ln      net.Listener
	work    sync.WaitGroup
	begun   func(intent)
	written func(id uint64, keys []int, versions []int64)

	mu       sync.Mutex // protects the following
	versions [allKeys]int64
	conns    map[net.Conn]struct{}
	closed   bool
	// open are the writes that have begun and not ended.
	open map[uint64]intent
}

func openSource(ctx context.Context, begun func(intent), written func(uint64, []int, []int64)) (*source, error) {
	ln, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("torture: source: %w", err)
	}
	s := &source{ln: ln, begun: begun, written: written, conns: map[net.Conn]struct{}{}, open: map[uint64]intent{}}
	for key := range s.versions {
		s.versions[key] = 1
	}
	s.work.Go(s.accept)
	return s, nil
}

func (s *source) accept() {
	for {
		c, err := s.ln.Accept()
		if err != nil {
			return
		}
		s.mu.Lock()
		if s.closed {
			_ = c.Close()
		} else {
			s.conns[c] = struct{}{}
			s.work.Go(func() { s.serve(c) })
		}
		s.mu.Unlock()
	}
}

func (s *source) serve(c net.Conn) {
	defer func() {
		_ = c.Close()
		s.mu.Lock()
		delete(s.conns, c)
		s.mu.Unlock()
	}()
	in, out := gob.NewDecoder(c), gob.NewEncoder(c)
	for {
		var r request
		if in.Decode(&r) != nil {
			return
		}
		if out.Encode(s.answer(r)) != nil {
			return
		}
	}
}

func (s *source) answer(r request) []int64 {
	switch {
	case r.Begin != nil:
		if !s.begin(*r.Begin) {
			return []int64{1}
		}
		s.begun(*r.Begin)
		return []int64{0}
	case r.End != 0:
		s.mu.Lock()
		defer s.mu.Unlock()
		delete(s.open, r.End)
		return []int64{0}
	case r.Read:
		s.mu.Lock()
		defer s.mu.Unlock()
		return []int64{s.versions[r.Keys[0]]}
	}
	s.mu.Lock()
	versions := make([]int64, len(r.Keys))
	for i, key := range r.Keys {
		s.versions[key]++
		versions[i] = s.versions[key]
	}
	s.mu.Unlock()
	s.written(r.Commit, r.Keys, versions)
	return versions
}

// begin lets a write begin, unless it or another one on its keys is a Set: which of
// two writers is the later one only the source knows, so nothing is promised there.
func (s *source) begin(in intent) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, other := range s.open {
		if (in.Kind == Set || other.Kind == Set) && meet(in.Keys, other.Keys) {
			return false
		}
	}
	s.open[in.ID] = in
	return true
}

// abandon ends the writes of a process that has died.
func (s *source) abandon(proc int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for id, in := range s.open {
		if in.Proc == proc {
			delete(s.open, id)
		}
	}
}

// meet tells whether two lists have a key in common.
func meet(a, b []int) bool {
	return slices.ContainsFunc(a, func(key int) bool { return slices.Contains(b, key) })
}

func (s *source) close() {
	_ = s.ln.Close()
	s.mu.Lock()
	s.closed = true
	for c := range s.conns {
		_ = c.Close()
	}
	s.mu.Unlock()
	s.work.Wait()
}

// sourceTimeout bounds one request: the source is gone when the torture is.
const sourceTimeout = 20 * time.Second

var errSourceGone = errors.New("torture: the source is gone")

// client is the source as a process sees it.
type client struct {
	addr string
	idle chan *wire
}

type wire struct {
	net.Conn
	in  *gob.Decoder
	out *gob.Encoder
}

func dialSource(addr string) *client { return &client{addr: addr, idle: make(chan *wire, 64)} }

func (c *client) ask(ctx context.Context, r request) ([]int64, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	var w *wire
	select {
	case w = <-c.idle:
	default:
		n, err := (&net.Dialer{Timeout: sourceTimeout}).DialContext(ctx, "tcp", c.addr)
		if err != nil {
			return nil, errors.Join(errSourceGone, err)
		}
		w = &wire{n, gob.NewDecoder(n), gob.NewEncoder(n)}
	}
	_ = w.SetDeadline(time.Now().Add(sourceTimeout))
	var answer []int64
	err := w.out.Encode(r)
	if err == nil {
		err = w.in.Decode(&answer)
	}
	if err != nil {
		_ = w.Close()
		return nil, errors.Join(errSourceGone, err)
	}
	select {
	case c.idle <- w:
	default:
		_ = w.Close()
	}
	return answer, nil
}

func (c *client) close() {
	for {
		select {
		case w := <-c.idle:
			_ = w.Close()
		default:
			return
		}
	}
}
