package dashboard

import (
	"errors"
	"net/http"
	"strings"

	"github.com/larder-go/larder/dashboard/internal/keyspace"
	"github.com/larder-go/larder/internal/inspect"
	"github.com/larder-go/larder/observe"
	"github.com/larder-go/larder/ratelimit"
)

// maxKeyLink is the longest key that is linked: links are sent in one line.
const maxKeyLink = 16 << 10

// keyList is a page of the key explorer.
type keyList struct {
	Prefix  string
	Page    keyspace.Page
	Further bool // this is not the first page
	Problem string
	// Long is the length beyond which keys are not linked.
	Long int
}

func (d *Dashboard) keys(v *viewing) []panel {
	list := keyList{Prefix: v.query.Get("prefix"), Further: v.query.Get("from") != "", Long: maxKeyLink}
	if v.snap.problem == "" {
		ctx, cancel := d.bounded(v.r)
		defer cancel()
		page, err := keyspace.List(ctx, d.c, list.Prefix, v.query.Get("from"), d.withheld(v.snap))
		list.Page = page
		switch {
		case errors.Is(err, keyspace.ErrGone):
			list.Problem = "The node that the search had reached has left the cluster. Search again."
		case err != nil:
			list.Problem = "Redis could not be searched: " + whyAway(err) + "."
		}
	} else {
		list.Problem = "Redis cannot be searched now."
	}
	if list.Problem != "" {
		v.status = http.StatusServiceUnavailable
	}
	return []panel{{ID: "keys", Template: "keys", Wide: true, Data: list}}
}

// withheld tells which keys are only counted: those of sessions and of rate limits say
// who somebody is, those of other programs' sessions let somebody in.
func (d *Dashboard) withheld(s *snapshot) func(key string) bool {
	prefixes := append([]string{ratelimit.DefaultPrefix + ":"}, d.opts.Withhold...)
	for _, sub := range s.names(observe.Session, observe.Limiter) {
		prefixes = append(prefixes, sub.name+":")
	}
	return func(key string) bool {
		for _, p := range prefixes {
			if strings.HasPrefix(key, p) {
				return true
			}
		}
		return false
	}
}

// keyPage is what Explain tells of a key.
type keyPage struct {
	Key       string
	Report    inspect.Report
	Has       bool
	Withheld  bool
	Problem   string
	CanDrop   bool
	ReadOnly  bool
	ShowValue bool
	Value     string
	ValueOf   int // its length
	Asked     bool
}

// maxValue is how much of a value is shown where that is allowed.
const maxValue = 16 << 10

func (d *Dashboard) key(v *viewing) []panel {
	k := keyPage{Key: v.query.Get("key"), ReadOnly: d.opts.ReadOnly, Asked: v.query.Has("key")}
	d.explain(v, &k)
	return []panel{{ID: "key", Template: "key", Wide: true, Data: k}}
}

func (d *Dashboard) explain(v *viewing, k *keyPage) {
	if !k.Asked {
		return
	}
	ns, key, err := inspect.Split(k.Key)
	switch {
	case err != nil:
		k.Problem = "This is no key of a cache: those are a namespace, a colon and the key."
		v.status = http.StatusBadRequest
		return
	case d.withheld(v.snap)(k.Key):
		k.Withheld = true
		return
	}
	ctx, cancel := d.bounded(v.r)
	defer cancel()
	if d.opts.ShowValues {
		var payload string
		payload, k.ShowValue, k.Report, err = inspect.Get(ctx, d.c, ns, key)
		k.ValueOf, k.Value = len(payload), payload[:min(len(payload), maxValue)]
	} else {
		k.Report, err = inspect.Explain(ctx, d.c, ns, key)
	}
	if err != nil {
		k.Problem = "Redis could not be asked: " + whyAway(err) + "."
		v.status = http.StatusServiceUnavailable
		return
	}
	k.Has = true
	k.CanDrop = !d.opts.ReadOnly && k.Report.State != inspect.Foreign
}
