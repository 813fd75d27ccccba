package analytics

import (
	"math"
	"strconv"
	"testing"

	"github.com/larder-go/larder/conn"
)

// Whatever others have put into an hour is skipped, refused or counted.
func FuzzMembers(f *testing.F) {
	f.Add(Event{Identifier: "a\"", Outcome: Denied, Country: "DE"}.member(), "3")
	f.Add(`{"identifier":1,"success":[]}`, "1e300")
	f.Add(`[`, "-0.5")
	f.Add(`null`, "nan")
	f.Fuzz(func(t *testing.T, member, score string) {
		one := []conn.Value{{Kind: conn.Bulk, Str: member}, {Kind: conn.Bulk, Str: score}}
		n := 0
		add := func(m map[string]any, _ int64) {
			n++
			for _, v := range m {
				_, _ = text(v)
			}
		}
		err := members(conn.Value{Kind: conn.Array, Elems: one}, add)
		paired := members(conn.Value{Kind: conn.Array, Elems: []conn.Value{{Kind: conn.Array, Elems: one}}}, add)
		if (err == nil) != (paired == nil) || n > 2 || n == 1 {
			t.Errorf("%q %q: %v, %v, %d", member, score, err, paired, n)
		}
		if f, bad := strconv.ParseFloat(score, 64); bad == nil && !math.IsNaN(f) && err != nil {
			t.Errorf("%q: %v", score, err)
		}
	})
}
