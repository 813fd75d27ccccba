package generation

import (
	"context"
	_ "embed"
	"time"

	"github.com/larder-go/larder/conn"
	"github.com/larder-go/larder/internal/script"
)

var (
	//go:embed barrier.lua
	barrierPrelude string
	//go:embed bar.lua
	barText string
	//go:embed lift.lua
	liftText string

	// A full server must accept a barrier too: it invalidates.
	barScript  = script.NewAllowOOM(prelude, barrierPrelude, barText)
	liftScript = script.NewAllowOOM(prelude, barrierPrelude, liftText)
)

// Bar puts up barriers for the writer with a token, or joins those that stand:
// until d has passed, or Lift, no entry of the generations counts, and a load that
// captures one of them must not be stored.
func Bar(ctx context.Context, c conn.Conn, token uint64, d time.Duration, keys ...string) error {
	_, err := eachOf(ctx, c, barScript, keys, func(string) []string { return []string{word(token), ms(d), "0"} })
	return err
}

// Rebar extends a writer's time and tells whether its barriers still stood.
func Rebar(ctx context.Context, c conn.Conn, token uint64, d time.Duration, keys ...string) (stood bool, err error) {
	return eachOf(ctx, c, barScript, keys, func(string) []string { return []string{word(token), ms(d), "1"} })
}

// Lift ends a writer's part in barriers. The last writer of each starts a new
// generation.
func Lift(ctx context.Context, c conn.Conn, token uint64, keys ...string) error {
	_, err := eachOf(ctx, c, liftScript, keys, func(string) []string {
		return []string{word(token), word(newNumber()), ms(BumpTTL), by}
	})
	return err
}
