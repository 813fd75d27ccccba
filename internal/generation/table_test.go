package generation

import (
	"fmt"
	"testing"
	"time"

	"github.com/larder-go/larder/conn"
	"github.com/larder-go/larder/embedded"
)

func engine(t *testing.T) *embedded.Engine {
	t.Helper()
	e, err := embedded.New(embedded.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = e.Close() })
	return e
}

// table makes a Table that hears of pushes, as a cache's does.
func table(t *testing.T, c conn.Conn, ttl time.Duration) *Table {
	t.Helper()
	tab := NewTable(c, ttl, time.Second)
	tr, _ := c.Tracker()
	t.Cleanup(tr.Listen(func(keys []string) {
		if keys == nil {
			tab.ForgetAll()
		}
		for _, k := range keys {
			tab.Forget(k)
		}
	}))
	return tab
}

func capture(t *testing.T, tab *Table, keys ...string) []uint64 {
	t.Helper()
	var gs []*Generation
	for _, k := range keys {
		gs = append(gs, tab.Get(k))
	}
	out := make([]Value, len(gs))
	if err := tab.Capture(t.Context(), gs, out); err != nil {
		t.Fatal(err)
	}
	numbers := make([]uint64, len(gs))
	for i, v := range out {
		numbers[i] = v.Number
	}
	return numbers
}

func TestCaptureMakesAndKeeps(t *testing.T) {
	e := engine(t)
	a, b := table(t, e.Connect(), time.Hour), table(t, e.Connect(), time.Hour)
	first := capture(t, a, TagKey("x"), TagKey("y"))
	if first[0] == 0 || first[1] == 0 || first[0] == first[1] {
		t.Fatalf("captured %v", first)
	}
	for _, tab := range []*Table{a, b} {
		if again := capture(t, tab, TagKey("x"), TagKey("y")); again[0] != first[0] || again[1] != first[1] {
			t.Errorf("captured %v, then %v", first, again)
		}
		if g := tab.Get(TagKey("x")); !g.Is(first[0], 0) {
			t.Error("what was captured is not known")
		}
	}
}

func TestBumpReachesEveryTable(t *testing.T) {
	e := engine(t)
	one, two := e.Connect(), e.Connect()
	a, b, same := table(t, one, time.Hour), table(t, two, time.Hour), table(t, one, time.Hour)
	old := capture(t, a, TagKey("x"))[0]
	for _, tab := range []*Table{b, same} {
		capture(t, tab, TagKey("x"))
	}
	if err := Bump(t.Context(), one, TagKey("x")); err != nil {
		t.Fatal(err)
	}
	for i, tab := range []*Table{a, b, same} {
		if tab.Get(TagKey("x")).Is(old, 0) {
			t.Errorf("table %d still takes the old generation for current", i)
		}
		if now := capture(t, tab, TagKey("x"))[0]; now == old || now == 0 {
			t.Errorf("table %d reads %d", i, now)
		}
	}
}

// A reading that was under way when the generation was taken back is not learnt.
func TestOvertakenReadingIsNotLearnt(t *testing.T) {
	c := engine(t).Connect()
	tab := table(t, c, time.Hour)
	g := tab.Get(TagKey("x"))
	r := g.begin()
	tab.Forget(TagKey("x"))
	g.learn(r, Value{Number: 7})
	if _, known := g.Current(0); known {
		t.Error("learnt from before it was taken back")
	}
	r = g.begin()
	g.epoch.Advance()
	g.learn(r, Value{Number: 7})
	if _, known := g.Current(0); known {
		t.Error("learnt over a connection that was lost")
	}
	g.learn(g.begin(), Value{Number: 7})
	if !g.Is(7, 0) {
		t.Error("not learnt")
	}
	g.epoch.Advance()
	if g.Is(7, 0) {
		t.Error("known past the life of its connection")
	}
}

func TestLostGenerationIsMadeAnew(t *testing.T) {
	c := engine(t).Connect()
	tab := table(t, c, time.Hour)
	old := capture(t, tab, TagKey("x"))[0]
	if _, err := c.Do(t.Context(), conn.Key("DEL", TagKey("x"))); err != nil {
		t.Fatal(err)
	}
	out := []Value{{Number: 1}}
	if err := tab.Read(t.Context(), []*Generation{tab.Get(TagKey("x"))}, out); err != nil || out[0].Number != 0 {
		t.Errorf("a missing generation reads as %+v, %v", out[0], err)
	}
	if again := capture(t, tab, TagKey("x"))[0]; again == 0 || again == old {
		t.Errorf("made anew as %d, it was %d", again, old)
	}
	if _, err := c.Do(t.Context(), conn.Key("SET", TagKey("x"), "rubbish", "PX", "60000")); err != nil {
		t.Fatal(err)
	}
	if again := capture(t, tab, TagKey("x"))[0]; again == 0 {
		t.Error("rubbish was taken for a generation")
	}
}

func TestGenerationsOutliveTheirEntries(t *testing.T) {
	c := engine(t).Connect()
	left := func() time.Duration {
		v, err := c.Do(t.Context(), conn.Key("PTTL", TagKey("x")))
		if err != nil {
			t.Fatal(err)
		}
		return time.Duration(v.Int) * time.Millisecond
	}
	capture(t, table(t, c, time.Hour), TagKey("x"))
	if d := left(); d <= 59*time.Minute || d > time.Hour {
		t.Errorf("lives for %v, want an hour", d)
	}
	capture(t, table(t, c, 100*time.Hour), TagKey("x"))
	if d := left(); d <= 99*time.Hour {
		t.Errorf("lives for %v; another cache needs 100h", d)
	}
	if err := Bump(t.Context(), c, TagKey("x")); err != nil {
		t.Fatal(err)
	}
	if d := left(); d <= 99*time.Hour {
		t.Errorf("a bump shortened its life to %v", d)
	}
	if err := Bump(t.Context(), c, TagKey("new")); err != nil {
		t.Fatal(err)
	}
}

func TestTableIsBounded(t *testing.T) {
	tab := NewTable(nil, time.Hour, time.Second)
	first := tab.Get(TagKey("first"))
	for i := range MaxTags + 10 {
		tab.Get(TagKey(fmt.Sprint(i)))
	}
	if n := len(tab.byKey); n > MaxTags {
		t.Errorf("%d generations, want %d at most", n, MaxTags)
	}
	if _, known := first.Current(0); tab.byKey[TagKey("first")] != first && known {
		t.Error("a Generation that left the table is still known: no push would reach it")
	}
}

func TestLocalBump(t *testing.T) {
	tab := NewTable(nil, time.Hour, time.Second)
	g := tab.Get(TagKey("x"))
	n, ok := g.Current(0)
	if !ok || !tab.Get(TagKey("x")).Is(n.Number, 0) {
		t.Fatal("a local generation is always known")
	}
	if err := tab.Bump(t.Context(), TagKey("x"), TagKey("unknown")); err != nil {
		t.Fatal(err)
	}
	if g.Is(n.Number, 0) || tab.Get(TagKey("x")).Is(n.Number, 0) {
		t.Error("the old generation is still current")
	}
}
