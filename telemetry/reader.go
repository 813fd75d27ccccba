package telemetry

import (
	"context"
	"errors"
	"strconv"
	"time"

	"github.com/larder-go/larder/conn"
	"github.com/larder-go/larder/internal/histogram"
	"github.com/larder-go/larder/internal/minute"
	"github.com/larder-go/larder/observe"
)

// The limits of a Reader.
const (
	// MaxMinutes is how many minutes one Read covers.
	MaxMinutes = 48 * 60
	// MaxProcesses is how many lives of processes are remembered, the latest ones.
	MaxProcesses = 1000

	maxRows    = 200_000   // different series; beyond it the Reader starts over
	maxValues  = 4_000_000 // series times minutes in one Fleet: 32 MB
	maxHeld    = 4_000_000 // figures of closed minutes that are held: some 32 MB
	keysAtOnce = 64        // in one MGET
	maxKeys    = 20_000    // in one Read
)

// ReaderOptions are the settings of NewReader. The zero value is valid: everything.
type ReaderOptions struct {
	// Service restricts what is read to the processes of one service, Process to the
	// one with this ID. Empty means all.
	Service, Process string
}

// Reader reads what the fleet has written. It holds the closed minutes, so that reading
// again costs Redis little more than the minute that is running: make one and keep it.
//
// All methods are safe for concurrent use; one reads at a time, the others wait.
type Reader struct {
	c    conn.Pipeliner
	opts ReaderOptions

	turn      chan struct{} // holds one token: whoever has it owns the following
	table     *table
	minutes   map[int64]*closed
	processes map[string]*known
}

// closed is what is final of one minute, added.
type closed struct {
	from map[string]bool // the processes whose records are in
	sums
}

func newClosed() *closed {
	return &closed{from: map[string]bool{}, sums: sums{at: map[uint32]int{}}}
}

// known is what is known of a process from its latest record.
type known struct {
	Process // without LastSeen and Alive
	minute  int64
	gauges  map[uint32]float64
}

// sums are figures, added.
type sums struct {
	values    []float64      // by the table's number; 0 where there is none
	durations []numbered     // in no order
	at        map[uint32]int // where in durations a number is
}

// numbered are the durations of a number of the table.
type numbered struct {
	n uint32
	histogram.Counts
}

// NewReader returns a Reader of the fleet on a Redis server; c is the conn.Conn.
func NewReader(c conn.Pipeliner, o ReaderOptions) (*Reader, error) {
	if c == nil {
		return nil, &OptionError{"the Conn", nil, "a connection"}
	}
	r := &Reader{c: c, opts: o, turn: make(chan struct{}, 1)}
	r.reset()
	r.turn <- struct{}{}
	return r, nil
}

func (r *Reader) reset() {
	r.table, r.minutes, r.processes = newTable(), map[int64]*closed{}, map[string]*known{}
}

// ReadFleet reads once. To read again and again, keep a Reader.
func ReadFleet(ctx context.Context, c conn.Pipeliner, from, to time.Time) (*Fleet, error) {
	r, err := NewReader(c, ReaderOptions{})
	if err != nil {
		return nil, err
	}
	return r.Read(ctx, from, to)
}

// Read returns the minutes from that of from to that of to, both included; at most
// MaxMinutes.
func (r *Reader) Read(ctx context.Context, from, to time.Time) (*Fleet, error) {
	first, last := minuteOf(from), minuteOf(to)
	if last < first || last-first >= MaxMinutes {
		return nil, &OptionError{"to", to.Sub(from), "from 0 to 48h after from"}
	}
	select {
	case <-ctx.Done():
		return nil, &Error{"read", ctx.Err()}
	case <-r.turn:
	}
	defer func() { r.turn <- struct{}{} }()
	if len(r.table.rows) > maxRows {
		r.reset()
	}
	live, err := r.index(ctx, first)
	if err != nil {
		return nil, &Error{"read", err}
	}
	f := &Fleet{Start: time.Unix(first*60, 0).UTC(), Minutes: int(last - first + 1)}
	wanted := r.wanted(live, first, last)
	if len(wanted) > maxKeys {
		wanted, f.Incomplete = wanted[:maxKeys], true
	}
	open, err := r.fetch(ctx, wanted, f)
	if err != nil {
		return nil, &Error{"read", err}
	}
	r.carry(live, last, open)
	r.fill(f, first, open)
	r.list(f, live, first, last)
	r.forget(live)
	return f, nil
}

func minuteOf(t time.Time) int64 { return t.Unix() / 60 }

// life is what the index says of one life of a process.
type life struct {
	id       string
	begin    int64 // its first minute
	lastSeen time.Time
	alive    bool
}

// farFuture is Unix milliseconds that fit into a time.
const farFuture = 1e15

var errReply = errors.New("the server answered in an unknown form")

