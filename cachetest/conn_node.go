package cachetest

import (
	"errors"
	"slices"
	"testing"

	"github.com/larder-go/larder/conn"
)

func (s *connSuite) nodes(t *testing.T) {
	c := s.handle(t)
	d, ok := c.(conn.NodeDoer)
	if !ok {
		if c.Capabilities().Cluster {
			t.Error("a cluster's Conn must be a conn.NodeDoer")
		}
		return
	}
	nodes := d.Nodes()
	if len(nodes) == 0 || !slices.IsSorted(nodes) {
		t.Fatalf("Nodes are %q", nodes)
	}
	prefix := key("")
	const n = 60
	for i := range n {
		must(t, c, conn.Key("SET", prefix+string(rune('A'+i)), "x"))
	}
	found, holding := 0, 0
	for _, node := range nodes {
		v, err := d.DoAt(t.Context(), node, conn.Cmd("KEYS", prefix+"*"))
		if err != nil {
			t.Fatalf("DoAt %s: %v", node, err)
		}
		if found += len(v.Elems); len(v.Elems) > 0 {
			holding++
		}
	}
	if found != n || holding != len(nodes) {
		t.Errorf("%d keys found on %d nodes, want %d on %d", found, holding, n, len(nodes))
	}
	if _, err := d.DoAt(t.Context(), nodes[0], conn.Cmd("BLPOP", "x", "0")); err == nil || errors.Is(err, conn.ErrUnavailable) {
		t.Errorf("BLPOP: %v", err)
	}
	if c.Capabilities().Cluster {
		if _, err := d.DoAt(t.Context(), "nowhere:1", conn.Cmd("DBSIZE")); !errors.Is(err, conn.ErrUnavailable) {
			t.Errorf("DoAt an unknown node: %v", err)
		}
	}
}
