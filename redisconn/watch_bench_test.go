package redisconn

import (
	"fmt"
	"testing"

	"github.com/larder-go/larder/conn"
	"github.com/larder-go/larder/internal/redistest"
	"github.com/larder-go/larder/internal/sidebyside"
	"github.com/larder-go/larder/observe"
)

// BenchmarkGetWatched compares GET over a Conn with an Observer that does nothing with
// GET over one without: what it costs to tell, whatever is made of it.
func BenchmarkGetWatched(b *testing.B) {
	s := redistest.Start(b)
	bare := open(b, s.URL(), Options{})
	watched := open(b, s.URL(), Options{Observer: observe.OrNobody(nil)})
	ctx := b.Context()
	if _, err := bare.Do(ctx, conn.Key("SET", "k", "v")); err != nil {
		b.Fatal(err)
	}
	get := func(c *Conn) func(int) error {
		return func(int) error {
			_, err := c.Do(ctx, conn.Key("GET", "k"))
			return err
		}
	}
	for _, callers := range []int{1, goroutines} {
		b.Run(fmt.Sprint(callers), func(b *testing.B) { sidebyside.Run(b, callers, get(bare), get(watched)) })
	}
}
