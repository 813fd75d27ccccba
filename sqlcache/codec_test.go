package sqlcache

import (
	"bytes"
	"database/sql/driver"
	"errors"
	"flag"
	"io"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"testing"
	"time"
)

var update = flag.Bool("update", false, "write the golden file")

// table is a driver's result in memory.
type table struct {
	names []string
	rows  [][]driver.Value
	err   error // after the rows
}

func (t *table) Columns() []string { return t.names }
func (t *table) Close() error      { return nil }

func (t *table) Next(dest []driver.Value) error {
	if len(t.rows) == 0 {
		if t.err != nil {
			return t.err
		}
		return io.EOF
	}
	copy(dest, t.rows[0])
	t.rows = t.rows[1:]
	return nil
}

func (t *table) ColumnTypeDatabaseTypeName(i int) string { return "TYPE" + t.names[i] }
func (t *table) ColumnTypeLength(int) (int64, bool)      { return math.MaxInt64, true }
func (t *table) ColumnTypeNullable(i int) (bool, bool)   { return i == 0, i < 2 }
func (t *table) ColumnTypeScanType(i int) reflect.Type   { return scanTypes[i%len(scanTypes)] }
func (t *table) ColumnTypePrecisionScale(i int) (int64, int64, bool) {
	return 10, -2, i == 1
}

var generous = limits{rows: 1000, bytes: 1 << 20}

// values are one of each kind.
func values() []driver.Value {
	at := time.Date(2024, 7, 1, 12, 34, 56, 789, time.UTC)
	return []driver.Value{
		nil, true, false, int64(0), int64(math.MinInt64), int64(math.MaxInt64), 1.5, math.Inf(-1), "", "ü\x00",
		[]byte{},
		[]byte("bytes"), []byte(nil), at, at.In(time.FixedZone("X", -3600)),
		time.Time{},
		at.In(time.Local),
	}
}

func resultOf(t *testing.T) *result {
	t.Helper()
	vs := values()
	names := make([]string, len(vs))
	for i := range names {
		names[i] = string(rune('a' + i))
	}
	names[1] = names[0]
	r, err := drain(&table{names: names, rows: [][]driver.Value{vs, vs}}, generous)
	if err != nil {
		t.Fatal(err)
	}
	return r.result
}

func TestResultsSurviveTheirEncoding(t *testing.T) {
	t.Parallel()
	want := resultOf(t)
	data, err := codec{}.Append(nil, want)
	if err != nil {
		t.Fatal(err)
	}
	got, err := codec{}.Decode(data)
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v\nwant %+v", got, want)
	}
	r := rows{result: got, left: got.cells}
	for range 2 {
		dest := make([]driver.Value, len(got.names))
		if err := r.Next(dest); err != nil || !reflect.DeepEqual(dest, values()) {
			t.Errorf("got %#v, %v\nwant %#v", dest, err, values())
		}
	}
	if err := r.Next(nil); err != io.EOF { //nolint:errorlint // as database/sql compares it
		t.Errorf("got %v", err)
	}
}

