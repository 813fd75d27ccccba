package gateway

import (
	"fmt"

	"github.com/larder-go/larder/internal/describe"
	"github.com/larder-go/larder/observe"
)

// Describe tells what the options say of the gateway: for a declared strategy, and for
// whoever watches. It owns no keys: those of its clients are theirs.
func (g *Gateway) Describe() observe.Subject {
	o := g.opts
	return observe.Subject{
		Kind: observe.Gateway,
		Name: "gateway",
		Policy: describe.Join(
			describe.If(g.tokens.readers, "a token that may only read"),
			fmt.Sprintf("requests of up to %s and %d commands", describe.Bytes(int64(o.MaxRequest)), o.MaxPipeline),
			"Redis may take "+describe.Duration(o.Timeout),
		),
	}
}
