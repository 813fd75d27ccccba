package redisserver

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

// slots is the number of hash slots of a cluster.
const slots = 16384

// NodeTimeout is when the nodes of a cluster, and sentinels, give one of them up.
const NodeTimeout = 2 * time.Second

var nodeTimeout = strconv.FormatInt(NodeTimeout.Milliseconds(), 10)

// MasterName is what sentinels call their master.
const MasterName = "larder"

// Set is several servers that belong together.
type Set struct {
	// Servers hold data, masters first as they were at the beginning.
	Servers []*Server
	// Sentinels watch over them, where there are any.
	Sentinels []*Server
	// URL is what clients open.
	URL string
}

// StartOne starts a single server.
func StartOne(ctx context.Context) (*Set, error) {
	s, err := Start(ctx)
	if err != nil {
		return nil, err
	}
	return &Set{Servers: []*Server{s}, URL: "redis://" + s.Addr()}, nil
}

// StartSentinel starts a master, so many replicas, and three sentinels.
func StartSentinel(ctx context.Context, replicas int) (_ *Set, err error) {
	set := &Set{}
	defer func() {
		if err != nil {
			_ = set.Close()
		}
	}()
	// A master that is cut off must not go on accepting what nobody will know.
	careful := []string{"--min-replicas-to-write", "1", "--min-replicas-max-lag", "2", "--repl-diskless-sync-delay", "0"}
	for i := range 1 + replicas {
		args := careful
		if i > 0 {
			args = append(slices.Clip(careful), "--replicaof", "127.0.0.1", set.Servers[0].port)
		}
		s, err := Start(ctx, args...)
		if err != nil {
			return nil, err
		}
		set.Servers = append(set.Servers, s)
	}
	var addrs []string
	for range 3 {
		s, err := startSentinel(ctx, set.Servers[0].port)
		if err != nil {
			return nil, err
		}
		set.Sentinels = append(set.Sentinels, s)
		addrs = append(addrs, s.Addr())
	}
	set.URL = "redis+sentinel://" + strings.Join(addrs, ",") + "/" + MasterName
	for _, s := range set.Sentinels {
		if err := poll(nil, func() error {
			list, err := s.Do("SENTINEL", "REPLICAS", MasterName)
			others, err2 := s.Do("SENTINEL", "SENTINELS", MasterName)
			if err := errors.Join(err, err2); err != nil {
				return err
			}
			if n, m := strings.Count(list, "runid\n"), strings.Count(others, "runid\n"); n < replicas || m < 2 {
				return fmt.Errorf("a sentinel knows %d replicas and %d sentinels", n, m)
			}
			return nil
		}); err != nil {
			return nil, fmt.Errorf("redisserver: %w", err)
		}
	}
	return set, nil
}

func startSentinel(ctx context.Context, master string) (*Server, error) {
	return start(ctx, func(port, dir string) []string {
		conf := "port " + port + "\nbind 127.0.0.1\ndir " + dir + "\nlogfile " + filepath.Join(dir, "log") +
			"\nsentinel monitor " + MasterName + " 127.0.0.1 " + master + " 2" +
			"\nsentinel down-after-milliseconds " + MasterName + " " + nodeTimeout +
			"\nsentinel failover-timeout " + MasterName + " 5000\n"
		file := filepath.Join(dir, "sentinel.conf")
		_ = os.WriteFile(file, []byte(conf), 0o600) // the server says what it misses
		return []string{file, "--sentinel"}
	})
}

// StartCluster starts a cluster of masters, each with so many replicas.
func StartCluster(ctx context.Context, masters, replicas int) (_ *Set, err error) {
	set := &Set{}
	defer func() {
		if err != nil {
			_ = set.Close()
		}
	}()
	n := masters * (1 + replicas)
	bus := make([]string, n)
	for i := range n {
		// The usual bus port, port + 10000, may not exist for a port of the
		// ephemeral range.
		if bus[i], err = freePort(ctx); err != nil {
			return nil, err
		}
		s, err := Start(ctx, "--cluster-enabled", "yes", "--cluster-config-file", "nodes.conf",
			"--cluster-node-timeout", nodeTimeout, "--cluster-port", bus[i], "--repl-diskless-sync-delay", "0",
			"--cluster-replica-validity-factor", "0")
		if err != nil {
			return nil, err
		}
		set.Servers = append(set.Servers, s)
	}
	if err := set.form(masters, bus); err != nil {
		return nil, fmt.Errorf("redisserver: the cluster did not form: %w", err)
	}
	addrs := make([]string, n)
	for i, s := range set.Servers {
		addrs[i] = s.Addr()
	}
	set.URL = "redis+cluster://" + strings.Join(addrs, ",")
	return set, nil
}

func (set *Set) form(masters int, bus []string) error {
	for i, s := range set.Servers {
		if i < masters {
			if _, err := s.Do("CLUSTER", "ADDSLOTSRANGE", strconv.Itoa(i*slots/masters), strconv.Itoa((i+1)*slots/masters-1)); err != nil {
				return err
			}
		}
		if _, err := s.Do("CLUSTER", "SET-CONFIG-EPOCH", strconv.Itoa(i+1)); err != nil {
			return err
		}
		if i > 0 {
			if _, err := set.Servers[0].Do("CLUSTER", "MEET", "127.0.0.1", s.port, bus[i]); err != nil {
				return err
			}
		}
	}
	for i, s := range set.Servers[masters:] {
		id, err := set.Servers[i%masters].Do("CLUSTER", "MYID")
		if err != nil {
			return err
		}
		if err := poll(nil, func() error { _, err := s.Do("CLUSTER", "REPLICATE", id); return err }); err != nil {
			return err
		}
	}
	return set.AwaitReady()
}

// AwaitReady waits until every server that runs knows of a whole cluster, or of its
// master.
func (set *Set) AwaitReady() error {
	for _, s := range set.Servers {
		if err := poll(nil, func() error {
			info, err := s.Do("INFO", "replication")
			if err != nil {
				return err
			}
			if strings.Contains(info, "master_link_status:down") {
				return errors.New("a replica has no link to its master")
			}
			if !strings.HasPrefix(set.URL, "redis+cluster") && len(bus(s)) == 0 {
				return nil
			}
			state, err := s.Do("CLUSTER", "INFO")
			if err == nil && (!strings.Contains(state, "cluster_state:ok") || !strings.Contains(state, "cluster_slots_ok:"+strconv.Itoa(slots))) {
				err = errors.New("the cluster is not whole")
			}
			return err
		}); err != nil {
			return err
		}
	}
	return nil
}

// bus is the argument that makes a server a node of a cluster.
func bus(s *Server) string {
	for i, a := range s.args {
		if a == "--cluster-enabled" {
			return s.args[i+1]
		}
	}
	return ""
}

// Masters are the servers that say they are, and run.
func (set *Set) Masters() (masters []*Server) { return set.role("role:master") }

// Replicas are those that say they are.
func (set *Set) Replicas() (replicas []*Server) { return set.role("role:slave") }

func (set *Set) role(line string) (out []*Server) {
	for _, s := range set.Servers {
		if info, err := s.Do("INFO", "replication"); err == nil && strings.Contains(info, line) {
			out = append(out, s)
		}
	}
	return out
}

// Close ends all servers.
func (set *Set) Close() error {
	var errs []error
	for _, s := range append(slices.Clip(set.Sentinels), set.Servers...) {
		errs = append(errs, s.Close())
	}
	return errors.Join(errs...)
}
