package redistest

import (
	"context"
	"net"
	"strconv"
	"testing"
)

// freePort asks the kernel for a port that nobody listens on. Another process
// may take it before the server does; Start then tries the next one.
func freePort(tb testing.TB) string {
	tb.Helper()
	l, err := new(net.ListenConfig).Listen(context.Background(), "tcp", "127.0.0.1:0")
	if err != nil {
		tb.Fatalf("redistest: no free port on 127.0.0.1: %v", err)
	}
	defer l.Close()
	return strconv.Itoa(l.Addr().(*net.TCPAddr).Port)
}
