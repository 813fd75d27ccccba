package dashboard

import (
	"html/template"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/larder-go/larder/dashboard/internal/keyspace"
	"github.com/larder-go/larder/observe"
)

// namespaceRow is one namespace in the table.
type namespaceRow struct {
	Name, Kind string
	Requests   float64
	Rate       float64
	Ratio      float64
	Spark      template.HTML
	P99        time.Duration // of loads
	TTL        time.Duration // as declared, or as seen
	TTLSeen    bool
	Age        time.Duration
	Keys       float64
	Bytes      float64
	Owner      string
	// Seen tells that there are keys and no process that tells of them.
	Seen bool
}

// namespaceTable is the table of all of them.
type namespaceTable struct {
	Rows           []namespaceRow
	More           int
	Sort           string
	Sorts          []sorting
	Share          float64 // of the keys that the census has walked over
	Total          float64
	Samples        float64
	Hot            []keyspace.Hot
	CountsUses     bool
	Policy         string
	WithoutFigures int
}

// sorting is a way to order the table.
type sorting struct {
	Name, Title string
	Here        bool
}

var sortings = []sorting{
	{Name: "requests", Title: "Requests"},
	{Name: "ratio", Title: "Lowest hit ratio"},
	{Name: "memory", Title: "Memory"},
	{Name: "name", Title: "Name"},
}

func (d *Dashboard) namespaces(v *viewing) []panel {
	t := namespaceTable{
		Sort: "requests", Share: v.snap.census.Share, Total: float64(v.snap.census.Total), Samples: float64(v.snap.census.Samples),
		CountsUses: v.snap.census.CountsUses, Policy: v.snap.server.Policy,
	}
	withheld := d.withheld(v.snap)
	for _, h := range v.snap.census.Hot {
		if !withheld(h.Key) {
			t.Hot = append(t.Hot, h)
		}
	}
	for _, s := range sortings {
		if s.Name == v.query.Get("sort") {
			t.Sort = s.Name
		}
	}
	for _, s := range sortings {
		s.Here = s.Name == t.Sort
		t.Sorts = append(t.Sorts, s)
	}
	t.Rows = namespaceRows(v)
	sortRows(t.Rows, t.Sort)
	if len(t.Rows) > maxListed {
		t.More, t.Rows = len(t.Rows)-maxListed, t.Rows[:maxListed]
	}
	for i := range t.Rows { // the only ones that are drawn
		r := &t.Rows[i]
		tr := trafficOf(v.snap.figures.of(observe.Kind(r.Kind), r.Name))
		r.Spark = v.snap.figures.spark(tr.requests, false)
	}
	return []panel{
		{ID: "namespaces", Template: "namespaces", Wide: true, Data: t},
		{ID: "hot", Template: "hot", Wide: true, Data: t},
	}
}

// namespaceRows are the caches that are counted or declared, and what else begins with
// a name and a colon.
func namespaceRows(v *viewing) []namespaceRow {
	spaces := v.snap.census.Spaces
	var rows []namespaceRow
	known := map[string]bool{}
	for _, s := range v.snap.names(caching...) {
		ft := v.snap.figures.of(s.kind, s.name)
		t := trafficOf(ft)
		r := namespaceRow{
			Name: s.name, Kind: string(s.kind), Requests: add(t.requests), Ratio: t.ratio(),
			Rate: v.snap.figures.perSecond(t.requests, v.now),
			P99:  ft.distribution(verbLoad).Quantile(.99), TTL: v.snap.ttl(s), Owner: v.snap.owner(s),
		}
		r.seen(spaces[s.name])
		known[s.name] = true
		rows = append(rows, r)
	}
	for name, sp := range spaces {
		if known[name] || sp.Entries == 0 || strings.HasPrefix(name, "~") {
			continue
		}
		r := namespaceRow{Name: name, Kind: string(observe.Cache), Ratio: math.NaN(), Seen: true}
		r.seen(sp)
		rows = append(rows, r)
	}
	return rows
}

// seen adds what the census has found.
func (r *namespaceRow) seen(sp keyspace.Space) {
	r.Keys, r.Bytes, r.Age = sp.Keys, sp.Bytes, sp.Age
	if r.TTL == 0 && sp.Life > 0 {
		r.TTL, r.TTLSeen = sp.Life.Round(time.Second), true
	}
}

func sortRows(rows []namespaceRow, by string) {
	slices.SortStableFunc(rows, func(a, b namespaceRow) int {
		c := 0
		switch by {
		case "requests":
			c = compare(b.Requests, a.Requests)
		case "ratio":
			c = compare(a.Ratio, b.Ratio)
		case "memory":
			c = compare(b.Bytes, a.Bytes)
		}
		if c == 0 {
			c = strings.Compare(a.Name, b.Name)
		}
		return c
	})
}

// compare orders numbers; what is none comes last.
func compare(a, b float64) int {
	x, y := isNumber(a), isNumber(b)
	switch {
	case x && y && a < b, x && !y:
		return -1
	case x && y && a > b, y && !x:
		return 1
	}
	return 0
}
