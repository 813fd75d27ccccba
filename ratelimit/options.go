package ratelimit

import (
	"log/slog"
	"strings"
	"time"

	"github.com/larder-go/larder/observe"
)

// The defaults of Options.
const (
	DefaultPrefix     = "@upstash/ratelimit"
	DefaultTimeout    = 250 * time.Millisecond
	DefaultBlockFor   = time.Minute
	DefaultMaxBlocked = 10_000
	DefaultMaxLocal   = 100_000
)

// Away says what happens to a request while Redis does not answer.
type Away uint8

// The values of Options.Away.
const (
	// AwayLocal decides in the process, by the same algorithm: the service stays
	// up, and an abuser is still limited by each process. It is the default.
	AwayLocal Away = iota
	// AwayAllow lets everything pass, as @upstash/ratelimit does after its timeout.
	AwayAllow
	// AwayDeny refuses everything: for limits that protect money or passwords.
	AwayDeny
)

// Options say what a Limiter allows and how. Algorithm is required; the zero value
// of everything else is a sensible default.
type Options struct {
	// Algorithm is the limit. Required.
	Algorithm Algorithm

	// Prefix begins every key, "prefix:identifier…". Limiters that share a prefix
	// share counters, deny list, dynamic limit and analytics, so each algorithm
	// wants a prefix of its own. Empty means DefaultPrefix, which is also
	// TypeScript's; up to 200 bytes without white space, control characters and
	// braces.
	Prefix string

	// DynamicLimit lets a number in Redis replace the algorithm's limit: see
	// Limiter.SetDynamicLimit. It is an error with CachedFixedWindow.
	DynamicLimit bool

	// DenyList refuses identifiers, IP addresses, user agents and countries that
	// are in Redis' set prefix:denyList:all, which TypeScript shares: see
	// Limiter.Deny and From.
	DenyList bool

	// Denied is a list in the process, from a file for example; Redis is not asked
	// about its entries. Nil means none.
	Denied *DenyList

	// Timeout bounds what one decision waits for Redis; then Away decides. 0 means
	// DefaultTimeout (250 ms); at least 1 ms, at most 1 h.
	Timeout time.Duration

	// Away says what happens where Redis does not answer. The zero value is
	// AwayLocal.
	Away Away

	// Share is the part of the limit that each process grants under AwayLocal:
	// 1/n for n processes keeps the limit of the whole. 0 means 1, the whole limit
	// in each process; at most 1; negative is an error.
	Share float64

	// BlockFor bounds for how long a refused identifier is refused by memory alone,
	// and so for how long a Reset, a refund or a raised limit of another process
	// stays unknown here. 0 means DefaultBlockFor (1 min); at least 1 ms; negative
	// means that Redis is always asked.
	BlockFor time.Duration

	// MaxBlocked bounds how many identifiers, and how many denied values, are
	// remembered for that. 0 means DefaultMaxBlocked (10,000); negative is an error.
	MaxBlocked int

	// MaxLocal bounds how many counters are kept in the process: where Local is
	// set, under AwayLocal, and by CachedFixedWindow. Beyond it those that expire
	// soonest are forgotten first, approximately. 0 means DefaultMaxLocal (100,000);
	// negative is an error.
	MaxLocal int

	// Analytics counts each decision by identifier, where TypeScript's dashboard
	// finds it; written in the background, once a second.
	Analytics bool

	// Retention is how long analytics are kept, in whole hours. 0 means
	// analytics.DefaultRetention (90 days); at least 1 h, at most ten years.
	Retention time.Duration

	// Clock tells the time, in place of Redis' own, so that Go and TypeScript agree
	// on it. Processes whose clocks differ see windows begin at different moments.
	// Nil means time.Now.
	Clock func() time.Time

	// Local says that there is no Redis: the Conn given to New is nil, and counters
	// and dynamic limit live in this process alone. DenyList and Analytics are
	// errors then.
	Local bool

	// Observer is told what is decided, and how long Redis takes for it: see Metrics
	// and docs/telemetry.md. Nil means that nobody watches.
	Observer observe.Observer

	// Logger hears when Redis goes away and comes back, and of analytics that could
	// not be written. Nil means silence.
	Logger *slog.Logger
}

func (o Options) withDefaults() Options {
	if o.Prefix == "" {
		o.Prefix = DefaultPrefix
	}
	if o.Timeout == 0 {
		o.Timeout = DefaultTimeout
	}
	if o.Share == 0 {
		o.Share = 1
	}
	if o.BlockFor == 0 {
		o.BlockFor = DefaultBlockFor
	}
	if o.MaxBlocked == 0 {
		o.MaxBlocked = DefaultMaxBlocked
	}
	if o.MaxLocal == 0 {
		o.MaxLocal = DefaultMaxLocal
	}
	if o.Clock == nil {
		o.Clock = time.Now
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	return o
}

func (o Options) validate() error {
	if err := o.Algorithm.validate(); err != nil {
		return err
	}
	switch {
	case len(o.Prefix) > 200 || strings.ContainsFunc(o.Prefix, func(r rune) bool {
		return r <= ' ' || r == 0x7f || r == '{' || r == '}'
	}):
		return optionError("Prefix", o.Prefix, "up to 200 bytes without white space, control characters and braces")
	case o.Timeout < time.Millisecond || o.Timeout > time.Hour:
		return optionError("Timeout", o.Timeout, "1ms to 1h, or 0 for 250ms")
	case o.Away > AwayDeny:
		return optionError("Away", uint8(o.Away), "AwayLocal, AwayAllow or AwayDeny")
	case o.Share < 0 || o.Share > 1 || o.Share != o.Share:
		return optionError("Share", o.Share, "above 0 to 1, or 0 for 1")
	case o.BlockFor > 0 && o.BlockFor < time.Millisecond:
		return optionError("BlockFor", o.BlockFor, "at least 1ms, 0 for 1m, or negative for not at all")
	case o.MaxBlocked < 0:
		return optionError("MaxBlocked", o.MaxBlocked, "positive, or 0 for 10000")
	case o.MaxLocal < 0:
		return optionError("MaxLocal", o.MaxLocal, "positive, or 0 for 100000")
	case o.Retention < 0 || o.Retention > maxWindow || o.Retention%time.Hour != 0:
		return optionError("Retention", o.Retention, "whole hours up to ten years, or 0 for 90 days")
	case o.DynamicLimit && o.Algorithm.kind == cachedWindow:
		return optionError("DynamicLimit", true, "false with CachedFixedWindow, which decides without asking")
	case o.Local && o.DenyList:
		return optionError("DenyList", true, "false where Local is set; use Denied")
	case o.Local && o.Analytics:
		return optionError("Analytics", true, "false where Local is set")
	}
	return nil
}
