package observe_test

import (
	"testing"
	"time"

	"github.com/larder-go/larder/observe"
)

func TestNobodyCostsNoMemory(t *testing.T) {
	t.Parallel()
	o := observe.OrNobody(nil)
	o.Register(observe.Source{})()
	m := &observe.Metric{Name: "x", Instrument: observe.Histogram}
	ctx := t.Context()
	if n := testing.AllocsPerRun(100, func() {
		got, end := o.Begin(ctx, observe.Operation{Kind: observe.Cache, Name: "n", Verb: "read"})
		if got != ctx {
			t.Error("an operation that nobody watches has another context")
		}
		end(nil)
		o.Record(observe.Cache, "n", m, time.Second)
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func TestAnObserverIsKept(t *testing.T) {
	t.Parallel()
	o := observe.OrNobody(nil)
	if observe.OrNobody(o) != o {
		t.Error("another one")
	}
}
