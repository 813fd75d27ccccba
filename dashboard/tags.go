package dashboard

import (
	"cmp"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/larder-go/larder/conn"
	"github.com/larder-go/larder/internal/generation"
)

// tagRow is one tag in the table.
type tagRow struct {
	Name string
	// Keys is how many entries carry it, NaN where no sample did.
	Keys float64
	Last generation.Value
	At   time.Time
	// Watched says that Last is known.
	Watched bool
}

type tagTable struct {
	Query    string
	One      *tagRow // the tag that was asked for
	Problem  string
	Rows     []tagRow
	More     int
	Share    float64
	ReadOnly bool
	Now      time.Time
}

func (d *Dashboard) tags(v *viewing) []panel {
	t := tagTable{Query: v.query.Get("q"), Share: v.snap.census.Share, ReadOnly: d.opts.ReadOnly, Now: v.now}
	for _, seen := range v.snap.census.Tags {
		if !strings.HasPrefix(seen.Name, t.Query) {
			continue
		}
		row := tagRow{Name: seen.Name, Keys: math.NaN()}
		if seen.Samples > 0 {
			row.Keys = seen.Keys
		}
		row.Last, row.At = v.snap.generation(generation.TagKey(seen.Name))
		row.Watched = !row.At.IsZero()
		t.Rows = append(t.Rows, row)
	}
	slices.SortStableFunc(t.Rows, func(a, b tagRow) int {
		return cmp.Or(compare(b.Keys, a.Keys), b.At.Compare(a.At), cmp.Compare(a.Name, b.Name))
	})
	if len(t.Rows) > maxListed {
		t.More, t.Rows = len(t.Rows)-maxListed, t.Rows[:maxListed]
	}
	if name := v.query.Get("tag"); name != "" {
		d.tag(v, name, &t)
	}
	return []panel{{ID: "tags", Template: "tags", Wide: true, Data: t}}
}

// tag looks up one, which the walk over the keys may not have met.
func (d *Dashboard) tag(v *viewing, name string, t *tagTable) {
	t.One = &tagRow{Name: name, Keys: math.NaN()}
	for _, r := range t.Rows {
		if r.Name == name {
			*t.One = r
		}
	}
	ctx, cancel := d.bounded(v.r)
	defer cancel()
	reply, err := d.c.Do(ctx, conn.Key("GET", generation.TagKey(name)))
	if err != nil && conn.Code(err) == "" {
		t.Problem = "Redis could not be asked: " + whyAway(err) + "."
		return
	}
	t.One.Last, t.One.At, t.One.Watched = generation.ParseValue(reply.Str), time.Time{}, true
	if t.One.Last.MadeAt > 0 {
		t.One.At = time.UnixMilli(t.One.Last.MadeAt)
	}
}
