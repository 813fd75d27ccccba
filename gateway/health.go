package gateway

import (
	"context"
	"net/http"
	"time"

	"github.com/larder-go/larder/conn"
)

// readyTimeout bounds the question whether Redis answers.
const readyTimeout = 2 * time.Second

// healthy answers as long as the process does.
func (x *exchange) healthy() {
	x.endpoint = toHealth
	x.send(http.StatusOK, []byte(`{"status":"ok"}`))
}

// ready answers 503 where commands or streams would fail.
func (x *exchange) ready() {
	x.endpoint = toHealth
	if x.g.hub.closing() {
		x.refuse(http.StatusServiceUnavailable, "ERR the gateway is shutting down")
		return
	}
	ctx, cancel := context.WithTimeout(x.r.Context(), readyTimeout)
	defer cancel()
	if _, err := x.g.c.Do(ctx, conn.Cmd("PING")); err != nil {
		x.refuse(http.StatusServiceUnavailable, textUnavailable)
		return
	}
	x.send(http.StatusOK, []byte(`{"status":"ok"}`))
}
