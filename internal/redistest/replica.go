package redistest

import (
	"fmt"
	"strconv"
	"strings"
	"testing"
)

// StartReplica starts a replica of master for this test and waits until it has
// all that master has. Neither may be a server from StartTLS.
func StartReplica(tb testing.TB, master *Server, args ...string) *Server {
	tb.Helper()
	// A master waits five seconds for more replicas before it sends its data.
	const atOnce = "repl-diskless-sync-delay"
	if _, err := master.Do("CONFIG", "SET", atOnce, "0"); err != nil {
		tb.Fatalf("redistest: CONFIG SET %s: %v", atOnce, err)
	}
	s := launch(tb, nil, append([]string{"--" + atOnce, "0", "--replicaof", "127.0.0.1", master.port}, args...))
	tb.Cleanup(s.end)
	s.CatchUp(master)
	return s
}

// CatchUp waits until a replica has all that master has now.
func (s *Server) CatchUp(master *Server) {
	s.tb.Helper()
	sent, err := master.offset("master_repl_offset")
	if err == nil {
		err = poll(s.done, func() error {
			got, err := s.offset("slave_repl_offset")
			if err == nil && got < sent {
				err = fmt.Errorf("%d bytes are missing", sent-got)
			}
			return err
		})
	}
	if err != nil {
		s.tb.Fatalf("redistest: the replica does not catch up: %v\n%s", err, s.log())
	}
}

// CutOff makes a replica lag: it stays one, with the data that it has, and hears
// no more of its master.
func (s *Server) CutOff() {
	s.tb.Helper()
	const nobody = "1" // no server of a test listens on this port
	if _, err := s.Do("REPLICAOF", "127.0.0.1", nobody); err != nil {
		s.tb.Fatalf("redistest: REPLICAOF: %v", err)
	}
}

// offset is a position in the stream of replication. It is an error where the
// replica's link to its master is down.
func (s *Server) offset(field string) (int64, error) {
	info, err := s.Do("INFO", "replication")
	if err != nil {
		return 0, err
	}
	if strings.Contains(info, "master_link_status:down") {
		return 0, fmt.Errorf("no link to the master")
	}
	for line := range strings.Lines(info) {
		if value, ok := strings.CutPrefix(line, field+":"); ok {
			return strconv.ParseInt(strings.TrimSpace(value), 10, 64)
		}
	}
	return 0, fmt.Errorf("INFO has no %s", field)
}
