package larder

import (
	"fmt"
	"strings"

	"github.com/larder-go/larder/internal/describe"
	"github.com/larder-go/larder/observe"
)

// Describe tells what the options say of the cache: for a declared strategy, and for
// whoever watches. It does not touch Redis.
func (c *Cache[K, V]) Describe() observe.Subject {
	o := c.opts
	s := observe.Subject{
		Kind:    observe.Cache,
		Name:    o.Namespace,
		Pattern: c.prefix + c.keys.Pattern(),
		Value:   describe.Type[V](),
		TTL:     o.TTL,
		Stale:   o.StaleFor,
		Tags:    o.tagged(),
		Policy:  o.policy(),
	}
	if !o.Local {
		s.Prefixes, s.Type, s.Bound = []string{c.prefix}, "string", o.StalenessBound
	}
	return s
}

func (o Options[K, V]) tagged() string {
	switch {
	case o.Tags != nil && o.TagsOf != nil:
		return "by key and value"
	case o.TagsOf != nil:
		return "by value"
	case o.Tags != nil:
		return "by key"
	}
	return ""
}

func (o Options[K, V]) policy() string {
	codec := o.Codec.Name()
	memory := "no memory in the process"
	if o.L1MaxBytes > 0 {
		memory = "up to " + describe.Bytes(o.L1MaxBytes) + " in each process"
	}
	return describe.Join(
		describe.If(o.Local, "in the process alone"),
		describe.If(o.NegativeTTL > 0, "absence remembered for "+describe.Duration(o.NegativeTTL)),
		describe.If(o.RefreshAhead > 0, fmt.Sprintf("refreshed ahead (beta %g)", o.RefreshAhead)),
		describe.If(o.Revision != nil, "lower revisions never replace higher ones"),
		describe.If(o.Lenient, "lenient while Redis is away"),
		describe.If(strings.Contains(codec, "aes-gcm"), "encrypted"),
		describe.If(codec != "json", "codec "+codec),
		memory,
	)
}
