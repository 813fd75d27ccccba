package dashboard

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/larder-go/larder/conn"
	"github.com/larder-go/larder/internal/generation"
	"github.com/larder-go/larder/observe"
)

const (
	// maxEvents is how many events are remembered.
	maxEvents = 300
	// maxWatched bounds the namespaces and tags whose generations are looked at.
	maxWatched = 1000
)

// happening is something that happened.
type happening struct {
	At time.Time
	// Sort is what kind of thing: "invalidation", "process", "Redis", "message", …
	Sort string
	// What happened, to what, and by whom. Name is text of others, shown as such.
	What, Name, By string
	Mood           string
}

// events remembers what has happened lately. Nothing is written to Redis for it:
// invalidations of tags and namespaces are seen in their generations, the rest in
// figures that changed. It is looked for while somebody has a page open.
type events struct {
	values bool // the text of messages may be shown

	mu   sync.Mutex  // protects the following
	ring []happening // the oldest first
}

func newEvents(values bool) *events { return &events{values: values} }

func (e *events) add(ev happening) {
	e.mu.Lock()
	defer e.mu.Unlock()
	i := len(e.ring)
	for i > 0 && e.ring[i-1].At.After(ev.At) {
		i--
	}
	e.ring = slices.Insert(e.ring, i, ev)
	if over := len(e.ring) - maxEvents; over > 0 {
		e.ring = slices.Delete(e.ring, 0, over)
	}
}

// recent returns the latest events, the newest first.
func (e *events) recent(most int) []happening {
	e.mu.Lock()
	defer e.mu.Unlock()
	out := slices.Clone(e.ring[max(0, len(e.ring)-most):])
	slices.Reverse(out)
	return out
}

// dropped notes what somebody has invalidated from a page.
func (e *events) dropped(p dropping) {
	if p.What == "key" { // the others are seen in Redis
		e.add(happening{At: time.Now(), Sort: "invalidation", What: "key", Name: p.Name, By: "this dashboard"})
	}
}

// look finds what has happened since the snapshot before.
func (e *events) look(ctx context.Context, c conn.Conn, s, before *snapshot) error {
	if err := e.generations(ctx, c, s, before); err != nil {
		return err
	}
	if before == nil || before.figures == nil {
		return nil
	}
	if before.problem != "" {
		e.add(happening{At: s.at, Sort: "Redis", What: "answers again", Mood: "good"})
	}
	e.processes(s, before)
	e.health(s, before)
	return nil
}

// away notes that Redis does not answer.
func (e *events) away(at time.Time, why string) {
	e.add(happening{At: at, Sort: "Redis", What: "does not answer: " + why, Mood: "bad"})
}

// generations reads those of namespaces and tags, and notes which are new.
func (e *events) generations(ctx context.Context, c conn.Conn, s, before *snapshot) error {
	keys := s.watched()
	cmds := make([]conn.Command, len(keys))
	for i, key := range keys {
		cmds[i] = conn.Key("GET", key)
	}
	s.generations = make(map[string]generation.Value, len(keys))
	if len(cmds) == 0 {
		return nil
	}
	for i, r := range c.Pipeline(ctx, cmds...) {
		if r.Err != nil && conn.Code(r.Err) == "" {
			return r.Err
		}
		g := generation.ParseValue(r.Value.Str)
		if g.Number == 0 && g.BarredUntil == 0 {
			continue
		}
		key, at := keys[i], time.UnixMilli(g.MadeAt)
		s.generations[key] = g
		old, had := generation.Value{}, false
		if before != nil {
			old, had = before.generations[key]
		}
		switch {
		case g.By == "" || had && old.Number == g.Number: // made at first use, or known
		case s.at.Sub(at) <= window:
			e.add(invalidated(key, g, at))
		}
	}
	return nil
}

func invalidated(key string, g generation.Value, at time.Time) happening {
	ev := happening{At: at, Sort: "invalidation", By: g.By}
	if tag, ok := generation.TagOf(key); ok {
		ev.What, ev.Name = "tag", tag
	} else {
		ev.What, ev.Name = "namespace", key[len(generation.NamespaceKey("")):]
	}
	return ev
}

// watched are the keys of the generations that are looked at.
func (s *snapshot) watched() (keys []string) {
	for _, sub := range s.names(caching...) {
		if len(keys) < maxWatched/2 {
			keys = append(keys, generation.NamespaceKey(sub.name))
		}
	}
	for _, t := range s.census.Tags {
		if len(keys) < maxWatched {
			keys = append(keys, generation.TagKey(t.Name))
		}
	}
	slices.Sort(keys)
	return slices.Compact(keys)
}

// generation is what stands under a key, and when it was made.
func (s *snapshot) generation(key string) (g generation.Value, at time.Time) {
	g = s.generations[key]
	if g.MadeAt > 0 {
		at = time.UnixMilli(g.MadeAt)
	}
	return g, at
}

// processes notes who has come and gone.
func (e *events) processes(s, before *snapshot) {
	was := map[string]bool{}
	for _, p := range before.figures.processes {
		was[p.ID] = p.Alive
	}
	for _, p := range s.figures.processes {
		alive, known := was[p.ID]
		switch {
		case p.Alive && !known:
			e.add(happening{At: s.at, Sort: "process", What: "reports for the first time", Name: p.Service + " " + p.Instance, Mood: "good"})
		case alive && !p.Alive:
			e.add(happening{At: s.at, Sort: "process", What: "does not report any more", Name: p.Service + " " + p.Instance, Mood: "warn"})
		}
	}
}

// health notes what has begun or ended to be wrong.
func (e *events) health(s, before *snapshot) {
	now, old := s.figures.together(caching...), before.figures.together(caching...)
	pending := now.gauge(metricPending)
	was := old.gauge(metricPending)
	switch {
	case pending > 0 && was == 0:
		e.add(happening{At: s.at, Sort: "cache", What: fmt.Sprintf("%s invalidations wait for Redis", count(pending)), Mood: "warn"})
	case pending == 0 && was > 0:
		e.add(happening{At: s.at, Sort: "cache", What: "all invalidations were delivered", Mood: "good"})
	}
	open := s.figures.together(observe.Redis).gauge(metricBreaker)
	wasOpen := before.figures.together(observe.Redis).gauge(metricBreaker)
	switch {
	case open > wasOpen:
		e.add(happening{At: s.at, Sort: "Redis", What: "a breaker opened: its process asks the source", Mood: "bad"})
	case open < wasOpen:
		e.add(happening{At: s.at, Sort: "Redis", What: "a breaker closed", Mood: "good"})
	}
	if n := now.total(metricProbeStale) - old.total(metricProbeStale); n > 0 {
		e.add(happening{At: s.at, Sort: "cache", What: fmt.Sprintf("%s values were found to be older than their source", count(n)), Mood: "bad"})
	}
}
