package redisconn

import (
	"strconv"
	"testing"

	"github.com/larder-go/larder/internal/redistest"
)

func TestSlot(t *testing.T) {
	t.Parallel()
	node := redistest.SharedCluster(t).Masters[0]
	for _, key := range []string{"", "foo", "123456789", "{user1000}.following", "foo{}{bar}", "foo{{bar}}zap", "foo{bar}{zap}", "{", "a{b", "}{x}", "\x00\xff"} {
		want, err := node.Do("CLUSTER", "KEYSLOT", key)
		if err != nil {
			t.Fatal(err)
		}
		if got := strconv.Itoa(int(slotOf(key))); got != want {
			t.Errorf("slot of %q is %s, want %s", key, got, want)
		}
	}
}
