package larder_test

import (
	"testing"

	"github.com/larder-go/larder/conn"
)

// hset puts a hash under a key, as another program would.
func hset(t *testing.T, c conn.Doer, key string) { do(t, c, conn.Key("HSET", key, "f", "v")) }

func del(t *testing.T, c conn.Doer, key string) { do(t, c, conn.Key("DEL", key)) }

func do(t *testing.T, c conn.Doer, cmd conn.Command) conn.Value {
	t.Helper()
	v, err := c.Do(t.Context(), cmd)
	if err != nil {
		t.Fatal(err)
	}
	return v
}
