// Package server opens the Redis that the examples run on. The example client
// shows the same lines with their reasons.
package server

import (
	"context"
	"os"

	"github.com/larder-go/larder/conn"
	"github.com/larder-go/larder/embedded"
	"github.com/larder-go/larder/redisconn"
)

// Open connects to REDIS_URL, or starts an engine in the process where the
// variable is unset.
func Open(ctx context.Context) (conn.Conn, error) {
	if url, ok := os.LookupEnv("REDIS_URL"); ok {
		return redisconn.Open(ctx, url, redisconn.Options{})
	}
	return embedded.Open(ctx)
}
