//go:build !larder_mutation

package mutation

// What may be taken out.
const (
	// NoFence: a fill is stored whether or not the lease of its load still stands.
	NoFence = false
	// NoEpoch: what was read over a connection counts after it was lost.
	NoEpoch = false
	// LateCapture: generations are captured when the load has ended, not before.
	LateCapture = false
	// NoRetry: an invalidation that could not be delivered is forgotten.
	NoRetry = false
)

// Planted names what is taken out: nothing.
func Planted() string { return "" }
