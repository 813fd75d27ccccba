package main

import (
	"context"
	"encoding/json"
	"testing"
	"time"

	"github.com/larder-go/larder/internal/redistest"
	"github.com/larder-go/larder/observe"
	"github.com/larder-go/larder/redisconn"
	"github.com/larder-go/larder/telemetry"
)

func TestTop(t *testing.T) {
	t.Parallel()
	url := redistest.Start(t).URL()
	outcome(t, 0, "No process has written figures", "", "top", "--redis", url)
	c, err := redisconn.Open(t.Context(), url, redisconn.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	tel, err := telemetry.New(c, telemetry.Options{Service: "shop", Instance: "shop-1", FlushEvery: time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = tel.Close(context.Background()) })
	_, end := tel.Begin(t.Context(), observe.Operation{Kind: observe.Topic, Name: "orders", Verb: "publish"})
	end(nil)
	if err := tel.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	outcome(t, 0, "shop-1", "", "top", "--redis", url)
	outcome(t, 0, "orders", "", "top", "--once", "--redis", url, "--service", "shop")
	outcome(t, 0, "No process", "", "top", "--redis", url, "--service", "another")
	out := outcome(t, 0, `"alive":1`, "", "top", "--json", "--minutes", "2", "--redis", url)
	var got struct{ Others []struct{ Name string } }
	if err := json.Unmarshal([]byte(out), &got); err != nil || len(got.Others) != 1 || got.Others[0].Name != "orders" {
		t.Errorf("%v: %s", err, out)
	}
	outcome(t, 2, "", "--minutes must be", "top", "--minutes", "0", "--redis", url)
	outcome(t, 2, "", "unexpected argument", "top", "now")
}
