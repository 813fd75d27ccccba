package gateway_test

import (
	"strings"
	"testing"

	"github.com/larder-go/larder/gateway"
	"github.com/larder-go/larder/observe"
)

func TestDescribe(t *testing.T) {
	t.Parallel()
	g, err := gateway.New(openEmbedded(t), gateway.Options{Token: "hush", ReadOnlyToken: "hush too"})
	if err != nil {
		t.Fatal(err)
	}
	defer g.Close()
	s := g.Describe()
	if s.Kind != observe.Gateway || len(s.Prefixes)+len(s.Keys) > 0 || strings.Contains(s.Policy, "hush") ||
		s.Policy != "a token that may only read; requests of up to 10 MiB and 100000 commands; Redis may take 10s" {
		t.Errorf("%+v", s)
	}
}
