//go:build larder_mutation

package mutation

import "os"

// See the constants of an ordinary build for what they mean.
var (
	NoFence     = plantedFromEnv("fence")
	NoEpoch     = plantedFromEnv("epoch")
	LateCapture = plantedFromEnv("capture")
	NoRetry     = plantedFromEnv("retry")
)

func plantedFromEnv(name string) bool { return nameFromEnv() == name }

func nameFromEnv() string { return os.Getenv("LARDER_MUTATION") }

// Planted names what is taken out.
func Planted() string { return nameFromEnv() }
