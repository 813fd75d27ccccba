package orm

import (
	"errors"
	"runtime"
	"slices"
	"testing"
	"time"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"github.com/larder-go/larder/conn"
	"github.com/larder-go/larder/internal/redistest"
)

// gormOver opens GORM over a database without the wrapper and with it.
func gormOver(t *testing.T, connect func() conn.Conn) (bare, db *gorm.DB) {
	t.Helper()
	plain, wrapped := open(t, connect)
	without, err1 := newGORM(plain)
	with, err2 := newGORM(wrapped[0])
	if err := errors.Join(err1, err2); err != nil {
		t.Fatal(err)
	}
	return without.db.WithContext(t.Context()), with.db.WithContext(t.Context())
}

func must(t *testing.T, tx *gorm.DB) {
	t.Helper()
	if tx.Error != nil {
		t.Fatal(tx.Error)
	}
}

// A popular cache for GORM has each of these defects. Package sqlcache tests them below
// GORM.
func TestDefectsOfAnotherCache(t *testing.T) {
	t.Parallel()
	names := func(t *testing.T, read *gorm.DB) (names []string) {
		t.Helper()
		must(t, read.Scan(&names))
		return names
	}
	for name, test := range map[string]func(t *testing.T, bare, db *gorm.DB){
		"a rolled-back transaction fills it": func(t *testing.T, _, db *gorm.DB) {
			var inside, after []string
			err := db.Transaction(func(tx *gorm.DB) error {
				must(t, tx.Where("true").Delete(&User{}))
				inside = names(t, tx.Model(&User{}).Select("name"))
				return errors.New("no")
			})
			after = names(t, db.Model(&User{}).Select("name"))
			if err == nil || len(inside) != 0 || len(after) != 3 {
				t.Errorf("%q in the transaction, %q after it, %v", inside, after, err)
			}
		},
		"what deletes in a CTE runs once": func(t *testing.T, bare, db *gorm.DB) {
			const pop = `WITH gone AS (DELETE FROM orders WHERE id = (SELECT min(id) FROM orders) RETURNING id)
				SELECT id::text FROM gone`
			popped := append(names(t, db.Raw(pop)), names(t, db.Raw(pop))...)
			if left := names(t, bare.Model(&Order{}).Select("id::text")); len(left) != 1 || !slices.Equal(popped, []string{"1", "2"}) {
				t.Errorf("popped %q, which leaves %q", popped, left)
			}
		},
		"FOR UPDATE locks nothing": func(t *testing.T, bare, db *gorm.DB) {
			locked := func(options string) clause.Locking { return clause.Locking{Strength: "UPDATE", Options: options} }
			for range 2 {
				must(t, db.Clauses(locked("")).First(&User{}, 1))
			}
			err := db.Transaction(func(tx *gorm.DB) error {
				must(t, tx.Clauses(locked("")).First(&User{}, 1))
				return bare.Clauses(locked("NOWAIT")).First(&User{}, 1).Error
			})
			if err == nil {
				t.Error("somebody else has locked the row")
			}
		},
		"tables of CTEs are not seen": func(t *testing.T, _, db *gorm.DB) {
			const rich = "WITH rich AS (SELECT * FROM users WHERE balance > 5) SELECT name FROM rich ORDER BY id"
			names(t, db.Raw(rich))
			must(t, db.Model(&User{ID: 2}).Update("balance", 6))
			if got := names(t, db.Raw(rich)); len(got) != 3 {
				t.Errorf("got %q", got)
			}
		},
		"tables of views are not seen": func(t *testing.T, _, db *gorm.DB) {
			names(t, db.Table("spenders").Select("name"))
			must(t, db.Create(&Order{UserID: 2, Total: "1"}))
			if got := names(t, db.Table("spenders").Select("name")); len(got) != 3 {
				t.Errorf("got %q", got)
			}
		},
		"cascades are not seen": func(t *testing.T, _, db *gorm.DB) {
			names(t, db.Model(&Order{}).Select("total::text"))
			must(t, db.Delete(&User{}, 1))
			if got := names(t, db.Model(&Order{}).Select("total::text")); len(got) != 1 {
				t.Errorf("got %q", got)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			bare, db := gormOver(t, engine(t))
			test(t, bare, db)
		})
	}
}

// With that cache a query fails where Redis does.
func TestQueriesOutliveRedis(t *testing.T) {
	t.Parallel()
	redis := redistest.Start(t)
	_, db := gormOver(t, to(t, redis.URL()))
	var u User
	must(t, db.First(&u, 1))
	redis.Stop()
	must(t, db.First(&u, 1))
	must(t, db.Model(&User{ID: 1}).Update("name", "ada l."))
	var now User
	if must(t, db.First(&now, 1)); now.Name != "ada l." {
		t.Errorf("got %q", now.Name)
	}
	wrapped, err := db.DB()
	if err != nil {
		t.Fatal(err)
	}
	redis.Restart()
	for deadline := time.Now().Add(20 * time.Second); stats(t, wrapped).Pending > 0; runtime.Gosched() {
		if time.Now().After(deadline) {
			t.Fatal("the server has not heard of the write")
		}
	}
}
