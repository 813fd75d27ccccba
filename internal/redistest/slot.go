package redistest

import (
	"strconv"
	"strings"
)

// Owner returns the master that holds the slot of key, and the slot.
func (c *ClusterServers) Owner(key string) (owner *Server, slot string) {
	tb := c.Masters[0].tb
	tb.Helper()
	slot = c.must(c.Masters[0], "CLUSTER", "KEYSLOT", key)
	n, err := strconv.Atoi(slot)
	if err != nil {
		tb.Fatalf("redistest: slot %q", slot)
	}
	for _, s := range c.Masters {
		for line := range strings.Lines(c.must(s, "CLUSTER", "NODES")) {
			if f := strings.Fields(line); len(f) > 8 && strings.Contains(f[2], "myself") && holds(f[8:], n) {
				return s, slot
			}
		}
	}
	tb.Fatalf("redistest: nobody holds slot %s", slot)
	return nil, ""
}

// holds tells whether ranges of CLUSTER NODES ("5", "7-9") contain a slot.
func holds(ranges []string, slot int) bool {
	for _, r := range ranges {
		first, last, many := strings.Cut(r, "-")
		from, err := strconv.Atoi(first)
		if err != nil {
			continue // of a slot that is being moved
		}
		to := from
		if many {
			to, _ = strconv.Atoi(last)
		}
		if from <= slot && slot <= to {
			return true
		}
	}
	return false
}

// MoveSlot moves the slot of key, with its keys, to another master, as resharding
// does. between is called twice while the slot is open: before the keys are moved
// and after.
func (c *ClusterServers) MoveSlot(key string, to *Server, between func()) {
	c.Masters[0].tb.Helper()
	from, slot := c.Owner(key)
	source, target := c.must(from, "CLUSTER", "MYID"), c.must(to, "CLUSTER", "MYID")
	c.must(to, "CLUSTER", "SETSLOT", slot, "IMPORTING", source)
	c.must(from, "CLUSTER", "SETSLOT", slot, "MIGRATING", target)
	between()
	for {
		keys := c.must(from, "CLUSTER", "GETKEYSINSLOT", slot, "100")
		if keys == "" {
			break
		}
		args := []string{"MIGRATE", "127.0.0.1", to.port, "", "0", "5000", "KEYS"}
		c.must(from, append(args, strings.Split(keys, "\n")...)...)
	}
	between()
	// The new owner first: if it did not know, the slot would be nobody's.
	for _, s := range append([]*Server{to, from}, c.Masters...) {
		c.must(s, "CLUSTER", "SETSLOT", slot, "NODE", target)
	}
}

// must is Do where an error ends the test.
func (c *ClusterServers) must(s *Server, args ...string) string {
	s.tb.Helper()
	got, err := s.Do(args...)
	if err != nil {
		s.tb.Fatalf("redistest: %s: %v", strings.Join(args, " "), err)
	}
	return got
}
