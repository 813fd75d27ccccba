package generation

import "time"

// Gap is why a process does not know a generation.
type Gap int

// The reasons of Generation.Gap.
const (
	// Known: there is none.
	Known Gap = iota
	// Untold: not read yet, or taken back by a push or by an invalidation here.
	Untold
	// Lost: the connection that vouched for it has ended.
	Lost
	// Silent: the connection was not heard of since.
	Silent
)

// Gap says why Current would not know the generation.
func (g *Generation) Gap(since time.Duration) Gap {
	k := g.known.Load()
	switch {
	case k == nil:
		return Untold
	case g.epoch == nil:
		return Known
	case g.epoch.Load() != k.epoch:
		return Lost
	case g.epoch.Heard() < since:
		return Silent
	}
	return Known
}
