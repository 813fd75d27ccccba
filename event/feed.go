package event

import (
	"context"
	"sync"
	"time"
)

// feed is what one subscriber has still to get. The pump pushes, next takes.
//
// The feed of a durable topic may be behind: the pump does not push then, and next
// reads the stream from cursor on until it has caught up with the pump.
type feed struct {
	pump *pump
	turn chan struct{} // held by the one who is in next
	wake chan struct{} // something has come; has room for one
	room chan struct{} // something has been taken; has room for one
	done chan struct{} // closed by end

	mu     sync.Mutex // protects the following; taken after the hub's
	queue  ring
	tail   GapError // missing after the last item
	behind bool
	start  bool     // behind, and has not read yet: nothing before cursor is missing
	cursor streamID // durable: of the last message in the queue, or taken from it
	ended  error
}

// item is a message, and what is missing before it.
type item struct {
	received
	gap GapError
}

func newFeed(p *pump) *feed {
	return &feed{
		pump: p, turn: make(chan struct{}, 1), wake: make(chan struct{}, 1),
		room: make(chan struct{}, 1), done: make(chan struct{}),
	}
}

// add joins two gaps that follow each other.
func (g GapError) add(h GapError) GapError {
	switch {
	case g.Reason == "":
		return h
	case h.Reason == "":
		return g
	}
	g.Missed += h.Missed
	if g.Reason == Slow {
		g.Reason = h.Reason // the worse one
	}
	return g
}

func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// push adds a message, or does what Options.Overflow says.
func (f *feed) push(ctx context.Context, r received) {
	o := f.pump.hub.opt
	f.mu.Lock()
	defer f.mu.Unlock()
	for {
		if f.ended != nil || o.Durable && (f.behind || r.id.compare(f.cursor) <= 0) {
			return
		}
		if f.queue.n < o.Buffer {
			f.appendLocked(r)
			return
		}
		switch o.Overflow {
		case DropOldest:
			gap := f.queue.pop().gap.add(GapError{Reason: Slow, Missed: 1})
			if f.queue.n > 0 {
				front := f.queue.front()
				front.gap = gap.add(front.gap)
			} else {
				f.tail = gap.add(f.tail)
			}
			f.pump.hub.dropped.Add(1)
		case DropNewest:
			f.tail = f.tail.add(GapError{Reason: Slow, Missed: 1})
			f.cursor = r.id
			f.pump.hub.dropped.Add(1)
			return
		default:
			if o.Durable {
				f.behind = true
				return
			}
			f.mu.Unlock()
			select {
			case <-f.room:
			case <-f.done:
			case <-ctx.Done():
				f.mu.Lock()
				return
			}
			f.mu.Lock()
		}
	}
}

func (f *feed) appendLocked(r received) {
	f.queue.push(item{r, f.tail})
	f.tail, f.cursor = GapError{}, r.id
	signal(f.wake)
}

// gap notes that messages may be missing. A feed that is behind finds out by itself
// whether the stream was trimmed.
func (f *feed) gap(g GapError) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if g.Reason == Trimmed && f.behind {
		return
	}
	f.tail = f.tail.add(g)
	signal(f.wake)
}

// rewind says that ids begin anew.
func (f *feed) rewind() {
	f.mu.Lock()
	defer f.mu.Unlock()
	if !f.behind {
		f.cursor = streamID{}
	}
}

// end lets next return err from now on.
func (f *feed) end(err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.ended == nil {
		f.ended, f.queue = err, ring{}
		close(f.done)
	}
}

// next waits for a message or a *GapError; any other error is the end, of the feed
// or of ctx.
func (f *feed) next(ctx context.Context) (received, error) {
	select {
	case f.turn <- struct{}{}:
		defer func() { <-f.turn }()
	case <-f.done:
		_, _, _, err := f.take()
		return received{}, err
	case <-ctx.Done():
		return received{}, ctx.Err()
	}
	for tries := 0; ; {
		r, behind, ok, err := f.take()
		if ok || err != nil {
			return r, err
		}
		if behind {
			if f.catchUp(ctx) == nil {
				tries = 0
				continue
			}
			if err := f.pause(ctx, backoff(tries)); err != nil {
				return received{}, err
			}
			tries++
			continue
		}
		select {
		case <-f.wake:
		case <-f.done:
		case <-ctx.Done():
			return received{}, ctx.Err()
		}
	}
}

// take returns what is there; otherwise ok is false.
func (f *feed) take() (r received, behind, ok bool, err error) {
	h := f.pump.hub
	f.mu.Lock()
	defer f.mu.Unlock()
	gap := &f.tail
	if f.queue.n > 0 {
		gap = &f.queue.front().gap
	}
	switch {
	case f.ended != nil:
		return r, false, false, f.ended
	case gap.Reason != "":
		g := *gap
		*gap = GapError{}
		h.gaps.Add(1)
		return r, false, false, &g
	case f.queue.n > 0:
		r = f.queue.pop().received
		signal(f.room)
		h.delivered.Add(1)
		return r, false, true, nil
	}
	return r, f.behind, false, nil
}

// catchUp reads from the stream what this feed has not. It is called by the one
// whose turn it is, with an empty queue; nobody else moves a feed that is behind.
func (f *feed) catchUp(ctx context.Context) error {
	h := f.pump.hub
	f.mu.Lock()
	cursor, start := f.cursor, f.start
	f.mu.Unlock()
	list, whole, err := h.read(ctx, cursor)
	if err != nil {
		return err
	}
	h.catchUps.Add(1)
	rewound := false
	if !whole && len(list) == 0 {
		tip, err := h.tip(ctx)
		if err != nil {
			return err
		}
		rewound = tip.compare(cursor) < 0
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.ended != nil {
		return nil
	}
	if !whole && (len(list) > 0 || rewound) || !whole && start {
		f.tail = f.tail.add(GapError{Reason: Trimmed})
	}
	f.start = false
	if rewound {
		f.cursor = streamID{}
	}
	for _, r := range list {
		f.appendLocked(r)
	}
	// From here on the pump pushes; what it has pushed before lies before cursor.
	f.behind = f.cursor.compare(f.pump.last) < 0
	return nil
}

// pause waits before the stream is read again.
func (f *feed) pause(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-f.done: // take says why
	case <-ctx.Done():
		return ctx.Err()
	}
	return nil
}

// ring is a queue that grows as it has to.
type ring struct {
	items   []item
	head, n int
}

func (q *ring) push(i item) {
	if q.n == len(q.items) {
		grown := make([]item, max(8, 2*q.n))
		for k := range q.n {
			grown[k] = q.items[(q.head+k)%len(q.items)]
		}
		q.items, q.head = grown, 0
	}
	q.items[(q.head+q.n)%len(q.items)] = i
	q.n++
}

func (q *ring) front() *item { return &q.items[q.head] }

func (q *ring) pop() item {
	i := q.items[q.head]
	q.items[q.head] = item{}
	q.head, q.n = (q.head+1)%len(q.items), q.n-1
	return i
}
