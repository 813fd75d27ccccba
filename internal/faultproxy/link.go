package faultproxy

import (
	"bufio"
	"net"
	"sync"
	"time"
)

// inFlight is how many frames or chunks one direction of a connection holds before
// its sender waits.
const inFlight = 256

// chunk is how much is read of requests at a time.
const chunk = 16 << 10

// link is one connection of a client, and the one to the server that belongs to it.
type link struct {
	p              *Proxy
	client, server net.Conn
	// over and lossy are protected by the proxy's mu. lossy: a push was dropped.
	over, lossy bool
}

// parcel is something under way, nil bytes for the end of the stream.
type parcel struct {
	bytes []byte
	due   time.Time // not before
	half  bool      // the connection ends in the middle of it
}

func (l *link) closeLocked() {
	if !l.over {
		l.over = true
		_ = l.client.Close()
		_ = l.server.Close()
	}
}

func (l *link) close() { l.p.change(l.closeLocked) }

// carryRequests brings what the client says to the server.
func (l *link) carryRequests() {
	l.carry(l.server, HoldRequests, func(send func(parcel)) {
		for {
			b := make([]byte, chunk)
			n, err := l.client.Read(b)
			if err != nil {
				return
			}
			send(parcel{bytes: b[:n]})
		}
	})
}

// carryReplies brings what the server says to the client, frame by frame.
func (l *link) carryReplies() {
	l.carry(l.client, HoldReplies, func(send func(parcel)) {
		r := bufio.NewReaderSize(l.server, maxLine)
		for {
			f, err := readFrame(r)
			if err != nil {
				return
			}
			if p, ok := l.befall(f); ok {
				send(p)
			}
		}
	})
}

// befall draws what happens to a frame; false means that it is lost.
func (l *link) befall(f frame) (parcel, bool) {
	p := l.p
	p.mu.Lock()
	defer p.mu.Unlock()
	out := parcel{bytes: f.bytes}
	delay := DelayReplies
	if f.push {
		delay = DelayPushes
		if p.drawLocked(DropPushes) != nil {
			l.lossy = true
			return out, false
		}
	} else {
		out.half = p.drawLocked(CutReply) != nil
	}
	if f := p.drawLocked(delay); f != nil && f.By > 0 {
		out.due = time.Now().Add(time.Duration(p.rng.Int64N(int64(f.By))))
	}
	return out, true
}

// carry runs read, and writes what it sends in order, as late as it is due, and not
// while a fault of kind hold is in force. It returns when the connection has ended.
func (l *link) carry(to net.Conn, hold Kind, read func(send func(parcel))) {
	queue := make(chan parcel, inFlight)
	var reading sync.WaitGroup
	reading.Go(func() {
		defer close(queue)
		read(func(p parcel) { queue <- p })
	})
	w := bufio.NewWriterSize(to, chunk)
	for p := range queue {
		if !l.await(w, p.due, hold) {
			break
		}
		if p.half {
			_, _ = w.Write(p.bytes[:len(p.bytes)/2])
			_ = w.Flush()
			break
		}
		if _, err := w.Write(p.bytes); err != nil {
			break
		}
		if len(queue) == 0 && w.Flush() != nil {
			break
		}
	}
	_ = w.Flush()
	l.close()
	for range queue { // the reader may be waiting to send
	}
	reading.Wait()
}

// await waits until something is due and no fault holds it, and tells whether the
// connection is still there then. What was written before is sent before it waits.
func (l *link) await(w *bufio.Writer, due time.Time, hold Kind) bool {
	p := l.p
	p.mu.Lock()
	defer p.mu.Unlock()
	waits := func() bool { return !l.over && (p.faultLocked(hold) != nil || time.Now().Before(due)) }
	if !waits() {
		return !l.over
	}
	if p.faultLocked(hold) != nil {
		p.touched[hold]++
	}
	p.mu.Unlock()
	err := w.Flush()
	p.mu.Lock()
	if left := time.Until(due); left > 0 {
		timer := time.AfterFunc(left, func() { p.change(func() {}) })
		defer timer.Stop()
	}
	for err == nil && waits() {
		p.cond.Wait()
	}
	return err == nil && !l.over
}
