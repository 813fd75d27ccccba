package sqlcache

import (
	"testing"

	"github.com/larder-go/larder/internal/statement"
)

// BenchmarkKnownText is what the analysis of a text costs that was seen before: its
// statement, and its plan.
func BenchmarkKnownText(b *testing.B) {
	const text = "SELECT u.id, u.name, o.total FROM users u JOIN orders o ON o.user_id = u.id WHERE u.id = $1 ORDER BY o.total"
	d := &database{}
	s := &scope{db: d}
	snap := &snapshot{catalog: noCatalog{}}
	b.ReportAllocs()
	for b.Loop() {
		if p := snap.plan(s, text, d.statement(text)); p.Cacheable {
			b.Fatal("cacheable")
		}
	}
}

type noCatalog struct{}

func (noCatalog) Plan(statement.Statement) Plan { return Plan{} }