// A change of these bytes needs a new name of the codec.
func TestEncodingIsGolden(t *testing.T) {
	t.Parallel()
	got, err := codec{}.Append(nil, resultOf(t))
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join("testdata", "result.golden")
	if *update {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil || !bytes.Equal(got, want) {
		t.Errorf("%v: got %q, want %q", err, got, want)
	}
}

func TestDamagedBytesAreNoResult(t *testing.T) {
	t.Parallel()
	data, err := codec{}.Append(nil, resultOf(t))
	if err != nil {
		t.Fatal(err)
	}
	for n := range data {
		if _, err := (codec{}).Decode(data[:n]); !errors.Is(err, errCorrupt) {
			t.Fatalf("%d of %d bytes: %v", n, len(data), err)
		}
	}
	if _, err := (codec{}).Decode(append(data, 0)); !errors.Is(err, errCorrupt) {
		t.Errorf("a byte more: %v", err)
	}
}

func TestWhatCannotBeStoredPasses(t *testing.T) {
	t.Parallel()
	berlin := time.FixedZone("CET", 3600)
	elsewhere, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	for name, tc := range map[string]struct {
		value driver.Value
		ok    bool
	}{
		"a fixed zone": {time.Now().In(berlin), true},
		"a location":   {time.Now().In(elsewhere), false},
		"a type":       {uint8(1), false},
	} {
		r, err := drain(&table{names: []string{"a"}, rows: [][]driver.Value{{int64(1)}, {tc.value}, {int64(3)}}}, generous)
		if (err == nil) != tc.ok || err != nil && !errors.Is(err, errUncacheable) {
			t.Errorf("%s: %v", name, err)
		}
		dest := make([]driver.Value, 1)
		var n int
		for ; r.Next(dest) == nil; n++ {
			if v, ok := tc.value.(uint8); ok && n == 1 && dest[0] != v {
				t.Errorf("%s: got %v", name, dest[0])
			}
		}
		if n != 3 {
			t.Errorf("%s: %d rows", name, n)
		}
	}
}

func FuzzDecode(f *testing.F) {
	data, err := os.ReadFile(filepath.Join("testdata", "result.golden"))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(data)
	f.Add([]byte{1, 1, 'a', 1, 0, 0, 0, 0, 0, 0, 1, 0, 3, 2})
	f.Fuzz(func(t *testing.T, data []byte) {
		r, err := codec{}.Decode(data)
		if err != nil {
			return
		}
		rs := rows{result: r, left: r.cells}
		dest := make([]driver.Value, len(r.names))
		n := 0
		for ; rs.Next(dest) == nil; n++ {
			for i := range dest {
				_ = rs.ColumnTypeScanType(i)
			}
		}
		if n != r.count {
			t.Errorf("%d rows of %d", n, r.count)
		}
		again, err := codec{}.Append(nil, r)
		if err != nil {
			t.Fatal(err)
		}
		back, err := codec{}.Decode(again)
		if err != nil || !reflect.DeepEqual(back, r) {
			t.Errorf("%v: got %+v, want %+v", err, back, r)
		}
	})
}

func FuzzKeyTags(f *testing.F) {
	f.Add("app|=", `public.a\b|c`, "=x|y")
	f.Fuzz(func(t *testing.T, database, name, tag string) {
		s := &scope{database: database}
		key, why := s.key("SELECT 1", nil, []string{name}, []string{tag})
		if why != cached {
			return
		}
		root := rootTag(database)
		want := []string{anyDatabase, root, tagOf(root, name), tag}
		if got := tagsOfKey(key); !reflect.DeepEqual(got, want) {
			t.Errorf("got %q, want %q", got, want)
		}
	})
}

func TestKeysTellApart(t *testing.T) {
	t.Parallel()
	s := &scope{database: "db", id: "x"}
	seen := map[string]any{}
	text, one := "ada", int64(1)
	type id int64
	for i, v := range []any{
		nil, int64(1), "1", []byte("1"), 1, int32(1), id(1), uint(1), 1.0, true, false, &text, &one, (*string)(nil),
		[]int64{1},
		[]int64{},
		[]int64(nil),
		[]string{"a", "b"},
		[]string{"ab"},
		[]string{"ab", ""},
		time.Unix(1, 0), time.Unix(1, 0).UTC(),
		struct{ A, B string }{"a", "b"},
		struct{ A, B string }{"ab", ""},
	} {
		key, why := s.key("SELECT $1", arguments{{Ordinal: 1, Value: v}}, nil, nil)
		if why != cached {
			t.Errorf("%T: %v", v, why)
		}
		if other, ok := seen[key]; ok {
			t.Errorf("%d: %#v has the key of %#v", i, v, other)
		}
		seen[key] = v
	}
	for _, v := range []any{map[string]int{}, func() {}, make(chan int), []any{1}, "today", []string{"x", "NOW"}, failing{}} {
		if _, why := s.key("SELECT $1", arguments{{Ordinal: 1, Value: v}}, nil, nil); why != badArgument {
			t.Errorf("%T: %v", v, why)
		}
	}
}

// failing is a Valuer that has no value.
type failing struct{}

func (failing) Value() (driver.Value, error) { return nil, errors.New("no") }
