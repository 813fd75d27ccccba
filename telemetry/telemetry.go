package telemetry

import (
	"context"
	"log/slog"
	"os"
	"runtime/debug"
	"sync"
	"time"

	"github.com/larder-go/larder/conn"
	"github.com/larder-go/larder/internal/minute"
	"github.com/larder-go/larder/observe"
)

// Telemetry is the Observer that comes with Larder. It is made by New.
type Telemetry struct {
	opts     Options
	started  time.Time
	registry *registry
	timers   *timers
	otel     *exporter

	turn    chan struct{} // holds one token: whoever has it owns the following
	flusher *flusher
	noticer *noticer

	stop chan struct{}
	done chan struct{}
	once sync.Once
}

var _ observe.Observer = (*Telemetry)(nil)

// New returns a Telemetry that writes its minutes to c, which it does not close. c is
// the conn.Conn of a server that all processes of the fleet share; nil means that
// figures stay in the process, for OpenTelemetry and Prometheus.
func New(c conn.Pipeliner, o Options) (*Telemetry, error) {
	if err := o.complete(); err != nil {
		return nil, err
	}
	now := time.Now()
	t := &Telemetry{
		opts: o, started: now,
		turn: make(chan struct{}, 1), stop: make(chan struct{}), done: make(chan struct{}),
	}
	t.otel = newExporter(o, func() map[series]float64 { return t.figures(t.timers.all()) })
	t.registry = newRegistry(o.MaxSubjects, t.otel.added)
	t.timers = newTimers(t.registry, t.otel.timer)
	host, _ := os.Hostname()
	t.flusher = newFlusher(c, o, minute.Process{
		Service: o.Service, Instance: o.Instance, Host: minute.Text(host), Version: minute.Text(version()),
		PID: os.Getpid(), Started: now, Interval: o.FlushEvery,
	}, now)
	t.noticer = newNoticer(o.Logger)
	t.turn <- struct{}{}
	go t.run()
	return t, nil
}

// Attach gives a Telemetry that was made without a connection the one that it writes to
// from then on. It is for programs whose connection takes the Telemetry as its Observer
// and can therefore not be there first.
func (t *Telemetry) Attach(c conn.Pipeliner) {
	<-t.turn
	t.flusher.c = c
	t.turn <- struct{}{}
}

// version is that of the main module, as the toolchain knows it.
func version() string {
	if info, ok := debug.ReadBuildInfo(); ok {
		return info.Main.Version
	}
	return ""
}

// Register adds a source: see observe.Observer.
func (t *Telemetry) Register(src observe.Source) (unregister func()) { return t.registry.register(src) }

// Begin begins an operation: see observe.Observer.
func (t *Telemetry) Begin(ctx context.Context, op observe.Operation) (context.Context, observe.End) {
	tm := t.timers.of(op.Kind, op.Name, operationMetric(op.Kind), op.Verb)
	if tm == nil {
		return ctx, func(error, ...slog.Attr) {}
	}
	ctx, span := t.otel.start(ctx, tm, op)
	start := time.Now()
	return ctx, func(err error, attrs ...slog.Attr) {
		d := time.Since(start)
		tm.live.Record(d)
		failure := failureOf(op.Kind, err, attrs)
		if failure != "" {
			tm.fail(failure)
		}
		t.otel.end(ctx, span, tm, op, d, failure, attrs)
	}
}

// Record notes a duration: see observe.Observer.
func (t *Telemetry) Record(kind observe.Kind, name string, m *observe.Metric, d time.Duration) {
	if m == nil {
		return
	}
	if tm := t.timers.of(kind, name, m, ""); tm != nil {
		tm.live.Record(d)
		tm.otel.record(context.Background(), d)
	}
}

// Flush writes to Redis what was counted until now, within ctx. It is done in the
// background every Options.FlushEvery; what could not be written is kept and tried
// again.
func (t *Telemetry) Flush(ctx context.Context) error { return t.flush(ctx, false) }

func (t *Telemetry) flush(ctx context.Context, last bool) error {
	select {
	case <-ctx.Done():
		return &Error{"flush", ctx.Err()}
	case <-t.turn:
	}
	defer func() { t.turn <- struct{}{} }()
	now := time.Now()
	t.sampleLocked(ctx, now)
	return t.flusher.write(ctx, now, last)
}

// sampleLocked is for those who hold the turn.
func (t *Telemetry) sampleLocked(ctx context.Context, now time.Time) {
	timers := t.timers.all()
	figures := t.figures(timers)
	t.flusher.sample(now, figures, timers)
	t.noticer.look(ctx, now, figures)
}

// figures are all counters, since the process began, and gauges.
func (t *Telemetry) figures(timers []*timer) map[series]float64 {
	all := t.registry.sample()
	for _, tm := range timers {
		m := failureMetric(tm.kind)
		tm.failures(func(errorType string, n float64) {
			all[series{tm.kind, tm.name, m, tm.label + " " + errorType}] += n
		})
	}
	return all
}

// Close writes what is left, within ctx, and ends the goroutine. A second Close does
// nothing. Features may go on calling the Telemetry, to no effect beyond the process.
func (t *Telemetry) Close(ctx context.Context) error {
	var err error
	t.once.Do(func() {
		close(t.stop)
		<-t.done
		t.otel.close()
		err = t.flush(ctx, true)
	})
	return err
}

// run flushes at every interval, and samples at the end of every minute.
func (t *Telemetry) run() {
	defer close(t.done)
	next := time.Now().Add(t.opts.FlushEvery)
	for {
		now := time.Now()
		boundary := now.Truncate(time.Minute).Add(time.Minute)
		wake := next
		if boundary.Before(wake) {
			wake = boundary
		}
		timer := time.NewTimer(wake.Sub(now))
		select {
		case <-t.stop:
			timer.Stop()
			return
		case <-timer.C:
		}
		if now = time.Now(); now.Before(next) {
			select {
			case <-t.stop:
				return
			case <-t.turn:
			}
			t.sampleLocked(context.Background(), time.Now())
			t.turn <- struct{}{}
			continue
		}
		ctx, cancel := context.WithTimeout(context.Background(), flushTimeout)
		_ = t.Flush(ctx) // logged by the flusher
		cancel()
		if next = next.Add(t.opts.FlushEvery); next.Before(time.Now()) {
			next = time.Now().Add(t.opts.FlushEvery)
		}
	}
}
