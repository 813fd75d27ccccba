package l1

import (
	"time"

	"github.com/larder-go/larder/conn"
	"github.com/larder-go/larder/internal/generation"
)

// Peek is Get that leaves no trace in what is kept of a key's use.
func (s *Store[K, V]) Peek(key K) (*Entry[V], bool) {
	if s == nil {
		return nil, false
	}
	held, ok := s.cache.GetEntryQuietly(key)
	return held.Value, ok
}

// Doubt is why an entry is not Covered, for people.
type Doubt struct {
	// Gap says what is wrong with the connection that the entry was read over, or
	// else with what is known of a generation.
	Gap generation.Gap
	// Unheard is for how long that connection has been silent, where that is it.
	Unheard time.Duration
	// Generation is the key of the generation; "" where it is the entry's own
	// connection. With a Gap of Known it is known to be another one now.
	Generation string
}

// Doubt tells why Covered is false, and false where it is not.
func (e *Entry[V]) Doubt(since time.Duration) (Doubt, bool) {
	c := e.cover
	switch {
	case c.epoch == nil:
	case c.epoch.Load() != c.epochNumber:
		return Doubt{Gap: generation.Lost}, true
	case c.epoch.Heard() < since && !c.alone:
		return Doubt{Gap: generation.Silent, Unheard: conn.Uptime() - c.epoch.Heard()}, true
	}
	stamps := []Stamp{c.namespace}
	if e.tags != nil {
		stamps = append(stamps, *e.tags...)
	}
	for _, s := range stamps {
		d := Doubt{Generation: s.Generation.Key()}
		if c.alone {
			if !s.heardOfNothing() {
				d.Gap = generation.Untold
				return d, true
			}
			continue
		}
		if d.Gap = s.Generation.Gap(since); d.Gap != generation.Known || !s.Current(since) {
			return d, true
		}
	}
	return Doubt{}, false
}
