package observe

import (
	"context"
	"log/slog"
	"time"
)

// OrNobody returns o, or, where that is nil, an Observer that does nothing: a
// feature then need not ask before it speaks.
func OrNobody(o Observer) Observer {
	if o == nil {
		return nobody{}
	}
	return o
}

type nobody struct{}

func (nobody) Register(Source) func() { return func() {} }

func (nobody) Begin(ctx context.Context, _ Operation) (context.Context, End) { return ctx, unheard }

func (nobody) Record(Kind, string, *Metric, time.Duration) {}

func unheard(error, ...slog.Attr) {}
