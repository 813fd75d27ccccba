package dashboard

import (
	"context"
	"sync"
	"time"

	"github.com/larder-go/larder/conn"
	"github.com/larder-go/larder/dashboard/internal/keyspace"
	"github.com/larder-go/larder/internal/generation"
	"github.com/larder-go/larder/telemetry"
)

// window is how much of the past the pages show.
const window = time.Hour

// watch reads what the pages show, for all of them together: however many are open,
// Redis is asked once for each Options.Refresh, and not at all while none is.
type watch struct {
	c       conn.Conn
	reader  *telemetry.Reader
	census  *keyspace.Census
	events  *events
	refresh time.Duration
	timeout time.Duration

	turn chan struct{} // holds one token: whoever has it reads

	mu   sync.Mutex // protects the following
	last *snapshot
	rest time.Duration // how old it may get
}

// Reading takes about a hundredth of the time at most: a fleet with very many features
// is read less often than Options.Refresh says, down to once in longestRest.
const (
	restPerRead = 100
	longestRest = 5 * time.Second
)

// snapshot is what was known at a moment. It is not changed.
type snapshot struct {
	at      time.Time
	figures *figures
	census  keyspace.Estimate
	server  server
	declared
	// generations are those of the watched namespaces and tags, by Redis key.
	generations map[string]generation.Value
	// problem says why the figures are old, since when they are.
	problem string
	since   time.Time
}

func newWatch(c conn.Conn, census *keyspace.Census, ev *events, o Options) (*watch, error) {
	from := o.Figures
	if from == nil {
		from = c
	}
	reader, err := telemetry.NewReader(from, telemetry.ReaderOptions{})
	if err != nil {
		return nil, err
	}
	w := &watch{
		c: c, reader: reader, census: census, events: ev, refresh: o.Refresh, timeout: o.Timeout,
		turn: make(chan struct{}, 1),
	}
	w.turn <- struct{}{}
	return w, nil
}

// look returns what is known, and reads where that is old. It waits for Redis no longer
// than Options.Timeout; while another page reads, it takes what there is.
func (w *watch) look(ctx context.Context) *snapshot {
	s, fresh := w.known()
	if fresh {
		return s
	}
	if s != nil {
		select {
		case <-w.turn:
		default:
			return s
		}
	} else {
		select {
		case <-w.turn:
		case <-ctx.Done():
			return emptySnapshot(ctx.Err())
		}
	}
	defer func() { w.turn <- struct{}{} }()
	if s, fresh = w.known(); fresh {
		return s // read while this one waited
	}
	began := time.Now()
	s = w.read(ctx, s)
	w.mu.Lock()
	defer w.mu.Unlock()
	// A little less, so that the next tick of an open page finds it old.
	w.last, w.rest = s, max(w.refresh*9/10, min(restPerRead*time.Since(began), longestRest))
	return s
}

// known returns the last snapshot, nil for none, and whether it will do.
func (w *watch) known() (s *snapshot, fresh bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.last, w.last != nil && time.Since(w.last.at) < w.rest
}

// read asks Redis. What fails keeps what was known before.
func (w *watch) read(ctx context.Context, before *snapshot) *snapshot {
	ctx, cancel := context.WithTimeout(ctx, w.timeout)
	defer cancel()
	now := time.Now()
	s := &snapshot{at: now}
	if before != nil {
		*s = *before
		s.at = now
	}
	fail := func(err error) *snapshot {
		why := whyAway(err)
		if s.problem == "" {
			s.since = now
			w.events.away(now, why)
		}
		s.problem = why
		if s.figures == nil {
			s.figures = newFigures(&telemetry.Fleet{Start: now.Add(-window).Truncate(time.Minute), Minutes: int(window / time.Minute)})
		}
		return s
	}
	fleet, err := w.reader.Read(ctx, now.Add(-window+time.Minute), now)
	if err != nil {
		return fail(err)
	}
	s.figures = newFigures(fleet)
	if s.declared, err = readDeclared(ctx, w.c); err != nil {
		return fail(err)
	}
	if s.server, err = readServer(ctx, w.c); err != nil {
		return fail(err)
	}
	err = w.census.Step(ctx)
	s.census = w.census.Estimate()
	if err != nil {
		return fail(err)
	}
	if err = w.events.look(ctx, w.c, s, before); err != nil {
		return fail(err)
	}
	s.problem, s.since = "", time.Time{}
	return s
}

// emptySnapshot is for a page that has given up.
func emptySnapshot(err error) *snapshot {
	now := time.Now()
	return &snapshot{at: now, since: now, problem: whyAway(err), figures: newFigures(&telemetry.Fleet{
		Start: now.Add(-window).Truncate(time.Minute), Minutes: int(window / time.Minute),
	})}
}
