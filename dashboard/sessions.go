package dashboard

import (
	"strings"
	"time"

	"github.com/larder-go/larder/dashboard/internal/keyspace"
	"github.com/larder-go/larder/observe"
)

// sessionRow is one session store.
type sessionRow struct {
	Name     string
	Sessions float64
	Space    keyspace.Space
	TTL      time.Duration
	Seen     bool
	// Figures are all that is counted.
	Figures []tally
}

type sessionTable struct {
	Rows    []sessionRow
	Foreign []sessionRow // of other programs
	Share   float64
}

func (d *Dashboard) sessions(v *viewing) []panel {
	t := sessionTable{Share: v.snap.census.Share}
	own := map[string]bool{}
	for _, s := range v.snap.names(observe.Session) {
		r := sessionRow{Name: s.name, TTL: v.snap.ttl(s), Figures: v.snap.figures.tallies(s.kind, s.name, v.now)}
		r.Space, r.Seen = v.snap.census.Spaces[s.name]
		r.Sessions = max(r.Space.Keys-r.Space.Aside, 0)
		own[s.name] = true
		t.Rows = append(t.Rows, r)
	}
	for _, prefix := range d.opts.Withhold {
		name := keyspace.SpaceOf(prefix)
		if sp, ok := v.snap.census.Spaces[name]; ok && !own[name] && strings.HasSuffix(prefix, ":") {
			own[name] = true
			t.Foreign = append(t.Foreign, sessionRow{Name: name, Sessions: sp.Keys - sp.Aside, Space: sp, Seen: true})
		}
	}
	panels := []panel{{ID: "sessions", Template: "sessions", Wide: true, Data: t}}
	for i, r := range t.Rows {
		if i == 8 {
			break
		}
		panels = append(panels, panel{ID: "tally-" + word(i), Template: "named-tally", Wide: true, Data: r})
	}
	return panels
}
