package generation

import (
	"context"
	_ "embed"
	"errors"
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
	return bump(ctx, c, keys, func(string) []string { return []string{"0", ""} })
}

// BumpOver is Bump of one generation, the entries of which end little by little
// over d.
func BumpOver(ctx context.Context, c conn.Conn, d time.Duration, key string) error {
	return bump(ctx, c, []string{key}, func(string) []string { return []string{ms(d), ""} })
}

// BumpOnce is Bump for generations whose bump is owed since Redis was away: of
// several processes that owe the same one makes it. Each reads the generation, which
// it can do only after its debt was made, and replaces that one and no other.
func BumpOnce(ctx context.Context, c conn.Conn, keys ...string) error {
	cmds := make([]conn.Command, len(keys))
	for i, key := range keys {
		cmds[i] = conn.Key("GET", key)
	}
	expected := map[string]string{}
	for i, r := range c.Pipeline(ctx, cmds...) {
		if v := ParseValue(r.Value.Str); v.Number != 0 { // an error shows again
			expected[keys[i]] = word(v.Number)
		}
	}
	return bump(ctx, c, keys, func(key string) []string { return []string{"0", expected[key]} })
}

// bump calls the script for each key with the arguments over and the one to replace.
func bump(ctx context.Context, c conn.Conn, keys []string, how func(key string) []string) error {
	_, err := eachOf(ctx, c, bumpScript, keys, func(key string) []string {
		return append(append([]string{word(newNumber()), ms(BumpTTL)}, how(key)...), by)
	})
	return err
}

// eachOf calls a script that changes generations, with arguments made for each, and
// tells whether it has answered 1 for all. Every table of this process that uses c
// has forgotten them when it returns, whatever it returns; others are told by a push.
func eachOf(ctx context.Context, c conn.Conn, s *conn.Script, keys []string, args func(key string) []string) (all bool, err error) {
	calls := make([]conn.ScriptCall, len(keys))
	for i, key := range keys {
		calls[i] = conn.ScriptCall{Keys: []string{key}, Args: args(key)}
	}
	announce := func() {
		if tr, ok := c.Tracker(); ok {
			tr.Announce(keys...)
		}
	}
	announce()
	defer announce()
	all = true
	var errs []error
	for _, r := range c.EvalEach(ctx, s, calls...) {
		errs = append(errs, r.Err)
		all = all && r.Value.Int == 1
	}
	return all, errors.Join(errs...)
}

// ms rounds up, so that a positive time never becomes none.
func ms(d time.Duration) string {
	return strconv.FormatInt(int64((d+time.Millisecond-1)/time.Millisecond), 10)
}
