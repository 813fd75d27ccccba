package soak

import (
	"context"
	"strconv"
	"strings"

	"github.com/larder-go/larder/conn"
)

// server looks at what the run does to Redis.
type server struct {
	conn conn.Conn
	id   string // part of every name of the run
	// alone says that the server held nothing when the run began: then all its keys
	// count, and its memory and connections do.
	alone bool
	real  bool // no embedded engine, whose memory is the process' own
}

func newServer(ctx context.Context, c conn.Conn, id string, isReal bool) (*server, error) {
	s := &server{conn: c, id: id, real: isReal, alone: true}
	err := c.Scan(ctx, "*", func(keys []string) error {
		s.alone = s.alone && len(keys) == 0
		return nil
	})
	return s, err
}

// sample measures the server into out. Figures that it does not tell become -1.
func (s *server) sample(ctx context.Context, out *Sample) error {
	out.ServerMemory, out.ServerClients = -1, -1
	if s.real && s.alone {
		out.ServerMemory = s.info(ctx, "memory", "used_memory")
		out.ServerClients = s.info(ctx, "clients", "connected_clients")
	}
	pattern := "*"
	if !s.alone {
		pattern = "*" + s.id + "*"
	}
	out.Keys, out.Immortal = 0, 0
	return s.conn.Scan(ctx, pattern, func(keys []string) error {
		cmds := make([]conn.Command, len(keys))
		for i, key := range keys {
			cmds[i] = conn.Key("PTTL", key)
		}
		for _, r := range s.conn.Pipeline(ctx, cmds...) {
			switch {
			case r.Err != nil:
				return r.Err
			case r.Value.Int == -2: // gone meanwhile
				continue
			case r.Value.Int == -1:
				out.Immortal++
			}
			out.Keys++
		}
		return nil
	})
}

// info reads one number, or -1. A cluster's nodes each tell their own; it is left out.
func (s *server) info(ctx context.Context, section, field string) int64 {
	if s.conn.Capabilities().Cluster {
		return -1
	}
	v, err := s.conn.Do(ctx, conn.Cmd("INFO", section))
	if err != nil {
		return -1
	}
	for line := range strings.Lines(v.Str) {
		if text, ok := strings.CutPrefix(line, field+":"); ok {
			if n, err := strconv.ParseInt(strings.TrimSpace(text), 10, 64); err == nil {
				return n
			}
		}
	}
	return -1
}
