package session

import (
	"context"
	"errors"
	"sync/atomic"

	"github.com/larder-go/larder/observe"
)

// What a Store counts, for its Observer.
var (
	metricCreated = &observe.Metric{
		Name: "larder.session.created", Unit: "{session}", Instrument: observe.Counter,
		Help: "sessions stored under a new id, those included that changed their user",
	}
	metricFound = &observe.Metric{
		Name: "larder.session.found", Unit: "{session}", Instrument: observe.Counter,
		Help: "sessions that a Get returned",
	}
	metricMissed = &observe.Metric{
		Name: "larder.session.missed", Unit: "{session}", Instrument: observe.Counter,
		Help: "Gets whose session does not exist, or no longer",
	}
	metricStale = &observe.Metric{
		Name: "larder.session.stale", Unit: "{session}", Instrument: observe.Counter,
		Help: "sessions returned from memory while Redis did not answer",
	}
	metricDestroyed = &observe.Metric{
		Name: "larder.session.destroyed", Unit: "{session}", Instrument: observe.Counter,
		Help: "sessions ended before their time",
	}
	metricConflicts = &observe.Metric{
		Name: "larder.session.conflicts", Unit: "{attempt}", Instrument: observe.Counter,
		Help: "attempts to change a session that another change had overtaken; they are made again",
	}
	metricErrors = &observe.Metric{
		Name: "larder.session.errors", Unit: "{call}", Instrument: observe.Counter,
		Help: "calls that failed",
	}
)

// Metrics are those that every Store has, for a document or a dashboard.
func Metrics() []*observe.Metric {
	return []*observe.Metric{
		metricCreated, metricFound, metricMissed, metricStale, metricDestroyed, metricConflicts, metricErrors,
	}
}

type counters struct {
	created, found, missed, stale, destroyed, conflicts, errors atomic.Uint64
}

func (c *counters) yield(yield observe.Yield) {
	yield(metricCreated, "", float64(c.created.Load()))
	yield(metricFound, "", float64(c.found.Load()))
	yield(metricMissed, "", float64(c.missed.Load()))
	yield(metricStale, "", float64(c.stale.Load()))
	yield(metricDestroyed, "", float64(c.destroyed.Load()))
	yield(metricConflicts, "", float64(c.conflicts.Load()))
	yield(metricErrors, "", float64(c.errors.Load()))
}

// operate tells the Observer that an operation begins. The function ends it with what
// became of it: that there is no such session is no failure.
func (s *Store[T]) operate(ctx context.Context, verb string) (context.Context, func(error)) {
	ctx, end := s.observer.Begin(ctx, observe.Operation{Kind: observe.Session, Name: s.opt.Namespace, Verb: verb})
	return ctx, func(err error) {
		if errors.Is(err, ErrNotFound) {
			err = nil
		}
		if err != nil {
			s.counters.errors.Add(1)
		}
		end(err)
	}
}
