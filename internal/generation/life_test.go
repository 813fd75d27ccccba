package generation

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/larder-go/larder/conn"
)

// leftOf is how long the generation with this key still lives.
func leftOf(t *testing.T, c conn.Doer, key string) time.Duration {
	t.Helper()
	v, err := c.Do(t.Context(), conn.Key("PTTL", key))
	if err != nil {
		t.Fatal(err)
	}
	return time.Duration(v.Int) * time.Millisecond
}

// Another process makes a generation, this one meets it when it has lived for
// some time, and goes on capturing. An entry lives for half of the ttl, and its
// generation must outlive it, whenever the load began.
func TestCapturedGenerationOutlivesTheEntry(t *testing.T) {
	const ttl, step = 2 * time.Hour, time.Minute
	for _, met := range []time.Duration{0, ttl / 4, ttl/2 - step, ttl/2 + step, 3 * ttl / 4, ttl - step} {
		t.Run("met after "+met.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				e := engine(t)
				one, c := e.Connect(), e.Connect()
				capture(t, table(t, one, ttl), TagKey("x"))
				time.Sleep(met)
				tab := table(t, c, ttl)
				first := capture(t, tab, TagKey("x"))[0]
				for age := time.Duration(0); age < 2*ttl; age += step {
					now := capture(t, tab, TagKey("x"))[0]
					if left := leftOf(t, c, TagKey("x")); now != first || left < ttl/2 {
						t.Fatalf("%v later the generation is %d, it was %d, and lives %v more; an entry lives %v",
							age, now, first, left, ttl/2)
					}
					time.Sleep(step)
				}
			})
		})
	}
}

// Redis evicts a generation that this process has seen to, and an invalidation
// makes it anew with the shorter life that every bump gives.
func TestCaptureExtendsALostAndBumpedGeneration(t *testing.T) {
	const ttl = 365 * 24 * time.Hour
	c := engine(t).Connect()
	tab := table(t, c, ttl)
	capture(t, tab, TagKey("x"))
	if _, err := c.Do(t.Context(), conn.Key("DEL", TagKey("x"))); err != nil {
		t.Fatal(err)
	}
	if err := Bump(t.Context(), c, TagKey("x")); err != nil {
		t.Fatal(err)
	}
	capture(t, tab, TagKey("x"))
	if left := leftOf(t, c, TagKey("x")); left < ttl/2 {
		t.Errorf("the generation lives %v more; an entry lives %v", left, ttl/2)
	}
}
