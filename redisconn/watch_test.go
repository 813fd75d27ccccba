package redisconn

import (
	"testing"

	"github.com/larder-go/larder/conn"
	"github.com/larder-go/larder/internal/observetest"
	"github.com/larder-go/larder/internal/redistest"
	"github.com/larder-go/larder/observe"
)

// Calls of every kind, whose number and names are known.
func TestWhatAnObserverIsTold(t *testing.T) {
	t.Parallel()
	srv := redistest.Start(t)
	seen, ctx := observetest.New(t), t.Context()
	c := open(t, srv.URL(), Options{Observer: seen, ReadWires: 1})
	subjects := seen.Subjects()
	if len(subjects) != 2 || subjects[0].Name != subjects[1].Name || subjects[0].Kind != observe.Redis {
		t.Fatalf("subjects: %+v", subjects) // one for each connection, added up
	}
	name := subjects[0].Name
	before, begun := seen.Figures(observe.Redis, name), len(seen.Ended(observe.Redis, ""))
	if before["larder.redis.connections"] != 2 || before["larder.redis.dials"] < 2 {
		t.Errorf("after Open: %v", before)
	}
	script := conn.NewScript("return redis.call('STRLEN', KEYS[1])")
	set := func(key string) conn.Command { return conn.Key("SET", key, "v", "EX", "60") }
	if _, err := c.Do(ctx, set("k")); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Do(ctx, conn.Key("GET", "k")); err != nil {
		t.Fatal(err)
	}
	if _, err := tracking(t, c).Do(ctx, conn.Key("GET", "k")); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Do(ctx, conn.Key("LPUSH", "k", "x")); conn.Code(err) != "WRONGTYPE" {
		t.Fatal(err)
	}
	for _, r := range c.Pipeline(ctx, set("a"), set("b"), set("c")) {
		if r.Err != nil {
			t.Fatal(r.Err)
		}
	}
	for range 2 { // the first time the server does not know it
		if _, err := c.Eval(ctx, script, []string{"k"}, nil); err != nil {
			t.Fatal(err)
		}
	}
	after := seen.Figures(observe.Redis, name)
	if n := after["larder.redis.calls"] - before["larder.redis.calls"]; n != 8 {
		t.Errorf("%v calls, want 8", n)
	}
	if after["larder.redis.failed"] != 0 || after["larder.redis.refused"] != 0 || after["larder.redis.losses"] != 0 {
		t.Errorf("figures: %v", after)
	}
	var got []string
	for _, op := range seen.Ended(observe.Redis, "")[begun:] {
		if op.Attr("db.system.name") != "redis" || op.Attr("server.address") == "" || op.Attr("db.operation.name") != op.Verb {
			t.Errorf("%s has the attributes %v", op.Verb, op.Attrs)
		}
		got = append(got, op.Verb+" "+op.Attr("db.operation.batch.size")+op.Attr("db.response.status_code"))
	}
	want := []string{"SET ", "GET ", "GET ", "LPUSH WRONGTYPE", "PIPELINE 3", "EVALSHA NOSCRIPT", "EVALSHA ", "EVALSHA "}
	if len(got) != len(want) {
		t.Fatalf("operations %q, want %q", got, want)
	}
	for i := range want {
		if got[i] != want[i] {
			t.Errorf("operation %d is %q, want %q", i, got[i], want[i])
		}
	}
	if got := len(seen.Metrics()); got != len(Metrics()) {
		t.Errorf("%d metrics are declared, Metrics lists %d", got, len(Metrics()))
	}
	_ = c.Close()
	if left := seen.Subjects(); len(left) != 0 {
		t.Errorf("after Close: %+v", left)
	}
}

// A server that goes away is seen at the gates.
func TestAnObserverSeesAServerGo(t *testing.T) {
	t.Parallel()
	srv := redistest.Start(t)
	seen := observetest.New(t)
	c := open(t, srv.URL(), Options{Observer: seen, ReadWires: 1})
	name := seen.Subjects()[0].Name
	lost := make(chan struct{}, 1)
	stop := tracking(t, c).Listen(func(keys []string) {
		if keys == nil {
			select {
			case lost <- struct{}{}:
			default:
			}
		}
	})
	defer stop()
	srv.Stop()
	next(t, lost, "the loss of the tracking connection")
	for refused := false; !refused; { // the other connection is lost a moment later
		_, err := c.Do(t.Context(), conn.Key("GET", "k"))
		refused = err != nil && !c.plain.gate.open()
	}
	if _, err := c.Do(t.Context(), conn.Key("GET", "k")); err == nil {
		t.Fatal("a server that has ended answers")
	}
	f := seen.Figures(observe.Redis, name)
	if f["larder.redis.refused"] < 1 || f["larder.redis.losses"] < 1 || f["larder.redis.connections_shut{down}"]+f["larder.redis.connections_shut{silent}"] < 1 {
		t.Errorf("figures: %v", f)
	}
}
