package upstash_test

import (
	"testing"

	"github.com/larder-go/larder/cachetest"
	"github.com/larder-go/larder/internal/redistest"
)

func TestConnOverEngine(t *testing.T) {
	t.Parallel()
	cachetest.RunConn(t, opener(serve(t, engine(t))))
}

func TestConnOverRedis(t *testing.T) {
	t.Parallel()
	cachetest.RunConn(t, opener(serve(t, redis(t, redistest.Start(t).URL()))))
}

func TestCacheOverEngine(t *testing.T) {
	t.Parallel()
	cachetest.RunCache(t, cachetest.Backend{Open: opener(serve(t, engine(t))), NoL1: true})
}

// With values in the process, which are told of changes by publish/subscribe.
func TestCacheWithL1OverEngine(t *testing.T) {
	t.Parallel()
	cachetest.RunCache(t, cachetest.Backend{Open: opener(serve(t, engine(t)))})
}

func TestCacheOverRedis(t *testing.T) {
	t.Parallel()
	cachetest.RunCache(t, cachetest.Backend{Open: opener(serve(t, redis(t, redistest.Start(t).URL()))), NoL1: true})
}
