package ratelimit

import (
	"reflect"
	"testing"
	"time"

	"github.com/larder-go/larder/embedded"
	"github.com/larder-go/larder/observe"
)

func TestDescribe(t *testing.T) {
	t.Parallel()
	c, err := embedded.Open(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	subject := func(o Options) observe.Subject {
		o.Prefix = "api"
		return limiter(t, c, o).Describe()
	}
	base := observe.Subject{
		Kind: observe.Limiter, Name: "api", Prefixes: []string{"api:"}, Pattern: "api:<identifier>:<window>", Type: "string",
		Bound: DefaultBlockFor,
	}
	with := func(change func(*observe.Subject)) observe.Subject {
		s := base
		change(&s)
		return s
	}
	for _, tt := range []struct{ got, want observe.Subject }{
		{subject(Options{Algorithm: SlidingWindow(10, 10*time.Second)}), with(func(s *observe.Subject) {
			s.TTL, s.Policy = 21*time.Second, "sliding window, 10 in 10s; while Redis is away: decided in the process"
		})},
		{subject(Options{Algorithm: FixedWindow(5, time.Hour), Away: AwayDeny, DynamicLimit: true, DenyList: true, Analytics: true, BlockFor: -1}), with(func(s *observe.Subject) {
			s.TTL, s.Bound = time.Hour, 0
			s.Policy = "fixed window, 5 in 1h; a dynamic limit replaces it; deny list; analytics for 90d; while Redis is away: all are refused"
		})},
		{subject(Options{Algorithm: CachedFixedWindow(5, time.Minute), Away: AwayAllow}), with(func(s *observe.Subject) {
			s.TTL, s.Policy = time.Minute, "cached fixed window, 5 in 1m; while Redis is away: all pass"
		})},
		{subject(Options{Algorithm: TokenBucket(5, time.Second, 20)}), with(func(s *observe.Subject) {
			s.TTL, s.Pattern, s.Type = 4*time.Second, "api:<identifier>", "hash"
			s.Policy = "token bucket, 5 back each 1s, up to 20; while Redis is away: decided in the process"
		})},
		{subject(Options{Algorithm: GCRA(10, time.Second, 20)}), with(func(s *observe.Subject) {
			s.TTL, s.Pattern = 2*time.Second, "api:<identifier>:gcra"
			s.Policy = "GCRA, 10 in 1s, bursts of 20; while Redis is away: decided in the process"
		})},
	} {
		if !reflect.DeepEqual(tt.got, tt.want) {
			t.Errorf("got  %+v\nwant %+v", tt.got, tt.want)
		}
	}
	local, err := New(nil, Options{Algorithm: FixedWindow(5, time.Minute), Prefix: "own", Local: true})
	if err != nil {
		t.Fatal(err)
	}
	defer local.Close()
	if s := local.Describe(); len(s.Prefixes) > 0 || s.Policy != "fixed window, 5 in 1m; in the process alone" {
		t.Errorf("without Redis: %+v", s)
	}
}
