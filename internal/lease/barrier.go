package lease

import (
	"context"
	_ "embed"
	"time"

	"github.com/larder-go/larder/conn"
	"github.com/larder-go/larder/internal/script"
)

var (
	//go:embed bar.lua
	barText string
	//go:embed lift.lua
	liftText string

	// A full server must accept a barrier too: it drops a value.
	barScript  = script.NewAllowOOM(prelude, barrierPrelude, barText)
	liftScript = script.NewAllowOOM(prelude, barrierPrelude, liftText)
)

// Bar puts up a barrier for the writer with a token, or joins the one that stands:
// until d has passed, or Lift, nobody stores what was loaded. It returns the
// server's clock.
func Bar(ctx context.Context, ev conn.Evaler, key string, token uint64, d time.Duration) (now int64, err error) {
	_, now, err = bar(ctx, ev, key, token, d, "0")
	return now, err
}

// Rebar extends a writer's time and tells whether its barrier still stood.
func Rebar(ctx context.Context, ev conn.Evaler, key string, token uint64, d time.Duration) (stood bool, err error) {
	stood, _, err = bar(ctx, ev, key, token, d, "1")
	return stood, err
}

func bar(ctx context.Context, ev conn.Evaler, key string, token uint64, d time.Duration, extend string) (stands bool, now int64, err error) {
	v, err := ev.Eval(ctx, barScript, []string{key}, []string{word(token), ms(d), extend})
	if err == nil && len(v.Elems) != 2 {
		err = errReply
	}
	if err != nil {
		return false, 0, err
	}
	return v.Elems[0].Int == 1, v.Elems[1].Int, nil
}

// Lift ends a writer's part in a barrier. The value, whose LoadedAt is what Bar
// returned, is stored if the writer was alone throughout; otherwise, and where
// there is none (Raw is empty), the key is invalidated.
func Lift(ctx context.Context, ev conn.Evaler, f Value) (stored bool, err error) {
	c := f.call()
	v, err := ev.Eval(ctx, liftScript, c.Keys, c.Args)
	if err != nil {
		return false, err
	}
	filled, err := readFilled(v)
	return filled == Stored, err
}
