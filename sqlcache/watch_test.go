package sqlcache_test

import (
	"testing"

	"github.com/larder-go/larder/internal/observetest"
	"github.com/larder-go/larder/observe"
	"github.com/larder-go/larder/sqlcache"
)

// Statements whose every figure is known.
func TestWhatAnObserverIsTold(t *testing.T) {
	t.Parallel()
	seen, o := observetest.New(t), all
	o.Observer = seen
	db, _ := postgres(t, o)
	ask(t, db, usersQuery)
	ask(t, db, usersQuery)
	ask(t, db, usersQuery)
	do(t, db, "UPDATE users SET name = 'eve' WHERE id = 1")
	ask(t, db, usersQuery)
	ask(t, db, "SELECT random()")
	do(t, db, "CREATE TABLE more (id int)")
	want := map[string]float64{
		"larder.sql.hits":                        2,
		"larder.sql.misses":                      2,
		"larder.sql.bypassed{not cacheable}":     1,
		"larder.sql.writes":                      2,
		"larder.sql.invalidations{public.users}": 1,
		"larder.sql.invalidations{*}":            1,
	}
	seen.Want(observe.SQL, "sql", want)
	if loads := seen.Figures(observe.Cache, "sql")["larder.cache.loads"]; loads != 2 {
		t.Errorf("the cache below tells of %v loads, want 2", loads)
	}
	kinds := map[observe.Kind]int{}
	for _, s := range seen.Subjects() {
		kinds[s.Kind]++
	}
	if kinds[observe.SQL] != 1 || kinds[observe.Cache] != 2 {
		t.Errorf("sources: %v", kinds)
	}
	if n := len(sqlcache.Metrics()); n != 7 {
		t.Errorf("Metrics lists %d", n)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	if left := seen.Subjects(); len(left) != 0 {
		t.Errorf("after Close: %+v", left)
	}
	seen.Want(observe.SQL, "sql", want)
}
