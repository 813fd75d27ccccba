package upstash

import (
	"bytes"
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"net/http"
	"time"

	"github.com/larder-go/larder/conn"
)

// minPause is the pause before a read is sent again; it doubles.
const minPause = 50 * time.Millisecond

// request is one POST.
type request struct {
	op     string // for errors
	path   string // escaped
	body   []byte
	base64 bool // answered in JSON with base64, not in RESP2
	reads  bool // may be sent twice
}

// send returns the body of the response to r. Errors are as package conn has them.
func (c *Conn) send(ctx context.Context, r request) (string, error) {
	if len(r.body) > c.opts.MaxRequest {
		return "", tooLarge(len(r.body), c.opts.MaxRequest)
	}
	if !c.enter() {
		return "", conn.ErrClosed
	}
	defer c.users.Done()
	bound, release := c.bind(ctx)
	defer release()
	bound, cancel := context.WithTimeout(bound, c.opts.Timeout)
	defer cancel()

	tries := 1
	if r.reads {
		tries += c.opts.Retries
	}
	for pause := minPause; ; pause *= 2 {
		status, body, err := c.try(bound, r)
		switch {
		case err == nil && status == http.StatusOK:
			return body, nil
		case err == nil:
			return "", refusal(r.op, status, body)
		}
		if tries--; tries == 0 || errors.Is(err, errResponse) || !wait(bound, pause/2+rand.N(pause)) { //nolint:gosec // spreads load, hides nothing
			return "", c.fail(ctx, bound, r.op, err)
		}
	}
}

// wait tells whether ctx has lasted for d.
func wait(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// try sends r once and reads the response to its end.
func (c *Conn) try(ctx context.Context, r request) (status int, body string, err error) {
	res, err := c.post(ctx, r)
	if err != nil {
		return 0, "", err
	}
	defer func() { _ = res.Body.Close() }()
	if res.ContentLength > int64(c.opts.MaxResponse) {
		return 0, "", errResponse
	}
	var b []byte
	if res.ContentLength > 0 {
		// What is announced is not believed before it is there.
		b = make([]byte, 0, min(res.ContentLength, 1<<20)+1)
	}
	buf := bytes.NewBuffer(b)
	if _, err := buf.ReadFrom(io.LimitReader(res.Body, int64(c.opts.MaxResponse)+1)); err != nil {
		return 0, "", err
	}
	if buf.Len() > c.opts.MaxResponse {
		return 0, "", errResponse
	}
	if token := res.Header.Get("Upstash-Sync-Token"); token != "" {
		c.sync.Store(&token)
	}
	return res.StatusCode, buf.String(), nil
}

// post sends r and returns the response as soon as it begins.
func (c *Conn) post(ctx context.Context, r request) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, c.base+r.path, bytes.NewReader(r.body))
	if err != nil {
		return nil, err
	}
	h := req.Header
	h.Set("Authorization", c.bearer)
	h.Set("Content-Type", "application/json")
	if r.base64 {
		h.Set("Upstash-Encoding", "base64")
	} else {
		h.Set("Upstash-Response-Format", "resp2")
	}
	if token := c.sync.Load(); token != nil {
		h.Set("Upstash-Sync-Token", *token)
	}
	return c.hc.Do(req)
}
