package larder_test

import (
	"testing"

	"github.com/larder-go/larder/internal/redistest"
)

// Sentinel promotes a replica that has not heard of an acknowledged invalidation,
// while the master that has lives on and becomes the replica of the new one.
// Clients learn of it at slightly different moments, each of their connections
// too: what is read over one that has gone over must not be judged by the
// incarnation of one that has not.
func TestPlannedFailoverToALaggingReplica(t *testing.T) {
	t.Parallel()
	for by := range newSource().invalidations() {
		t.Run(by, func(t *testing.T) {
			t.Parallel()
			s := newSource("k", "mine", "theirs")
			master := redistest.Start(t)
			replica := redistest.StartReplica(t, master)
			sentinel := redistest.StartSentinel(t, master)
			sentinel.AwaitReplica(replica)
			outlives(t, disaster{
				url: "redis+sentinel://" + sentinel.Addr() + "/" + redistest.MasterName,
				from: func() {
					replica.CatchUp(master)
					replica.CutOff()
				},
				strike: func() *redistest.Server {
					sentinel.Promote(replica)
					return replica
				},
				lossy: true,
			}, s.invalidations()[by], s)
		})
	}
}
