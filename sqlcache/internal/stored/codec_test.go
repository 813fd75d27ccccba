package stored

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

var generous = Limits{Rows: 1000, Bytes: 1 << 20}

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

func resultOf(t *testing.T) *Result {
	t.Helper()
	vs := values()
	names := make([]string, len(vs))
	for i := range names {
		names[i] = string(rune('a' + i))
	}
	names[1] = names[0]
	r, err := Drain(&table{names: names, rows: [][]driver.Value{vs, vs}}, generous)
	if err != nil {
		t.Fatal(err)
	}
	return r.Result
}

func TestResultsSurviveTheirEncoding(t *testing.T) {
	t.Parallel()
	want := resultOf(t)
	data, err := Codec{}.Append(nil, want)
	if err != nil {
		t.Fatal(err)
	}
	got, err := Codec{}.Decode(data)
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v\nwant %+v", got, want)
	}
	r := got.Rows()
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
	got, err := Codec{}.Append(nil, resultOf(t))
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
	data, err := Codec{}.Append(nil, resultOf(t))
	if err != nil {
		t.Fatal(err)
	}
	for n := range data {
		if _, err := (Codec{}).Decode(data[:n]); !errors.Is(err, errCorrupt) {
			t.Fatalf("%d of %d bytes: %v", n, len(data), err)
		}
	}
	if _, err := (Codec{}).Decode(append(data, 0)); !errors.Is(err, errCorrupt) {
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
		r, err := Drain(&table{names: []string{"a"}, rows: [][]driver.Value{{int64(1)}, {tc.value}, {int64(3)}}}, generous)
		if (err == nil) != tc.ok || err != nil && !errors.Is(err, ErrUncacheable) {
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
		r, err := Codec{}.Decode(data)
		if err != nil {
			return
		}
		rs := r.Rows()
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
		again, err := Codec{}.Append(nil, r)
		if err != nil {
			t.Fatal(err)
		}
		back, err := Codec{}.Decode(again)
		if err != nil || !reflect.DeepEqual(back, r) {
			t.Errorf("%v: got %+v, want %+v", err, back, r)
		}
	})
}

func FuzzKeyTags(f *testing.F) {
	f.Add("app|=", `public.a\b|c`, "=x|y")
	f.Add("\\p", "\\\\e", "")
	f.Fuzz(func(t *testing.T, database, name, tag string) {
		key := Key("hash", database, []string{name}, []string{tag})
		gotDatabase, names, tags, ok := Parts(key)
		if !ok || gotDatabase != database || !reflect.DeepEqual(names, []string{name}) || !reflect.DeepEqual(tags, []string{tag}) {
			t.Errorf("%q: got %q, %q, %q, %v", key, gotDatabase, names, tags, ok)
		}
		_, _, _, _ = Parts(name)
	})
}
