package sqlcache_test

import (
	"database/sql"
	"fmt"
	"reflect"
	"testing"
	"time"

	"github.com/larder-go/larder/internal/pgtest"
)

// everyType is a query with a column of each type that looks different to Go.
const everyType = `SELECT i2, i4, i8, f4, f8, n, nu, b, t, vc, vcn, ch, by, byempty, d, dinf, ts, tsinf, tz, tzinf,
	ti, iv, u, j, jb, x, a, o, m, ip, NULL::int AS none, 1::int AS twice, 2::int AS twice, ''::text AS empty
	FROM every ORDER BY i4`

const everySchema = `
	CREATE TABLE every (i2 int2, i4 int4, i8 int8, f4 float4, f8 float8, n numeric(10,3), nu numeric, b bool, t text,
		vc varchar(7), vcn varchar, ch char(5), by bytea, byempty bytea, d date, dinf date, ts timestamp(3),
		tsinf timestamp, tz timestamptz, tzinf timestamptz, ti time, iv interval, u uuid, j json, jb jsonb, x xml,
		a int[], o oid, m money, ip inet);
	INSERT INTO every VALUES (-1, 1, 9223372036854775807, 1.5, 'NaN', 12345.678, 1e30, true, E'a\tb', 'vc', '', 'ch',
		'\xdead00', '', '2024-02-29', 'infinity', '2024-02-29 12:34:56.789', '-infinity', '2024-07-01 00:00:00.123456+02',
		'infinity', '12:34:56', '1 mon 2 days', '00112233-4455-6677-8899-aabbccddeeff', '{"a": 1}', '{"a": 1}', NULL,
		'{1,NULL}', 42, 12.34, '10.0.0.1/8');
	INSERT INTO every (i4) VALUES (2);
	INSERT INTO every VALUES (1, 3, -9223372036854775808, '-Infinity', 1e-300, -0.001, 0,
		false, '', 'now', 'ü', '', '\x00', '\xff', '0001-01-01', '-infinity', '0044-03-15 BC', 'infinity',
		'9999-12-31 23:59:59.999999+00', '-infinity', '24:00', '-1 year', NULL, 'null', '[]', NULL, '{}', 0, -1, '::1');`

// seen is all that database/sql tells of a result.
type seen struct {
	Columns []string
	Types   []columnType
	Rows    [][]any
	Err     string
}

type columnType struct {
	Name, Database           string
	Scan                     reflect.Type
	Length, Precision, Scale int64
	HasLength, HasPrecision  bool
	Nullable, HasNullable    bool
}

// look asks for everything: the columns before the first row and at each.
func look(t *testing.T, q querier, query string, args ...any) seen {
	t.Helper()
	rows, err := q.QueryContext(t.Context(), query, args...)
	if err != nil {
		return seen{Err: err.Error()}
	}
	defer rows.Close()
	var s seen
	s.Columns, err = rows.Columns()
	if err != nil {
		t.Fatal(err)
	}
	s.Types = columnTypes(t, rows)
	for rows.Next() {
		s.Types = append(s.Types, columnTypes(t, rows)...)
		values, dest := make([]any, len(s.Columns)), make([]any, len(s.Columns))
		for i := range values {
			dest[i] = &values[i]
		}
		if err := rows.Scan(dest...); err != nil {
			t.Fatal(err)
		}
		s.Rows = append(s.Rows, values)
	}
	s.Err = fmt.Sprint(rows.Err())
	return s
}

func columnTypes(t *testing.T, rows *sql.Rows) (types []columnType) {
	t.Helper()
	columns, err := rows.ColumnTypes()
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range columns {
		ct := columnType{Name: c.Name(), Database: c.DatabaseTypeName(), Scan: c.ScanType()}
		ct.Length, ct.HasLength = c.Length()
		ct.Precision, ct.Scale, ct.HasPrecision = c.DecimalSize()
		ct.Nullable, ct.HasNullable = c.Nullable()
		types = append(types, ct)
	}
	return types
}

// alike compares what two ways to ask have told, NaN and all.
func alike(t *testing.T, what string, got, want seen) {
	t.Helper()
	if fmt.Sprintf("%#v", got.Rows) != fmt.Sprintf("%#v", want.Rows) {
		t.Errorf("%s: rows\n got %#v\nwant %#v", what, got.Rows, want.Rows)
	}
	for i, row := range want.Rows {
		for j, v := range row {
			if want, ok := v.(time.Time); ok && i < len(got.Rows) && !reflect.DeepEqual(got.Rows[i][j], want) {
				t.Errorf("%s: row %d, column %d: got %#v, want %#v", what, i, j, got.Rows[i][j], want)
			}
		}
	}
	got.Rows, want.Rows = nil, nil
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%s:\n got %+v\nwant %+v", what, got, want)
	}
}

func TestCachedAndUncachedAreAlike(t *testing.T) {
	t.Parallel()
	url := pgtest.Database(t)
	pgtest.Do(t, url, everySchema)
	bare := sql.OpenDB(connector(t, url))
	t.Cleanup(func() { _ = bare.Close() })
	c := store(t)
	db, other := wrap(t, connector(t, url), c, all), wrap(t, connector(t, url), c, all)
	want := look(t, bare, everyType)
	if len(want.Rows) != 3 {
		t.Fatalf("the query brings %d rows: %s", len(want.Rows), want.Err)
	}
	alike(t, "miss", look(t, db, everyType), want)
	alike(t, "hit in the process", look(t, db, everyType), want)
	alike(t, "hit in Redis", look(t, other, everyType), want)
	if a, b := stats(t, db), stats(t, other); a.Hits != 1 || a.Misses != 1 || b.Hits != 1 || b.Cache.L2Hits != 1 {
		t.Errorf("hits and misses: %+v, %+v", a, b)
	}
}

func TestRawBytesAreNotShared(t *testing.T) {
	t.Parallel()
	db, _ := postgres(t, all)
	do(t, db, "CREATE TABLE blobs (b bytea)")
	do(t, db, `INSERT INTO blobs VALUES ('abc')`)
	for range 3 {
		rows, err := db.QueryContext(t.Context(), "SELECT b FROM blobs")
		if err != nil {
			t.Fatal(err)
		}
		for rows.Next() {
			var raw sql.RawBytes
			if err := rows.Scan(&raw); err != nil {
				t.Fatal(err)
			}
			if string(raw) != "abc" {
				t.Fatalf("got %q", raw)
			}
			raw[0] = 'X'
		}
		if err := rows.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if s := stats(t, db); s.Hits != 2 {
		t.Errorf("%+v", s)
	}
}
