package coarse

import (
	"testing"
	"testing/synctest"
	"time"
)

func TestClockFollowsTimeAndStops(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := Open(), Open()
		start := a.Now()
		time.Sleep(time.Second)
		synctest.Wait()
		if d := time.Duration(b.Now() - start); d < time.Second-Resolution || d > time.Second {
			t.Errorf("after 1s the clock has moved by %v", d)
		}
		a.Close()
		a.Close()
		before := b.Now()
		time.Sleep(time.Second)
		synctest.Wait()
		if b.Now() == before {
			t.Error("the clock stopped while it had a user")
		}
		time.Sleep(Resolution / 2)
		if now := b.Sync(); time.Duration(now-start) != 2*time.Second+Resolution/2 {
			t.Errorf("Sync = %v after the start", time.Duration(now-start))
		}
		b.Close() // the bubble fails if the goroutine lives on
	})
}
