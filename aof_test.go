package larder_test

import (
	"testing"

	"github.com/larder-go/larder/internal/redistest"
)

// A server that comes back from its append-only file has what it acknowledged, or
// lacks the last second of it.
func TestRestartFromAppendOnlyFile(t *testing.T) {
	t.Parallel()
	for fsync, lossy := range map[string]bool{"always": false, "everysec": true} {
		for by := range newSource().invalidations() {
			t.Run(fsync+"/"+by, func(t *testing.T) {
				t.Parallel()
				s := newSource("k", "mine", "theirs")
				server := redistest.Start(t, "--appendonly", "yes", "--appendfsync", fsync)
				var size int64
				outlives(t, disaster{
					url:  server.URL(),
					from: func() { size = server.Appended() },
					strike: func() *redistest.Server {
						if lossy {
							server.StopLosing(size)
						}
						server.Restart()
						return server
					},
					lossy: lossy,
				}, s.invalidations()[by], s)
			})
		}
	}
}
