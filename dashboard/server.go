package dashboard

import (
	"context"
	"errors"
	"strconv"
	"strings"

	"github.com/larder-go/larder/conn"
)

// server is what the Redis server tells of itself.
type server struct {
	// Name is its kind and version.
	Name  string
	Nodes int
	// Memory and MaxMemory are in bytes, 0 where it does not tell; Policy is what it
	// does when they meet.
	Memory, MaxMemory float64
	Policy            string
	Evicted           float64
	Clients           float64
	Tracking          bool
}

// readServer asks each node for INFO.
func readServer(ctx context.Context, c conn.Conn) (server, error) {
	caps := c.Capabilities()
	s := server{Name: strings.TrimSpace(caps.Server + " " + caps.Version), Nodes: 1, Tracking: caps.Tracking}
	nodes := []string{""}
	nd, ok := c.(conn.NodeDoer)
	if ok && caps.Cluster {
		if nodes = nd.Nodes(); len(nodes) == 0 {
			return s, &conn.Error{Op: "INFO", Err: errors.New("no node of the cluster is known")}
		}
		s.Nodes, s.Name = len(nodes), s.Name+" cluster"
	}
	for _, node := range nodes {
		ask := c.Do
		if node != "" {
			ask = func(ctx context.Context, cmd conn.Command) (conn.Value, error) { return nd.DoAt(ctx, node, cmd) }
		}
		v, err := ask(ctx, conn.Cmd("INFO"))
		if conn.Code(err) != "" {
			continue // not allowed, or unknown: then it is not shown
		}
		if err != nil {
			return s, err
		}
		s.add(v.Str)
	}
	return s, nil
}

func (s *server) add(info string) {
	for line := range strings.Lines(info) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), ":")
		n, _ := strconv.ParseFloat(value, 64)
		switch name {
		case "used_memory":
			s.Memory += n
		case "maxmemory":
			s.MaxMemory += n
		case "maxmemory_policy":
			s.Policy = value
		case "evicted_keys":
			s.Evicted += n
		case "connected_clients":
			s.Clients += n
		}
	}
}

// whyAway puts an error into words for the page. Errors hold no values and no
// credentials.
func whyAway(err error) string {
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		return "it did not answer in time"
	case errors.Is(err, context.Canceled):
		return "the page was closed"
	case errors.Is(err, conn.ErrClosed):
		return "the connection is closed"
	}
	if se, ok := errors.AsType[*conn.ServerError](err); ok {
		return "it answered: " + se.Code()
	}
	return "the connection failed"
}
