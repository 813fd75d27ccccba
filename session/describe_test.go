package session_test

import (
	"reflect"
	"testing"
	"time"

	"github.com/larder-go/larder/embedded"
	"github.com/larder-go/larder/observe"
	"github.com/larder-go/larder/session"
)

func TestDescribe(t *testing.T) {
	t.Parallel()
	c, err := embedded.Open(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	key, err := session.NewKey("k", []byte("0123456789abcdef0123456789abcdef"))
	if err != nil {
		t.Fatal(err)
	}
	s := store(t, c, session.Options{Namespace: "s", Keys: []session.Key{key}, IdleTimeout: time.Hour, ServeStale: time.Minute})
	want := observe.Subject{
		Kind: observe.Session, Name: "s", Prefixes: []string{"s:"}, Pattern: "s:{<user>}:<SHA-256 of the id>",
		Type: "string", Value: "session_test.cart", TTL: session.DefaultLifetime,
		Policy: "ends after 1h without use; at most 100 for each user; encrypted; from memory for 1m while Redis is away",
	}
	if got := s.Describe(); !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
}