// index reads who has written in the minute first or later.
func (r *Reader) index(ctx context.Context, first int64) ([]life, error) {
	res := r.c.Pipeline(ctx, conn.Key("ZRANGEBYSCORE", minute.Index, strconv.FormatInt(first*60_000, 10), "+inf", "WITHSCORES",
		"LIMIT", "0", strconv.Itoa(MaxProcesses)))[0]
	if res.Err != nil {
		return nil, res.Err
	}
	flat := res.Value.Elems
	if len(flat) > 0 && flat[0].Kind == conn.Array { // RESP3 answers in pairs
		pairs := flat
		flat = nil
		for _, p := range pairs {
			flat = append(flat, p.Elems...)
		}
	}
	if len(flat)%2 != 0 {
		return nil, errReply
	}
	var lives []life
	var alive []string
	for i := 0; i < len(flat); i += 2 {
		begin, ok := minute.Begin(flat[i].Str)
		ms, err := strconv.ParseFloat(flat[i+1].Str, 64)
		if !ok || err != nil || r.opts.Process != "" && r.opts.Process != flat[i].Str {
			continue // what is not ours is skipped
		}
		lives = append(lives, life{id: flat[i].Str, begin: begin, lastSeen: time.UnixMilli(int64(min(max(ms, 0), farFuture))).UTC()})
		alive = append(alive, minute.AliveKey(flat[i].Str))
	}
	err := r.get(ctx, alive, func(i int, v conn.Value) { lives[i].alive = !v.IsNil() })
	return lives, err
}

// place is a record that may be there.
type place struct {
	minute int64
	id     string
}

// wanted lists the records that are not held, the latest minutes first.
func (r *Reader) wanted(live []life, first, last int64) (places []place) {
	for m := last; m >= first; m-- {
		held := r.minutes[m]
		for _, l := range live {
			p := r.processes[l.id]
			if l.begin > m || minuteOf(l.lastSeen) < m || held != nil && held.from[l.id] ||
				p != nil && r.opts.Service != "" && p.Service != r.opts.Service {
				continue
			}
			places = append(places, place{m, l.id})
		}
	}
	return places
}

// fetch reads records. Final ones go into r.minutes; the others are returned.
func (r *Reader) fetch(ctx context.Context, places []place, f *Fleet) (map[int64]*closed, error) {
	open := map[int64]*closed{}
	keys := make([]string, len(places))
	for i, p := range places {
		keys[i] = minute.Key(p.minute, p.id)
	}
	err := r.get(ctx, keys, func(i int, v conn.Value) {
		if v.IsNil() {
			return
		}
		p := places[i]
		rec, err := minute.Parse([]byte(v.Str))
		if err != nil || rec.Minute != p.minute {
			f.Incomplete = true
			return
		}
		if r.opts.Service != "" && r.opts.Service != rec.Process.Service {
			r.processes[p.id] = &known{Process: processOf(p.id, rec.Process)}
			return
		}
		into := open
		if rec.Closed {
			into = r.minutes
		}
		c := into[p.minute]
		if c == nil {
			c = newClosed()
			into[p.minute] = c
		}
		c.from[p.id] = true
		gauges := c.add(r.table, rec)
		if k := r.processes[p.id]; k == nil || k.minute <= rec.Minute {
			r.processes[p.id] = &known{processOf(p.id, rec.Process), rec.Minute, gauges}
		}
	})
	return open, err
}

// get reads keys and calls fn with each answer.
func (r *Reader) get(ctx context.Context, keys []string, fn func(i int, v conn.Value)) error {
	for at := 0; at < len(keys); at += keysAtOnce {
		part := keys[at:min(at+keysAtOnce, len(keys))]
		res := r.c.Pipeline(ctx, conn.Key("MGET", part[0], part[1:]...))[0]
		if res.Err != nil {
			return res.Err
		}
		if len(res.Value.Elems) != len(part) {
			return errReply
		}
		for i, v := range res.Value.Elems {
			fn(at+i, v)
		}
	}
	return nil
}

// add adds a record, and returns its gauges.
func (s *sums) add(t *table, rec *minute.Record) (gauges map[uint32]float64) {
	gauges = map[uint32]float64{}
	number := t.lookup(rec)
	for _, f := range rec.Figures {
		n := number(f.At)
		s.addValue(n, f.Value)
		if rec.Metrics[f.Metric].Instrument == observe.Gauge {
			gauges[n] = f.Value
		}
	}
	for _, d := range rec.Distributions {
		n := number(d.At)
		i, ok := s.at[n]
		if !ok {
			s.at[n] = len(s.durations)
			s.durations = append(s.durations, numbered{n, d.Counts})
			continue
		}
		s.durations[i].Counts = histogram.Sum(s.durations[i].Counts, d.Counts)
	}
	return gauges
}

func (s *sums) addValue(n uint32, v float64) {
	if over := int(n) + 1 - len(s.values); over > 0 {
		s.values = append(s.values, make([]float64, over)...)
	}
	s.values[n] += v
}

func processOf(id string, p minute.Process) Process {
	return Process{
		ID: id, Service: p.Service, Instance: p.Instance, Host: p.Host, Version: p.Version,
		PID: p.PID, Started: p.Started.UTC(),
	}
}
