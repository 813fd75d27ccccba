package redisconn

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/redis/rueidis"
)

var errNoMaster = errors.New("no node that CLUSTER SLOTS names can be used")

// topology is the masters of a cluster and the slots they hold, as each of them
// says itself. The client library has its own idea, and follows redirections
// without a word: what was read from a node that has lost the slot since is not
// followed by pushes any more.
type topology struct {
	life    *life
	opts    Options
	clients []*client // of the Conn: the plain one first; each with its uncovered gate
	changed func()    // a slot has moved
	table   atomic.Pointer[table]

	mu    sync.Mutex // protects the following
	nodes map[string]*node
}

// node is one master.
type node struct {
	addr    string
	gates   []*gate   // by client.no
	keepers []*keeper // the same
	stop    func()    // ends the keepers; nil until they run
}

// table says which node holds a slot.
type table struct {
	// owner is nil where no node is known to hold the slot, and unsure where the
	// nodes disagree or the one that is named is new: the library may try.
	owner [slotCount]*node
	nodes []*node
}

var unsure = &node{}

// gate is the gate of a slot for a client; nil lets calls pass.
func (t *topology) gate(slot uint16, client int) *gate {
	switch n := t.table.Load().owner[slot]; n {
	case nil:
		return t.clients[client].uncovered
	case unsure:
		return nil
	default:
		return n.gates[client]
	}
}

// any is an open gate of the client, or a shut one if there is none.
func (t *topology) any(client int) *gate {
	g := t.clients[client].uncovered
	for _, n := range t.table.Load().nodes {
		if g = n.gates[client]; g.open() {
			break
		}
	}
	return g
}

// incarnation is that of the node that holds a slot.
func (t *topology) incarnation(slot uint16) (uint64, bool) {
	n := t.table.Load().owner[slot]
	if n == nil || n == unsure {
		return 0, false
	}
	return agreed(n.gates...)
}

// agreed is the incarnation that all gates have learnt. In a failover one
// connection goes over before the other, and what was read over it must not be
// judged by what the other one still takes for true.
func agreed(gates ...*gate) (id uint64, known bool) {
	id = gates[0].id.Load()
	for _, g := range gates[1:] {
		if g.id.Load() != id {
			return 0, false
		}
	}
	return id, id != 0
}

// heard is the oldest of the last good heartbeats on which the reads of a client
// depend: its own, and those that look whether slots have moved.
func (t *topology) heard(client int) time.Duration {
	oldest := int64(-1)
	for _, n := range t.table.Load().nodes {
		for _, g := range []*gate{n.gates[0], n.gates[client]} {
			if last := g.last.Load(); oldest < 0 || last < oldest {
				oldest = last
			}
		}
	}
	return time.Duration(max(0, oldest))
}

// tell tells the epochs when they were heard of.
func (t *topology) tell() {
	for i, c := range t.clients {
		if c.heard != nil {
			c.heard(t.heard(i))
		}
	}
}

// start learns the cluster for the first time and waits for the first heartbeat
// of every node. One that answers is enough.
func (t *topology) start(ctx context.Context) error {
	plain := t.clients[0]
	m, err := plain.rc.Do(ctx, plain.rc.B().Arbitrary("CLUSTER", "SLOTS").Build()).ToMessage()
	if err != nil {
		return err
	}
	// A node that does not say its host is the one that was asked: there is
	// only one then.
	var first string
	for addr := range plain.rc.Nodes() {
		first = addr
	}
	fresh := t.sync(viewOf(value(&m), first).masters())
	if len(fresh) == 0 {
		return errNoMaster
	}
	errs := make([]error, len(fresh)*len(t.clients))
	var wg sync.WaitGroup
	for i, n := range fresh {
		for j, k := range n.keepers {
			wg.Go(func() { errs[i*len(t.clients)+j] = k.beat(ctx) })
		}
	}
	wg.Wait()
	t.rebuild()
	if !t.any(0).open() {
		return cmp.Or(errs[0], errNotConnected)
	}
	t.tell()
	t.run(fresh)
	return nil
}

