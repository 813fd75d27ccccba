package embedded

import (
	"container/heap"
	"time"
)

// deadlines knows when each key expires: by key, and the earliest first. Its
// size is the number of keys with an expiry, whatever happens to them.
type deadlines struct {
	byKey map[string]*deadline
	queue deadlineHeap
}

type deadline struct {
	key   string
	at    int64 // Unix nanoseconds
	index int   // in the heap
}

func (d *deadlines) len() int { return len(d.queue) }

// set records or changes the deadline of key.
func (d *deadlines) set(key string, at time.Time) {
	ns := at.UnixNano()
	if old := d.byKey[key]; old != nil {
		if old.at != ns {
			old.at = ns
			heap.Fix(&d.queue, old.index)
		}
		return
	}
	if d.byKey == nil {
		d.byKey = map[string]*deadline{}
	}
	entry := &deadline{key: key, at: ns}
	d.byKey[key] = entry
	heap.Push(&d.queue, entry)
}

func (d *deadlines) remove(key string) {
	if entry := d.byKey[key]; entry != nil {
		delete(d.byKey, key)
		heap.Remove(&d.queue, entry.index)
	}
}

// left returns the rest of key's life at now, and whether it has a deadline.
func (d *deadlines) left(key string, now time.Time) (time.Duration, bool) {
	if len(d.queue) == 0 {
		return 0, false
	}
	entry := d.byKey[key]
	if entry == nil {
		return 0, false
	}
	return time.Duration(entry.at - now.UnixNano()), true
}

// next returns the earliest deadline.
func (d *deadlines) next() (key string, at int64, ok bool) {
	if len(d.queue) == 0 {
		return "", 0, false
	}
	return d.queue[0].key, d.queue[0].at, true
}

type deadlineHeap []*deadline

func (h deadlineHeap) Len() int           { return len(h) }
func (h deadlineHeap) Less(i, j int) bool { return h[i].at < h[j].at }
func (h deadlineHeap) Swap(i, j int) {
	h[i], h[j] = h[j], h[i]
	h[i].index, h[j].index = i, j
}

func (h *deadlineHeap) Push(x any) {
	entry, _ := x.(*deadline)
	entry.index = len(*h)
	*h = append(*h, entry)
}

func (h *deadlineHeap) Pop() any {
	old := *h
	last := old[len(old)-1]
	old[len(old)-1] = nil
	*h = old[:len(old)-1]
	return last
}
