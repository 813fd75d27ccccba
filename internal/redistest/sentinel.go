package redistest

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// MasterName is the name under which a sentinel from StartSentinel knows its master.
const MasterName = "mymaster"

// StartSentinel starts one sentinel that watches master, for this test.
func StartSentinel(tb testing.TB, master *Server) *Server {
	tb.Helper()
	requireBinary(tb)
	dir, err := os.MkdirTemp("", "redistest")
	if err != nil {
		tb.Fatalf("redistest: %v", err)
	}
	s := &Server{tb: tb, dir: dir, port: freePort(tb)}
	tb.Cleanup(s.end)
	file := filepath.Join(dir, "sentinel.conf")
	conf := "port " + s.port + "\nbind 127.0.0.1\ndir " + dir + "\nlogfile " + s.logPath() +
		"\nsentinel monitor " + MasterName + " 127.0.0.1 " + master.port + " 1\n"
	if err := os.WriteFile(file, []byte(conf), 0o600); err != nil {
		tb.Fatalf("redistest: %v", err)
	}
	s.args = []string{file, "--sentinel"}
	err = s.run()
	if err == nil {
		err = poll(s.done, func() error {
			addr, err := s.Do("SENTINEL", "GET-MASTER-ADDR-BY-NAME", MasterName)
			if err == nil && addr == "" {
				err = errors.New("the sentinel does not know its master")
			}
			return err
		})
	}
	if err != nil {
		tb.Fatalf("redistest: the sentinel did not start: %v\n%s", err, s.log())
	}
	return s
}

// Promote makes a sentinel from StartSentinel put replica in the place of its
// master, alive or not, and waits until it says so.
func (s *Server) Promote(replica *Server) {
	s.tb.Helper()
	err := poll(s.done, func() error {
		_, err := s.Do("SENTINEL", "FAILOVER", MasterName)
		return err // until it has learnt of the replica
	})
	if err == nil {
		err = poll(s.done, func() error {
			addr, err := s.Do("SENTINEL", "GET-MASTER-ADDR-BY-NAME", MasterName)
			if err == nil && strings.ReplaceAll(addr, "\n", ":") != replica.Addr() {
				err = fmt.Errorf("the master is %q", addr)
			}
			return err
		})
	}
	if err != nil {
		s.tb.Fatalf("redistest: no failover to %s: %v\n%s", replica.Addr(), err, s.log())
	}
}

// AwaitReplica waits until a sentinel from StartSentinel knows replica.
func (s *Server) AwaitReplica(replica *Server) {
	s.tb.Helper()
	err := poll(s.done, func() error {
		list, err := s.Do("SENTINEL", "REPLICAS", MasterName)
		if err == nil && !strings.Contains(list, replica.Addr()) {
			err = fmt.Errorf("it does not know the replica")
		}
		return err
	})
	if err != nil {
		s.tb.Fatalf("redistest: sentinel: %v\n%s", err, s.log())
	}
}
