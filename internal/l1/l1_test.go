package l1

import (
	"testing"
	"time"

	"github.com/larder-go/larder/conn"
	"github.com/larder-go/larder/internal/generation"
)

func store(t *testing.T) (*Store[string, int], func(value int, loadedAt int64) *Entry[int]) {
	t.Helper()
	s, err := New[string, int](1 << 20)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	g := generation.NewTable(nil, time.Hour, time.Second).Get(generation.NamespaceKey("n"))
	v, _ := g.Current(0)
	number := v.Number
	return s, func(value int, loadedAt int64) *Entry[int] {
		e := &Entry[int]{Value: value, LoadedAt: loadedAt}
		e.Stamp(Stamp{g, number}, nil)
		return e
	}
}

func TestInsertNeedsAnUntouchedKey(t *testing.T) {
	var epoch conn.Epoch
	for name, tt := range map[string]struct {
		between func(*Store[string, int])
		ok      bool
	}{
		"nothing happened":       {func(*Store[string, int]) {}, true},
		"the key was dropped":    {func(s *Store[string, int]) { s.Drop("k") }, false},
		"dropped twice (no ABA)": {func(s *Store[string, int]) { s.Drop("k"); s.Drop("k") }, false},
		"everything was dropped": {func(s *Store[string, int]) { s.DropAll() }, false},
		"a prefix was dropped":   {func(s *Store[string, int]) { s.DropIf(func(string) bool { return false }) }, false},
		"the connection died":    {func(*Store[string, int]) { epoch.Advance() }, false},
	} {
		t.Run(name, func(t *testing.T) {
			s, entry := store(t)
			m := s.Mark("k", &epoch)
			tt.between(s)
			if ok := s.Insert("k", entry(1, 1), m); ok != tt.ok {
				t.Errorf("inserted: %v, want %v", ok, tt.ok)
			}
			if _, ok := s.Get("k"); ok != tt.ok {
				t.Errorf("found: %v, want %v", ok, tt.ok)
			}
		})
	}
}

func TestVoidMarkInsertsNothing(t *testing.T) {
	s, entry := store(t)
	if s.Insert("k", entry(1, 1), Mark{Void: true}) {
		t.Error("inserted")
	}
}

func TestEntryEndsWithItsConnection(t *testing.T) {
	s, entry := store(t)
	var epoch conn.Epoch
	s.Insert("k", entry(1, 1), s.Mark("k", &epoch))
	e, ok := s.Get("k")
	if !ok || !e.Covered(0) {
		t.Fatal("not covered")
	}
	epoch.Advance()
	if e.Covered(0) {
		t.Error("covered past the life of its connection")
	}
}

func TestEntryEndsWithItsGenerations(t *testing.T) {
	table := generation.NewTable(nil, time.Hour, time.Second)
	stamp := func(key string) Stamp {
		g := table.Get(key)
		n, _ := g.Current(0)
		return Stamp{g, n.Number}
	}
	for _, key := range []string{"~ns:n", "~tag:a", "~tag:b"} {
		e := &Entry[int]{}
		e.Stamp(stamp("~ns:n"), []Stamp{stamp("~tag:a"), stamp("~tag:b")})
		if !e.Covered(0) {
			t.Fatal("not covered")
		}
		if err := table.Bump(t.Context(), key); err != nil {
			t.Fatal(err)
		}
		if e.Covered(0) {
			t.Errorf("covered after %s was bumped", key)
		}
	}
}

// Answers of Redis may overtake each other: the older value must not win.
func TestLaterLoadStays(t *testing.T) {
	s, entry := store(t)
	older, newer := s.Mark("k", nil), s.Mark("k", nil)
	s.Insert("k", entry(2, 200), newer)
	s.Insert("k", entry(1, 100), older)
	if e, _ := s.Get("k"); e.Value != 2 {
		t.Errorf("the value is %d, loaded at %d", e.Value, e.LoadedAt)
	}
}

func TestDropIfDropsWhatMatches(t *testing.T) {
	s, entry := store(t)
	for _, k := range []string{"a1", "a2", "b"} {
		s.Put(k, entry(1, 1))
	}
	s.DropIf(func(k string) bool { return k[0] == 'a' })
	for k, want := range map[string]bool{"a1": false, "a2": false, "b": true} {
		if _, ok := s.Get(k); ok != want {
			t.Errorf("%s is there: %v, want %v", k, ok, want)
		}
	}
}

func TestNilStoreHoldsNothing(t *testing.T) {
	var s *Store[string, int]
	if s.Insert("k", &Entry[int]{}, s.Mark("k", nil)) || s.Len() != 0 || s.Bytes() != 0 {
		t.Error("a nil store held something")
	}
	s.Put("k", &Entry[int]{})
	s.Drop("k")
	s.DropAll()
	s.Close()
	if _, ok := s.Get("k"); ok {
		t.Error("a nil store found something")
	}
}
