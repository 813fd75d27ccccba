package benchmarks

import (
	"context"
	"errors"
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/go-redis/redis_rate/v10"
	"github.com/redis/go-redis/v9"
	"github.com/redis/rueidis"
	"github.com/redis/rueidis/rueidislimiter"
	"github.com/ulule/limiter/v3"
	ulule "github.com/ulule/limiter/v3/drivers/store/redis"

	"github.com/larder-go/larder/internal/redistest"
	"github.com/larder-go/larder/internal/sidebyside"
	"github.com/larder-go/larder/ratelimit"
	"github.com/larder-go/larder/redisconn"
)

func TestMain(m *testing.M) { os.Exit(redistest.Run(m)) }

const (
	goroutines  = 64
	identifiers = 1000
	plenty      = 1_000_000_000 // a limit that is never reached
)

var (
	ids [identifiers]string

	errRefused = errors.New("the request was refused")
)

func init() {
	for i := range ids {
		ids[i] = "user:" + string(rune('a'+i%26)) + string(rune('a'+i/26%26)) + string(rune('a'+i/676))
	}
}

// bareClient is rueidis as it comes, but for caching.
func bareClient(b testing.TB, server *redistest.Server) rueidis.Client {
	b.Helper()
	c, err := rueidis.NewClient(rueidis.ClientOption{InitAddress: []string{server.Addr()}, DisableCache: true, ForceSingleClient: true})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(c.Close)
	return c
}

// bareScript is what a decision costs at least: EVALSHA of the script of
// ratelimit.FixedWindow, with the arguments that the limiter sends, over rueidis.
func bareScript(b testing.TB, c rueidis.Client) func(ctx context.Context, id string) (bool, error) {
	b.Helper()
	text := ""
	for _, file := range []string{"prelude.lua", "fixed_window.lua"} {
		part, err := os.ReadFile("../ratelimit/" + file)
		if err != nil {
			b.Fatal(err)
		}
		text += string(part)
	}
	digest, err := c.Do(context.Background(), c.B().ScriptLoad().Script(text).Build()).ToString()
	if err != nil {
		b.Fatal(err)
	}
	limit, window := strconv.Itoa(plenty), strconv.FormatInt(time.Hour.Milliseconds(), 10)
	return func(ctx context.Context, id string) (bool, error) {
		cmd := c.B().Evalsha().Sha1(digest).Numkeys(1).Key("bare:"+id).Arg(limit, "0", "0", "1", window).Build()
		used, err := c.Do(ctx, cmd).ToInt64()
		return used <= plenty, err
	}
}

// limiters are one call of each library.
func limiters(b testing.TB, server *redistest.Server, bare rueidis.Client) map[string]func(ctx context.Context, id string) (allowed bool, err error) {
	b.Helper()
	goRedis := redis.NewClient(&redis.Options{Addr: server.Addr()})
	b.Cleanup(func() { _ = goRedis.Close() })
	store, err := ulule.NewStoreWithOptions(goRedis, limiter.StoreOptions{Prefix: "ulule"})
	if err != nil {
		b.Fatal(err)
	}
	u := limiter.New(store, limiter.Rate{Period: time.Hour, Limit: plenty})
	rate := redis_rate.NewLimiter(goRedis)
	r, err := rueidislimiter.NewRateLimiter(rueidislimiter.RateLimiterOption{
		ClientOption: rueidis.ClientOption{InitAddress: []string{server.Addr()}, DisableCache: true, ForceSingleClient: true},
		ClientBuilder: func(o rueidis.ClientOption) (rueidis.Client, error) {
			c, err := rueidis.NewClient(o)
			if err == nil {
				b.Cleanup(c.Close)
			}
			return c, err
		},
		Limit: plenty, Window: time.Hour,
	})
	if err != nil {
		b.Fatal(err)
	}

	all := map[string]func(ctx context.Context, id string) (bool, error){
		"bare-script": bareScript(b, bare),
		"ulule": func(ctx context.Context, id string) (bool, error) {
			r, err := u.Get(ctx, id)
			return !r.Reached, err
		},
		"redis_rate": func(ctx context.Context, id string) (bool, error) {
			r, err := rate.Allow(ctx, id, redis_rate.Limit{Rate: plenty, Burst: plenty, Period: time.Hour})
			return err == nil && r.Allowed == 1, err
		},
		"rueidislimiter": func(ctx context.Context, id string) (bool, error) {
			r, err := r.Allow(ctx, id)
			return r.Allowed, err
		},
	}
	c, err := redisconn.Open(context.Background(), server.URL(), redisconn.Options{})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = c.Close() })
	for name, a := range map[string]ratelimit.Algorithm{
		"larder-fixed":   ratelimit.FixedWindow(plenty, time.Hour),
		"larder-sliding": ratelimit.SlidingWindow(plenty, time.Hour),
		"larder-bucket":  ratelimit.TokenBucket(plenty, time.Hour, plenty),
		"larder-gcra":    ratelimit.GCRA(plenty, time.Hour, 1_000_000),
		"larder-cached":  ratelimit.CachedFixedWindow(plenty, time.Hour),
	} {
		l, err := ratelimit.New(c, ratelimit.Options{Algorithm: a, Prefix: name, Timeout: 10 * time.Second})
		if err != nil {
			b.Fatal(err)
		}
		b.Cleanup(func() { _ = l.Close() })
		all[name] = func(ctx context.Context, id string) (bool, error) {
			d, err := l.Limit(ctx, id)
			return d.Allowed, err
		}
	}
	return all
}

// BenchmarkRateLimit compares a decision that allows with a bare INCR of rueidis, at
// 64 goroutines over a real Redis.
func BenchmarkRateLimit(b *testing.B) {
	server := redistest.Start(b)
	bare := bareClient(b, server)
	ctx := context.Background()
	for name, allow := range limiters(b, server, bare) {
		b.Run(name, func(b *testing.B) {
			sidebyside.Run(b, goroutines, func(i int) error {
				return bare.Do(ctx, bare.B().Incr().Key(ids[i%identifiers]).Build()).Error()
			}, func(i int) error {
				ok, err := allow(ctx, ids[i%identifiers])
				if err == nil && !ok {
					err = errRefused
				}
				return err
			})
		})
	}
}

// Each of the libraries allows, and counts what it has allowed.
func TestLimitersCount(t *testing.T) {
	server := redistest.Start(t)
	for name, allow := range limiters(t, server, bareClient(t, server)) {
		ok, err := allow(t.Context(), "u")
		if err != nil || !ok {
			t.Errorf("%s: %v, %v", name, ok, err)
		}
	}
}
