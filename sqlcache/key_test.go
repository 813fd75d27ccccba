package sqlcache

import (
	"database/sql/driver"
	"errors"
	"reflect"
	"testing"
	"time"
)

// The tags of a key are those that it was made of, below their database's root.
func TestTagsOfKeys(t *testing.T) {
	t.Parallel()
	const database, name, tag = "app|=", `public.a\b|c`, "=x|y"
	s := &scope{database: database}
	key, why := s.key("SELECT 1", nil, []string{name}, []string{tag})
	root := rootTag(database)
	if got, want := tagsOfKey(key), []string{anyDatabase, root, tagOf(root, name), tag}; why != cached || !reflect.DeepEqual(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	if got := tagsOfKey("no key"); !reflect.DeepEqual(got, []string{anyDatabase}) {
		t.Errorf("no key: %q", got)
	}
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
