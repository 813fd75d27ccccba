package larder_test

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/larder-go/larder"
)

func TestKeysCountAgainstL1MaxBytes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const limit, keyBytes = 1 << 20, 60 << 10
		c := newCache(t, nil, larder.Options[string, int64]{
			L1MaxBytes: limit, MaxKeyBytes: 64 << 10, Load: always(1),
		})
		long := strings.Repeat("x", keyBytes)
		for i := range 100 {
			if _, err := c.Get(t.Context(), fmt.Sprint(long, i)); err != nil {
				t.Fatal(err)
			}
		}
		synctest.Wait() // entries are evicted in the background
		if s := c.Stats(); s.L1Entries*keyBytes > 2*limit {
			t.Errorf("%d keys of 60 KiB are held, %d bytes by their count; the limit is 1 MiB", s.L1Entries, s.L1Bytes)
		}
	})
}
