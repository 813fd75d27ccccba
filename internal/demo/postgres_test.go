package demo

import (
	"context"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/larder-go/larder/internal/pgtest"
	"github.com/larder-go/larder/internal/redistest"
)

// schemas lists what is in a database besides PostgreSQL's own.
func schemas(t *testing.T, url string) []string {
	t.Helper()
	c, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close(t.Context()) }()
	rows, err := c.Query(t.Context(), "SELECT nspname FROM pg_namespace WHERE nspname !~ '^pg_|^information_schema$' ORDER BY 1")
	if err != nil {
		t.Fatal(err)
	}
	names, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		t.Fatal(err)
	}
	return names
}

func TestRunPostgres(t *testing.T) {
	t.Parallel()
	for name, redis := range map[string]string{"embedded": "", "redis": redistest.Shared(t).URL()} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			url := pgtest.Database(t)
			rep := run(t, Options{Postgres: url, Redis: redis})
			checkReport(t, rep)
			c := rep.SQLCache
			if c == nil || c.QueriesSaved == 0 || c.Misses == 0 || c.Statements != c.QueriesSaved+rep.DBQueriesCached {
				t.Fatalf("%+v of %d queries", c, rep.DBQueriesCached)
			}
			// Each edit is one transaction.
			if c.Invalidations != uint64(rep.Writes) {
				t.Errorf("%d writes were seen, of %d", c.Invalidations, rep.Writes)
			}
			if !strings.HasPrefix(rep.Settings.Database, "postgres:") {
				t.Errorf("settings %+v", rep.Settings)
			}
			if left := schemas(t, url); !slices.Equal(left, []string{"public"}) {
				t.Errorf("the demo leaves %q", left)
			}
		})
	}
}

func TestRunPostgresWritesPastTheWrapper(t *testing.T) {
	t.Parallel()
	rep := run(t, Options{Postgres: pgtest.Database(t), WithoutInvalidation: true})
	if err := rep.Err(); err != nil || rep.StaleReads == 0 || rep.SQLCache.Invalidations != 0 {
		t.Errorf("%d stale answers, %d writes seen, %v", rep.StaleReads, rep.SQLCache.Invalidations, err)
	}
}

// The same statements bring the same on either database.
func TestPostgresAnswersAsSQLiteDoes(t *testing.T) {
	t.Parallel()
	lite, _ := testStore(t, manyPackages(5))
	db := database{Postgres: pgtest.Database(t)}
	_, remove, err := db.build(t.Context(), writeGOROOT(t, manyPackages(5)), func(int) {})
	if err != nil {
		t.Fatal(err)
	}
	post, err := db.open()
	if err != nil {
		t.Fatal(err)
	}
	edit := func(s *store) string { return asJSON(t)(s.edit(t.Context(), "p03", "Alpha3.Read3")) }
	if a, b := edit(lite), edit(post); a != b {
		t.Errorf("an edit: %s and %s", a, b)
	}
	for name, get := range map[string]func(s *store) string{
		"page":      func(s *store) string { return asJSON(t)(s.packagePage(t.Context(), "p03")) },
		"search":    func(s *store) string { return asJSON(t)(s.search(t.Context(), "re", 3)) },
		"importers": func(s *store) string { return asJSON(t)(s.importers(t.Context(), "p01")) },
		"top":       func(s *store) string { return asJSON(t)(s.top(t.Context(), 3)) },
		"catalogue": func(s *store) string { c, err := s.catalogue(t.Context()); return asJSON(t)(c.words, err) },
	} {
		if a, b := get(lite), get(post); a != b || len(a) < 20 {
			t.Errorf("%s:\nSQLite     %s\nPostgreSQL %s", name, a, b)
		}
	}
	if err := post.close(); err != nil {
		t.Error(err)
	}
	if err := remove(); err != nil {
		t.Error(err)
	}
}

func TestPostgresSchemaOfSomebodyElse(t *testing.T) {
	t.Parallel()
	url := pgtest.Database(t)
	pgtest.Do(t, url, "CREATE SCHEMA larder_demo; CREATE TABLE larder_demo.packages (mine int)")
	d, err := New(t.Context(), Options{GOROOT: writeGOROOT(t, manyPackages(1)), Postgres: url})
	if err == nil {
		t.Fatal("no error", d.Close())
	}
	if !strings.Contains(err.Error(), "the schema larder_demo exists already and is left alone") {
		t.Errorf("got %q", err)
	}
	pgtest.Do(t, url, "SELECT mine FROM larder_demo.packages")
}

// What others put into the schema meanwhile stays.
func TestPostgresDropsOnlyItsOwn(t *testing.T) {
	t.Parallel()
	url := pgtest.Database(t)
	d, err := New(t.Context(), Options{GOROOT: writeGOROOT(t, manyPackages(1)), Postgres: url})
	if err != nil {
		t.Fatal(err)
	}
	pgtest.Do(t, url, "CREATE TABLE larder_demo.notes (mine int)")
	if err := d.Close(); err == nil || !strings.Contains(err.Error(), "drop the schema") {
		t.Errorf("got %v", err)
	}
	pgtest.Do(t, url, "SELECT mine FROM larder_demo.notes")
}

func TestPostgresAfterAnInterrupt(t *testing.T) {
	t.Parallel()
	url := pgtest.Database(t)
	ctx, cancel := context.WithCancel(t.Context())
	d, err := New(ctx, Options{GOROOT: writeGOROOT(t, manyPackages(1)), Postgres: url})
	if err != nil {
		t.Fatal(err)
	}
	cancel()
	if err := d.Close(); err != nil {
		t.Error(err)
	}
	if left := schemas(t, url); !slices.Equal(left, []string{"public"}) {
		t.Errorf("the demo leaves %q", left)
	}
}

func TestPostgresBuildThatFailsLeavesNothing(t *testing.T) {
	t.Parallel()
	url := pgtest.Database(t)
	if d, err := New(t.Context(), Options{GOROOT: t.TempDir(), Postgres: url}); err == nil {
		t.Fatal("no error", d.Close())
	}
	if left := schemas(t, url); !slices.Equal(left, []string{"public"}) {
		t.Errorf("the demo leaves %q", left)
	}
}

func TestPostgresErrorsKeepThePassword(t *testing.T) {
	t.Parallel()
	for name, url := range map[string]string{
		"no server": "postgres://me:hush@127.0.0.1:1/db",
		"no port":   "postgres://me:hush@127.0.0.1:x/db",
		"no URL":    "postgres://me:hu sh@ ?password=hush",
		"setting":   "postgres://127.0.0.1/db?password=hush&connect_timeout=hush",
	} {
		for _, redis := range []string{"", redistest.Shared(t).URL()} {
			d, err := New(t.Context(), Options{GOROOT: writeGOROOT(t, manyPackages(1)), Postgres: url, Redis: redis, Child: []string{os.Args[0], childArgument}})
			if err == nil {
				t.Fatal("no error", d.Close())
			}
			if strings.Contains(err.Error(), "hush") || strings.Contains(err.Error(), "hu sh") {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
}
