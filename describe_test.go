package larder_test

import (
	"bytes"
	"context"
	"reflect"
	"testing"
	"time"

	"github.com/larder-go/larder"
	"github.com/larder-go/larder/embedded"
	"github.com/larder-go/larder/observe"
)

func TestDescribe(t *testing.T) {
	t.Parallel()
	c, err := embedded.Open(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	plain, err := larder.New(c, larder.Options[int64, bytes.Buffer]{Namespace: "plain", TTL: time.Minute, L1MaxBytes: -1})
	if err != nil {
		t.Fatal(err)
	}
	defer plain.Close()
	type page struct {
		Query string
		Limit int
	}
	key, err := larder.NewEncryptionKey("k", []byte("0123456789abcdef0123456789abcdef"))
	if err != nil {
		t.Fatal(err)
	}
	sealed, err := larder.Encrypt(larder.JSON[[]string](), key)
	if err != nil {
		t.Fatal(err)
	}
	full, err := larder.New(c, larder.Options[page, []string]{
		Namespace: "full", TTL: time.Hour, StaleFor: 24 * time.Hour, NegativeTTL: 10 * time.Second, RefreshAhead: 1.5,
		StalenessBound: 2 * time.Second, Lenient: true, Codec: sealed,
		Load:     func(context.Context, page) ([]string, error) { return nil, nil },
		Tags:     func(page) []string { return nil },
		TagsOf:   func(page, []string) []string { return nil },
		Revision: func([]string) uint64 { return 1 },
	})
	if err != nil {
		t.Fatal(err)
	}
	defer full.Close()
	local, err := larder.New(nil, larder.Options[string, bool]{
		Namespace: "local", TTL: time.Second, Local: true,
		TagsOf: func(string, bool) []string { return nil },
	})
	if err != nil {
		t.Fatal(err)
	}
	defer local.Close()
	for _, tt := range []struct{ got, want observe.Subject }{
		{plain.Describe(), observe.Subject{
			Kind: observe.Cache, Name: "plain", Prefixes: []string{"plain:"}, Pattern: "plain:<int64>", Type: "string", Value: "bytes.Buffer",
			TTL: time.Minute, Bound: larder.DefaultStalenessBound, Policy: "no memory in the process",
		}},
		{full.Describe(), observe.Subject{
			Kind: observe.Cache, Name: "full", Prefixes: []string{"full:"}, Pattern: "full:query=<string>&limit=<int>", Type: "string", Value: "[]string",
			TTL: time.Hour, Stale: 24 * time.Hour, Bound: 2 * time.Second, Tags: "by key and value",
			Policy: "absence remembered for 10s; refreshed ahead (beta 1.5); lower revisions never replace higher ones; " +
				"lenient while Redis is away; encrypted; codec aes-gcm+json; up to 64 MiB in each process",
		}},
		{local.Describe(), observe.Subject{
			Kind: observe.Cache, Name: "local", Pattern: "local:<string>", Value: "bool",
			TTL: time.Second, Tags: "by value", Policy: "in the process alone; up to 64 MiB in each process",
		}},
	} {
		if !reflect.DeepEqual(tt.got, tt.want) {
			t.Errorf("got  %+v\nwant %+v", tt.got, tt.want)
		}
		if !reflect.DeepEqual(tt.got.Describe(), tt.got) {
			t.Error("a subject describes itself")
		}
	}
}
