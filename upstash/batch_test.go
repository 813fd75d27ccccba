package upstash_test

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/larder-go/larder/conn"
	"github.com/larder-go/larder/upstash"
)

// counting counts requests and keeps the size of the largest.
type counting struct {
	requests, largest atomic.Int64
}

func (c *counting) RoundTrip(r *http.Request) (*http.Response, error) {
	c.requests.Add(1)
	c.largest.Store(max(c.largest.Load(), r.ContentLength))
	return http.DefaultTransport.RoundTrip(r)
}

// What does not fit into one request is sent in several, in order.
func TestBatches(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name             string
		commands, size   int
		maxRequest, want int
	}{
		{"by number", 2*upstash.MaxBatch + 1, 1, 0, 3},
		{"by size", 30, 300, 1024, 10},
		{"as one", upstash.MaxBatch, 1, 0, 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var via counting
			t.Cleanup(http.DefaultClient.CloseIdleConnections)
			c, err := upstash.Open(t.Context(), serve(t, engine(t)), token, upstash.Options{Transport: &via, Heartbeat: -1, MaxRequest: tt.maxRequest})
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = c.Close() }()
			via.requests.Store(0)
			cmds := make([]conn.Command, tt.commands)
			for i := range cmds {
				cmds[i] = conn.Key("APPEND", fmt.Sprint("k", i%7), strings.Repeat("x", tt.size))
			}
			for i, r := range c.Pipeline(t.Context(), cmds...) {
				if want := int64((i/7 + 1) * tt.size); r.Err != nil || r.Value.Int != want {
					t.Fatalf("result %d is %+v, want %d", i, r, want)
				}
			}
			if n := int(via.requests.Load()); n != tt.want {
				t.Errorf("%d requests, want %d", n, tt.want)
			}
			if n := int(via.largest.Load()); tt.maxRequest > 0 && n > tt.maxRequest {
				t.Errorf("a request has %d bytes, more than %d", n, tt.maxRequest)
			}
		})
	}
}

// Escapes make a command larger than its arguments; a transaction is not divided.
func TestTooLarge(t *testing.T) {
	t.Parallel()
	c, err := upstash.Open(t.Context(), serve(t, engine(t)), token, upstash.Options{MaxRequest: 1024})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close() }()
	x := conn.Key("SET", "k", strings.Repeat("x", 600))
	large := conn.Key("SET", "k", strings.Repeat("\x00", 600))
	_, alone := c.Do(t.Context(), large)
	for what, err := range map[string]error{
		"Do":          alone,
		"Pipeline":    c.Pipeline(t.Context(), x, large)[1].Err,
		"transaction": c.Pipeline(t.Context(), conn.Cmd("MULTI"), x, x, conn.Cmd("EXEC"))[3].Err,
	} {
		if err == nil || errors.Is(err, conn.ErrUnavailable) || !strings.Contains(err.Error(), "Options.MaxRequest allows 1024") {
			t.Errorf("%s: got %v", what, err)
		}
	}
}
