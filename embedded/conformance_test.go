package embedded_test

import (
	"testing"

	"github.com/larder-go/larder/cachetest"
	"github.com/larder-go/larder/conn"
	"github.com/larder-go/larder/embedded"
)

func TestConn(t *testing.T) {
	e, err := embedded.New(embedded.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := e.Close(); err != nil {
			t.Error(err)
		}
	})
	cachetest.RunConn(t, func(*testing.T) conn.Conn { return e.Connect() })
}
