package larder_test

import (
	"os"
	"testing"

	"github.com/larder-go/larder/internal/redistest"
)

// racerRole is that of the second process of TestRacesOfTwoProcesses.
const racerRole = "racer"

func TestMain(m *testing.M) {
	if redistest.Role() == racerRole {
		os.Exit(runRacer(os.Stdin, os.Stdout))
	}
	os.Exit(redistest.Run(m))
}