// watch follows the cluster's nodes until ctx ends.
func (t *topology) watch(ctx context.Context) {
	tick := time.NewTicker(t.opts.Heartbeat)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			t.run(t.sync(t.masters()))
		}
	}
}

// run starts the keepers of nodes.
func (t *topology) run(nodes []*node) {
	for _, n := range nodes {
		ctx, release := t.life.bind(context.Background())
		t.mu.Lock()
		n.stop = release
		t.mu.Unlock()
		for _, k := range n.keepers {
			k.kick()
			t.life.do(func() { k.keep(ctx) })
		}
	}
}

// masters are all that any node names.
func (t *topology) masters() []string {
	t.mu.Lock()
	defer t.mu.Unlock()
	var list []string
	for _, n := range t.nodes {
		if v := n.gates[0].view.Load(); v != nil {
			list = append(list, v.masters()...)
		}
	}
	slices.Sort(list)
	return slices.Compact(list)
}

// sync makes the nodes those of masters that the library knows, and returns the
// new ones.
func (t *topology) sync(masters []string) (fresh []*node) {
	known := make([]map[string]rueidis.Client, len(t.clients))
	for i, c := range t.clients {
		known[i] = c.rc.Nodes()
	}
	t.mu.Lock()
	gone := false
	for addr, n := range t.nodes {
		if slices.Contains(masters, addr) {
			continue
		}
		gone = true
		delete(t.nodes, addr)
		if n.stop != nil {
			n.stop()
		}
	}
	for _, addr := range masters {
		n := t.nodes[addr]
		if n == nil && known[0][addr] != nil {
			n = t.newNode(addr)
			t.nodes[addr] = n
			fresh = append(fresh, n)
		}
		for i := range known {
			if rc, ok := known[i][addr]; ok && n != nil {
				n.gates[i].node.Store(&rc)
			}
		}
	}
	t.mu.Unlock()
	if gone || len(fresh) > 0 {
		t.rebuild()
	}
	return fresh
}

func (t *topology) newNode(addr string) *node {
	n := &node{addr: addr}
	for i, c := range t.clients {
		g := c.gates.get(addr)
		k := &keeper{gate: g, opts: t.opts, rc: g.executor, changed: c.changed}
		k.heard = func(time.Duration) { t.tell() }
		if i == 0 {
			k.views, k.viewed = true, t.viewed
		}
		n.gates, n.keepers = append(n.gates, g), append(n.keepers, k)
	}
	return n
}

// viewed is called when a node's view is new or not what it was.
func (t *topology) viewed() {
	t.rebuild()
	for _, c := range t.clients {
		if c.changed != nil {
			c.changed()
		}
	}
}

// rebuild makes the table of what each node says of itself.
func (t *topology) rebuild() {
	t.mu.Lock()
	defer t.mu.Unlock()
	next := &table{}
	for _, n := range t.nodes {
		next.nodes = append(next.nodes, n)
		v := n.gates[0].view.Load()
		if v == nil {
			continue
		}
		for _, r := range v.ranges {
			for slot := r.first; r.master == n.addr && slot <= r.last; slot++ {
				if next.owner[slot] == nil {
					next.owner[slot] = n
				} else {
					next.owner[slot] = unsure
				}
			}
		}
	}
	t.hearsay(next)
	t.table.Store(next)
}

// hearsay fills slots of which no node says that it holds them.
func (t *topology) hearsay(next *table) {
	said := next.owner
	for _, n := range t.nodes {
		v := n.gates[0].view.Load()
		if v == nil {
			continue
		}
		for _, r := range v.ranges {
			named := t.nodes[r.master]
			if named == nil || named.gates[0].view.Load() != nil {
				named = unsure // new, or it does not know of it
			}
			for slot := r.first; slot <= r.last; slot++ {
				if said[slot] == nil {
					next.owner[slot] = named
				}
			}
		}
	}
}
