package keyspace

import (
	"os"
	"testing"

	"github.com/larder-go/larder/internal/redistest"
)

func TestMain(m *testing.M) { os.Exit(redistest.Run(m)) }
