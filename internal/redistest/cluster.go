package redistest

import (
	"fmt"
	"strconv"
	"strings"
	"testing"
)

// slots is the number of hash slots of a cluster.
const slots = 16384

// ClusterServers are the masters of one cluster, each with an equal part of the slots.
type ClusterServers struct {
	Masters []*Server
}

// Cluster starts a cluster of so many masters, without replicas, for this test.
func Cluster(tb testing.TB, masters int) *ClusterServers {
	tb.Helper()
	c := form(tb, masters)
	tb.Cleanup(c.end)
	return c
}

// form starts a cluster that the caller ends.
func form(tb testing.TB, masters int) *ClusterServers {
	tb.Helper()
	c := &ClusterServers{}
	busPorts := make([]string, masters)
	for i := range masters {
		// The usual bus port, port + 10000, may not exist for a port of the
		// ephemeral range.
		busPorts[i] = freePort(tb)
		c.Masters = append(c.Masters, launch(tb, nil, []string{
			"--cluster-enabled", "yes", "--cluster-config-file", "nodes.conf",
			"--cluster-node-timeout", "2000", "--cluster-port", busPorts[i],
		}))
	}
	must := func(s *Server, args ...string) {
		if _, err := s.Do(args...); err != nil {
			c.end()
			tb.Fatalf("redistest: %s: %v", strings.Join(args, " "), err)
		}
	}
	for i, s := range c.Masters {
		must(s, "CLUSTER", "ADDSLOTSRANGE", strconv.Itoa(i*slots/masters), strconv.Itoa((i+1)*slots/masters-1))
		must(s, "CLUSTER", "SET-CONFIG-EPOCH", strconv.Itoa(i+1))
		if i > 0 {
			must(c.Masters[0], "CLUSTER", "MEET", "127.0.0.1", s.port, busPorts[i])
		}
	}
	for _, s := range c.Masters {
		if err := poll(s.done, func() error { return s.clusterReady(masters) }); err != nil {
			log := s.log()
			c.end()
			tb.Fatalf("redistest: the cluster did not form: %v\n%s", err, log)
		}
	}
	return c
}

// clusterReady tells whether this node knows all others and all slots.
func (s *Server) clusterReady(masters int) error {
	info, err := s.Do("CLUSTER", "INFO")
	if err != nil {
		return err
	}
	for _, want := range []string{
		"cluster_state:ok", "cluster_slots_ok:" + strconv.Itoa(slots), "cluster_size:" + strconv.Itoa(masters),
	} {
		if !strings.Contains(info, want+"\r\n") {
			return fmt.Errorf("no %s", want)
		}
	}
	return nil
}

// URL is redis+cluster:// with all masters.
func (c *ClusterServers) URL() string {
	addrs := make([]string, len(c.Masters))
	for i, s := range c.Masters {
		addrs[i] = s.Addr()
	}
	return "redis+cluster://" + strings.Join(addrs, ",")
}

func (c *ClusterServers) end() {
	for _, s := range c.Masters {
		s.end()
	}
}
