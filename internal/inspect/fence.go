package inspect

import (
	"encoding/binary"
	"fmt"
	"time"

	"github.com/larder-go/larder/internal/entry"
	"github.com/larder-go/larder/internal/lease"
)

// describeEmpty is describe for an entry without a value, which is called by what
// counts most in it: a barrier may have a tombstone under it, and a tombstone a
// lease.
func describeEmpty(d *Entry, s stored, e entry.Entry) {
	d.Kind, d.PayloadBytes = Placeholder, 0
	if e.StaleUntil > s.now {
		d.Kind, d.RefusedFor = Tombstone, millis(e.StaleUntil-s.now)
	}
	// A barrier that has ended is what stood under it.
	if e.Flags&entry.Barrier != 0 && ours(s.now, e.LeaseUntil) {
		d.Kind, d.Writers = Barrier, writersOf(s.now, e)
	}
}

// writersOf counts as the scripts of a barrier do: a writer whose time is over
// leaves doubt behind.
func writersOf(now int64, e entry.Entry) *Writers {
	const (
		each = 16 // bytes: token and deadline
		most = 64 // the last of which stands for all others
	)
	w := &Writers{Contended: e.Cost&0xff == 1, Left: millis(e.LeaseUntil - now)}
	for list := e.Payload[:min(len(e.Payload), most*each)]; len(list) >= each; list = list[each:] {
		if ours(now, int64(binary.BigEndian.Uint64(list[8:]))) {
			w.Count++
		} else {
			w.Contended = true
		}
	}
	return w
}

const (
	// maxLease is the longest that the scripts of a lease or barrier believe, in ms.
	maxLease = int64(time.Hour / time.Millisecond)
	// noLoader is the token that stands where a failed refresh keeps others from
	// trying.
	noLoader = 1<<64 - 1
)

// ours tells whether a deadline of a lease or barrier counts: it is to come, and not
// of a clock that was far ahead.
func ours(now, deadline int64) bool { return deadline > now && deadline-now <= maxLease }

func leaseOf(now int64, h entry.Header) Lease {
	left := h.LeaseUntil - now
	if h.Token == 0 || !ours(now, h.LeaseUntil) {
		return Lease{}
	}
	l := Lease{Left: millis(left)}
	switch {
	case h.Flags&entry.Barrier != 0: // its deadline is of the writers
		return Lease{}
	case h.Token == noLoader:
		l.Paused = true
	case h.Token == lease.FailedToken:
		l.Failed = true
	default:
		l.Held = true
	}
	return l
}

// writeFences writes what keeps values from being stored.
func (e Entry) writeFences(row func(label, format string, args ...any)) {
	if e.Writers != nil {
		row("barrier", "%s", e.Writers.words())
	}
	switch {
	case e.RefusedFor.Duration > 0:
		row("refused", "revisions below %d, for %s", e.Revision, span(e.RefusedFor))
	case e.Revision > 0 && e.Kind.holdsValue():
		row("revision", "%d", e.Revision)
	case e.Revision > 0:
		row("revision", "%d is the lowest to be stored", e.Revision)
	}
	if e.ValidatorBytes > 0 {
		row("validator", "%d bytes", e.ValidatorBytes)
	}
	if e.Lease.Paused {
		row("lease", "%s: %s", e.Lease, e.pause())
		return
	}
	row("lease", "%s", e.Lease)
}

func (w Writers) words() string {
	text := "1 WriteThrough is under way"
	if w.Count != 1 {
		text = fmt.Sprintf("%d WriteThroughs are under way", w.Count)
	}
	text += ", " + span(w.Left) + " left unless extended"
	if w.Contended {
		text += ", contended: no value of theirs will be stored"
	}
	return text
}

// String says whether a lease is held; its token is a secret.
func (l Lease) String() string {
	switch {
	case l.Held:
		return "held by a load, " + span(l.Left) + " left"
	case l.Paused:
		return "none before " + span(l.Left) + " have passed"
	case l.Failed:
		return "none; a load failed, which is remembered for " + span(l.Left)
	}
	return "none"
}
