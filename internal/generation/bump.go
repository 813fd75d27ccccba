package generation

import (
	"context"
	_ "embed"
	"errors"
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/larder-go/larder/conn"
	"github.com/larder-go/larder/internal/script"
)

var (
	//go:embed bump.lua
	bumpText   string
	bumpScript = script.NewAllowOOM(prelude, bumpText)
)

// BumpTTL is how long a generation lives at least after an invalidation. Loads
// extend it as their entries need.
const BumpTTL = 24 * time.Hour

// Bump starts new generations in Redis. Every table of this process that uses c
// has forgotten the old ones when it returns, whatever it returns; others are
// told by a push.
func Bump(ctx context.Context, c conn.Conn, keys ...string) error {
	return bump(ctx, c, keys, func(string) []string { return []string{"0", "-1"} })
}

// BumpOver is Bump of one generation, the entries of which end little by little
// over d.
func BumpOver(ctx context.Context, c conn.Conn, d time.Duration, key string) error {
	return bump(ctx, c, []string{key}, func(string) []string { return []string{ms(d), "-1"} })
}

// BumpUnless is Bump, but leaves a generation alone that was made after a moment
// of [conn.Uptime]: of several processes that owe the same invalidation one makes
// it.
func BumpUnless(ctx context.Context, c conn.Conn, madeAfter map[string]time.Duration) error {
	now := conn.Uptime()
	return bump(ctx, c, slices.Collect(maps.Keys(madeAfter)), func(key string) []string {
		// Rounded down, and the script runs later still: what was made within this
		// time before it was made after the moment.
		return []string{"0", strconv.FormatInt((now - madeAfter[key]).Milliseconds(), 10)}
	})
}

// bump calls the script for each key with the arguments over and covered.
func bump(ctx context.Context, c conn.Conn, keys []string, how func(key string) []string) error {
	calls := make([]conn.ScriptCall, len(keys))
	for i, key := range keys {
		calls[i] = conn.ScriptCall{
			Keys: []string{key},
			Args: append(append([]string{word(newNumber()), ms(BumpTTL)}, how(key)...), by),
		}
	}
	announce := func() {
		if tr, ok := c.Tracker(); ok {
			tr.Announce(keys...)
		}
	}
	announce()
	defer announce()
	var errs []error
	for _, r := range c.EvalEach(ctx, bumpScript, calls...) {
		errs = append(errs, r.Err)
	}
	return errors.Join(errs...)
}

func ms(d time.Duration) string { return strconv.FormatInt(d.Milliseconds(), 10) }
