package wall_test

import (
	"testing"
	"time"

	"github.com/larder-go/larder/internal/wall"
)

func TestSkew(t *testing.T) {
	now := time.Now()
	if got := wall.MilliAt(now); got != now.UnixMilli() {
		t.Errorf("%d, want %d", got, now.UnixMilli())
	}
	wall.Skew(-time.Hour)
	defer wall.Skew(0)
	if got, want := wall.MilliAt(now), now.Add(-time.Hour).UnixMilli(); got != want {
		t.Errorf("%d, want %d", got, want)
	}
	if got := wall.Milli() - now.UnixMilli(); got > -3_000_000 {
		t.Errorf("%d ms ahead", got)
	}
}
