package generation

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/larder-go/larder/conn"
)

// read returns what Redis has under the key of a generation.
func read(t *testing.T, c conn.Doer, key string) Value {
	t.Helper()
	v, err := c.Do(t.Context(), conn.Key("GET", key))
	if err != nil {
		t.Fatal(err)
	}
	return ParseValue(v.Str)
}

func TestBumpSaysWhenAndWho(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := engine(t).Connect()
		for range 3 { // in one millisecond
			before := read(t, c, TagKey("x"))
			if err := Bump(t.Context(), c, TagKey("x")); err != nil {
				t.Fatal(err)
			}
			v := read(t, c, TagKey("x"))
			if v.Number == 0 || v.Number == before.Number || v.MadeAt <= before.MadeAt || v.By != by || v.Previous != 0 {
				t.Errorf("%+v after %+v", v, before)
			}
		}
		if !strings.Contains(by, "/") || len(by) > maxBy {
			t.Errorf("this process is called %q", by)
		}
	})
}

func TestBumpOverLetsTheOldEndLittleByLittle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := engine(t).Connect()
		tab := table(t, c, time.Hour)
		old := capture(t, tab, NamespaceKey("n"))[0]
		if err := BumpOver(t.Context(), c, 10*time.Second, NamespaceKey("n")); err != nil {
			t.Fatal(err)
		}
		v := read(t, c, NamespaceKey("n"))
		if v.Previous != old || v.Over != 10_000 {
			t.Fatalf("%+v, the old one was %d", v, old)
		}
		var ends [10]int
		for i := range 1000 {
			key := "n:" + string(rune('a'+i%26)) + strings.Repeat("x", i/26)
			until, ok := v.Admits(old, key, v.MadeAt)
			if !ok {
				continue // in the first millisecond
			}
			if _, late := v.Admits(old, key, until); late {
				t.Error("an entry of the old generation counts at its end")
			}
			ends[(until-v.MadeAt)/1000]++
		}
		for second, n := range ends {
			if n < 60 || n > 140 {
				t.Errorf("%d of 1000 entries end in second %d", n, second)
			}
		}
		if until, ok := v.Admits(v.Number, "n:a", v.MadeAt); !ok || until != 0 {
			t.Errorf("the new one: until %d, %v", until, ok)
		}
		for _, number := range []uint64{0, 7} {
			if _, ok := v.Admits(number, "n:a", v.MadeAt); ok {
				t.Errorf("%d is admitted", number)
			}
		}
		// One that follows at once ends what the first one left.
		if err := Bump(t.Context(), c, NamespaceKey("n")); err != nil {
			t.Fatal(err)
		}
		if v := read(t, c, NamespaceKey("n")); v.Previous != 0 {
			t.Errorf("%+v", v)
		}
	})
}

func TestBumpOnce(t *testing.T) {
	c := engine(t).Connect()
	bump := func() uint64 {
		t.Helper()
		if err := BumpOnce(t.Context(), c, TagKey("x")); err != nil {
			t.Fatal(err)
		}
		return read(t, c, TagKey("x")).Number
	}
	first := bump()
	if first == 0 {
		t.Fatal("nothing was there, and nothing was made")
	}
	if second := bump(); second == first {
		t.Error("a debt that was made after the first bump was taken for paid")
	}
	// Two that have read the same: the second finds that it is done.
	between := &meanwhile{Conn: c, fn: func() { first = bump() }}
	if err := BumpOnce(t.Context(), between, TagKey("x")); err != nil {
		t.Fatal(err)
	}
	if now := read(t, c, TagKey("x")).Number; now != first {
		t.Error("two processes that owed the same bumped twice")
	}
	// But not where what the other has made lets old entries live on.
	between = &meanwhile{Conn: c, fn: func() { _ = BumpOver(t.Context(), c, time.Hour, TagKey("x")) }}
	if err := BumpOnce(t.Context(), between, TagKey("x")); err != nil {
		t.Fatal(err)
	}
	if v := read(t, c, TagKey("x")); v.Previous != 0 {
		t.Error("a debt was taken for paid by one that lets old entries live on")
	}
}

// meanwhile calls fn between the commands and the script of a BumpOnce.
type meanwhile struct {
	conn.Conn
	fn func()
}

func (m *meanwhile) Pipeline(ctx context.Context, cmds ...conn.Command) []conn.Result {
	defer m.fn()
	return m.Conn.Pipeline(ctx, cmds...)
}

func TestCaptureLate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := engine(t).Connect()
		tab := table(t, c, time.Hour)
		late := func(load func()) bool {
			t.Helper()
			g := tab.Get(TagKey("x"))
			b := tab.Begin("n:k", time.Now().UnixMilli())
			load()
			out, ok := make([]Value, 1), make([]bool, 1)
			if err := tab.CaptureLate(t.Context(), []*Generation{g}, []Beginning{b}, out, ok); err != nil {
				t.Fatal(err)
			}
			if ok[0] && out[0].Number != read(t, c, TagKey("x")).Number {
				t.Errorf("captured %+v", out[0])
			}
			return ok[0]
		}
		pass := func() { time.Sleep(time.Second) }
		if late(pass) {
			t.Error("a tag that was missing counts as bumped")
		}
		time.Sleep(10 * time.Millisecond)
		if !late(pass) {
			t.Error("a tag that nobody has touched was refused")
		}
		if late(func() { pass(); _ = Bump(t.Context(), c, TagKey("x")); pass() }) {
			t.Error("a tag that was bumped during the load was accepted")
		}
		if late(func() { _, _ = c.Do(t.Context(), conn.Key("DEL", TagKey("x"))); pass() }) {
			t.Error("a tag that was lost during the load was accepted")
		}
	})
}

func TestCaptureLateWithoutRedis(t *testing.T) {
	tab := NewTable(nil, time.Hour, time.Second)
	g, out, ok := tab.Get(TagKey("x")), make([]Value, 1), make([]bool, 1)
	b := tab.Begin("n:k", 0)
	if err := tab.CaptureLate(t.Context(), []*Generation{g}, []Beginning{b}, out, ok); !ok[0] || err != nil || out[0].Number == 0 {
		t.Error(ok, err, out)
	}
	if err := tab.Bump(t.Context(), TagKey("never seen")); err != nil {
		t.Fatal(err)
	}
	if err := tab.CaptureLate(t.Context(), []*Generation{g}, []Beginning{b}, out, ok); ok[0] || err != nil {
		t.Error("a tag may have been bumped during the load, and was accepted", err)
	}
}
