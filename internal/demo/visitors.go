package demo

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"time"
)

// The visitors that come while the demo is up, so that there is something to see.
const (
	visitEvery = 25 * time.Millisecond
	// Of so many requests one is an edit, and one a log-in, which is limited.
	visitsPerEdit  = 200
	visitsPerLogin = 8
	visitors       = 12
)

// KeepBusy sends a few requests, edits and log-ins until ctx ends. They are not
// checked, and belong to no report.
func (d *Demo) KeepBusy(ctx context.Context) {
	g := newGenerator(d.URLs(), 1)
	defer g.close()
	load := makeWorkload(d.catalogue, d.opts.Seed+1, max(d.opts.Requests, rounds))
	tick := time.NewTicker(visitEvery)
	defer tick.Stop()
	for i := 0; ; i++ {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		q := load.requests[i%len(load.requests)]
		switch {
		case i%visitsPerEdit == visitsPerEdit-1 && len(load.writes) > 0:
			w := load.writes[rand.IntN(len(load.writes))]
			g.visit(ctx, http.MethodPost, w.instance, w.target)
		case i%visitsPerLogin == 0:
			// The first of them tries it more often than one may.
			who := max(rand.IntN(2*visitors)-visitors, 0)
			g.visit(ctx, http.MethodPost, q.instance, fmt.Sprintf("/login?user=visitor-%d", who))
		default:
			g.visit(ctx, http.MethodGet, q.instance, q.target)
		}
	}
}

// visit sends a request; what becomes of it is seen in the figures.
func (g *generator) visit(ctx context.Context, method string, instance int, target string) {
	r, err := http.NewRequestWithContext(ctx, method, g.urls[instance]+target, http.NoBody)
	if err != nil {
		return
	}
	res, err := g.client.Do(r)
	if err != nil {
		return
	}
	_, _ = io.Copy(io.Discard, res.Body)
	_ = res.Body.Close()
}
