package telemetry

import (
	"context"
	"crypto/rand"
	"errors"
	"log/slog"
	"strconv"
	"time"

	"github.com/larder-go/larder/conn"
	"github.com/larder-go/larder/internal/minute"
)

// The limits of a flush.
const (
	// MaxPending is how many closed minutes wait for Redis; further ones push out the
	// oldest.
	MaxPending = 60

	maxPendingBytes = 8 << 20
	flushTimeout    = 2 * time.Second
	recordsAtOnce   = 8
	idBytes         = 13
	aliveSlack      = 5 * time.Second
	indexSlack      = time.Hour // clocks of processes differ
)

// flusher writes minutes. It is owned by whoever holds the turn of its Telemetry.
type flusher struct {
	c       conn.Pipeliner // nil where nothing is written
	log     *slog.Logger
	process minute.Process
	keep    time.Duration

	id      string
	account *account
	pending []written // closed minutes, the oldest first
	bytes   int
	failing bool
}

// written is a minute as it is, or will be, in Redis.
type written struct {
	minute int64
	id     string
	bytes  []byte
}

func newFlusher(c conn.Pipeliner, o Options, p minute.Process, now time.Time) *flusher {
	return &flusher{
		c: c, log: o.Logger, process: p, keep: o.Retention,
		id: newID(now), account: newAccount(now),
	}
}

func newID(now time.Time) string { return minute.ID(minuteOf(now), rand.Text()[:idBytes]) }

// sample counts what has happened until now, and closes the minutes that are over.
func (f *flusher) sample(now time.Time, figures map[series]float64, timers []*timer) {
	a := f.account
	if a.steppedBack(now) {
		f.close()
		f.id, a.minute, a.sampled = newID(now), minuteOf(now), now.Round(0)
	}
	if m := a.attribute(now); m > a.minute {
		f.close()
		a.minute = m
	}
	a.add(figures, timers)
	if m := minuteOf(now); m > a.minute {
		f.close()
		a.minute = m
		a.gauges(figures) // they stand in the new minute, too
	}
}

// close moves the present minute to those that wait to be written.
func (f *flusher) close() {
	if f.c != nil {
		f.push(written{f.account.minute, f.id, f.encode(true)})
	}
	f.account.clear()
}

func (f *flusher) push(w written) {
	f.pending, f.bytes = append(f.pending, w), f.bytes+len(w.bytes)
	lost := 0
	for ; len(f.pending) > MaxPending || f.bytes > maxPendingBytes; lost++ {
		f.bytes -= len(f.pending[0].bytes)
		f.pending = f.pending[1:]
	}
	if lost > 0 {
		f.log.Warn("telemetry: Redis has been away for too long, the oldest minutes are lost", "minutes", lost)
	}
}

// encode returns the bytes of the present minute. Where they would be too many, the
// figures beyond the limit are left out.
func (f *flusher) encode(closed bool) []byte {
	r := f.account.record(f.process, closed)
	b := minute.Append(nil, r)
	for len(b) > minute.MaxBytes && len(r.Figures)+len(r.Distributions) > 0 {
		r.Distributions = r.Distributions[:len(r.Distributions)/2]
		r.Figures = r.Figures[:len(r.Figures)/2]
		r.Compact()
		b = minute.Append(nil, r)
		f.log.Warn("telemetry: a minute has too many figures, some are left out", "limit_bytes", minute.MaxBytes)
	}
	return b
}

// write sends what waits and the present minute; last is the end of this life.
func (f *flusher) write(ctx context.Context, now time.Time, last bool) error {
	if f.c == nil {
		return nil
	}
	if last {
		f.close()
	}
	for len(f.pending) > 0 {
		part := f.pending[:min(recordsAtOnce, len(f.pending))]
		if err := f.send(ctx, now, part); err != nil {
			return f.failed(err)
		}
		for _, w := range part {
			f.bytes -= len(w.bytes)
		}
		f.pending = f.pending[len(part):]
	}
	f.pending = nil // its array
	var err error
	if last {
		err = f.send(ctx, now, nil, conn.Key("DEL", minute.AliveKey(f.id)))
	} else {
		err = f.send(ctx, now, []written{{f.account.minute, f.id, f.encode(false)}},
			conn.Key("SET", minute.AliveKey(f.id), "1", "PX", milliseconds(3*f.process.Interval+aliveSlack)))
	}
	return f.failed(err)
}

// send writes minutes and what belongs to them. Repeating it changes nothing.
func (f *flusher) send(ctx context.Context, now time.Time, minutes []written, more ...conn.Command) error {
	var cmds []conn.Command
	seen := map[string]int64{f.id: now.UnixMilli()}
	for _, w := range minutes {
		// Readers look for no minute that begins after a process was last seen.
		seen[w.id] = max(now.UnixMilli(), w.minute*60_000)
		// Not a moment but a distance: the server's clock may be another.
		left := f.keep - now.Sub(time.Unix((w.minute+1)*60, 0))
		if left <= 0 {
			continue
		}
		cmds = append(cmds, conn.Key("SET", minute.Key(w.minute, w.id), string(w.bytes), "PX", milliseconds(left)))
	}
	cmds = append(cmds, more...)
	for id, ms := range seen {
		cmds = append(cmds, conn.Key("ZADD", minute.Index, strconv.FormatInt(ms, 10), id))
	}
	cmds = append(cmds,
		conn.Key("ZREMRANGEBYSCORE", minute.Index, "-inf", strconv.FormatInt(now.Add(-MaxRetention-indexSlack).UnixMilli(), 10)),
		conn.Key("ZREMRANGEBYRANK", minute.Index, "0", strconv.Itoa(-MaxProcesses-1)),
		conn.Key("PEXPIRE", minute.Index, milliseconds(MaxRetention+indexSlack)))
	var errs []error
	for _, res := range f.c.Pipeline(ctx, cmds...) {
		if res.Err != nil {
			errs = append(errs, res.Err)
			break
		}
	}
	return errors.Join(errs...)
}

// failed says so in the log when it begins and when it is over.
func (f *flusher) failed(err error) error {
	switch {
	case err != nil && !f.failing:
		f.log.Warn("telemetry: figures could not be written and are kept", "error", err)
	case err == nil && f.failing:
		f.log.Info("telemetry: figures are written again")
	}
	if f.failing = err != nil; err != nil {
		return &Error{"flush", err}
	}
	return nil
}

func milliseconds(d time.Duration) string { return strconv.FormatInt(d.Milliseconds(), 10) }
