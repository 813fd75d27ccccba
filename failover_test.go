package larder_test

import (
	"testing"

	"github.com/larder-go/larder/internal/redistest"
)

// Sentinel promotes a replica that has not heard of an acknowledged invalidation;
// the master that has is dead.
func TestFailoverToALaggingReplica(t *testing.T) {
	t.Parallel()
	failover(t, (*redistest.Server).Stop)
}

// The same, while the master lives on and becomes the replica of the new one.
// Clients learn of it at slightly different moments, each of their connections
// too: what is read over one that has gone over must not be judged by the
// incarnation of one that has not.
func TestPlannedFailoverToALaggingReplica(t *testing.T) {
	t.Parallel()
	failover(t, func(*redistest.Server) {})
}

// failover runs every way to invalidate against a promotion of a lagging replica;
// before does to the master what comes before it.
func failover(t *testing.T, before func(master *redistest.Server)) {
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
					before(master)
					sentinel.Promote(replica)
					return replica
				},
				lossy: true,
			}, s.invalidations()[by], s)
		})
	}
}
