package redisconn

import (
	"context"
	"sync"
	"time"

	"github.com/redis/rueidis"

	"github.com/larder-go/larder/conn"
)

// client executes commands over one client of the library.
type client struct {
	rc       rueidis.Client
	life     *life
	cluster  bool
	tracking bool // of a Tracker

	wire  *wire
	gates *gateSet // nil if nobody shares the client
	gate  *gate    // of the one node; nil in a cluster
	// In a cluster:
	topo      *topology
	no        int   // index in topo.clients
	uncovered *gate // always shut
	// changed and heard, if set, are told by heartbeats: see keeper.
	changed func()
	heard   func(sent time.Duration)
}

// buffer is the size of each connection's read and write buffers. The
// library's default of 512 KiB would cost a process 8 MiB at rest.
const buffer = 1 << 16

// share opens a client whose connections are shared. It does not take a context:
// see Open.
func share(w *wire, tracking bool, onPush func([]rueidis.RedisMessage)) (*client, error) {
	w.gates = newGateSet(w)
	c, err := connect(w, tracking, onPush)
	if err != nil {
		return nil, err
	}
	c.wire, c.gates = w, w.gates
	if c.cluster {
		c.uncovered = newGate("", w.life)
		c.uncovered.cause = errUncovered
	} else {
		c.gate = w.gates.get("")
		c.gate.addr = w.target.addrs[0]
	}
	return c, nil
}

// connect opens a client over w.
func connect(w *wire, tracking bool, onPush func([]rueidis.RedisMessage)) (*client, error) {
	if !w.target.cluster {
		return connectTo(w, w.target.addrs, tracking, onPush)
	}
	// Of several nodes the library dials all and keeps the surplus connections
	// open for seconds, beyond its own Close.
	var first error
	for _, addr := range w.target.addrs {
		c, err := connectTo(w, []string{addr}, tracking, onPush)
		if err == nil {
			return c, nil
		}
		if first == nil {
			first = err
		}
	}
	return nil, first
}

func connectTo(w *wire, addrs []string, tracking bool, onPush func([]rueidis.RedisMessage)) (*client, error) {
	t, o := w.target, w.opts
	opt := rueidis.ClientOption{
		InitAddress:        addrs,
		SelectDB:           t.database,
		ClientName:         o.ClientName,
		ClientSetInfo:      []string{"larder(rueidis)", rueidis.LibVer},
		DialCtxFn:          w.dial,
		AuthCredentialsFn:  w.login,
		ConnWriteTimeout:   o.KeepAliveTimeout,
		ReadBufferEachConn: buffer, WriteBufferEachConn: buffer,
		ForceSingleClient: !t.cluster && t.master == "",
		DisableRetry:      true,
		// Without a goroutine that reads, a lost connection is noticed by the
		// next call only, and a call's deadline ends the connection of all.
		AlwaysPipelining: true,
		DisableCache:     !tracking,
	}
	opt.Dialer.Timeout, opt.Dialer.KeepAlive = o.DialTimeout, o.KeepAlive
	if t.tls {
		if opt.TLSConfig = o.TLS; opt.TLSConfig == nil {
			opt.TLSConfig = defaultTLS()
		}
	}
	if t.master != "" {
		opt.Sentinel = rueidis.SentinelOption{
			MasterSet: t.master, TLSConfig: opt.TLSConfig, ClientName: o.ClientName,
			Dialer: opt.Dialer, TopologyRefreshInterval: sentinelInterval,
		}
		opt.Sentinel.Dialer.Resolver = sentinelDialer
	}
	opt.PipelineMultiplex = -1 // one connection per node
	opt.BlockingPipeline = -1  // for long pipelines too
	if t.cluster {
		opt.ClusterOption.ShardsRefreshInterval = topologyInterval
	}
	if tracking {
		opt.ClientTrackingOptions = []string{"OPTOUT"}
		opt.NewCacheStoreFn = newNoStore
		opt.OnInvalidations = onPush
	}
	rc, err := rueidis.NewClient(opt)
	if err != nil {
		if rc != nil {
			rc.Close()
		}
		return nil, err
	}
	c := &client{rc: rc, life: w.life, cluster: t.cluster, tracking: tracking}
	if t.cluster && rc.Mode() != rueidis.ClientModeCluster {
		c.close()
		return nil, errNotCluster
	}
	return c, nil
}

// close ends the client's idle connections in good order. For a cluster the
// library does so in the background and looks for the topology of what it has
// just closed; closing the nodes first avoids both.
func (c *client) close() {
	if c.cluster {
		var wg sync.WaitGroup
		for _, node := range c.rc.Nodes() {
			wg.Go(node.Close)
		}
		wg.Wait()
	}
	c.rc.Close()
}

// self executes where there is one node.
func (c *client) self() rueidis.Client { return c.rc }

// route is where a call goes: the gate that it has to pass, and what executes it.
// A nil gate lets pass.
func (c *client) route(key string, keyed bool) (*gate, rueidis.Client) {
	switch {
	case c.gate != nil:
		return c.gate, c.rc
	case c.topo == nil: // in Open, or not shared
		return nil, c.rc
	case keyed:
		return c.topo.gate(slotOf(key), c.no), c.rc
	}
	g := c.topo.any(c.no)
	if rc := g.executor(); rc != nil {
		return g, rc
	}
	return g, c.rc
}

// do sends one command.
func (c *client) do(ctx context.Context, cmd conn.Command) (conn.Value, error) {
	if len(cmd.Args) == 2 && cmd.KeyAt == 1 && cmd.Args[0] == "GET" {
		return c.get(ctx, cmd.Args[1])
	}
	completed, blocking, err := c.build(cmd, false)
	if err != nil {
		return conn.Value{}, err
	}
	key, keyed := cmd.Key()
	g, rc := c.route(key, keyed)
	if !blocking {
		return c.send(ctx, cmd.Name(), g, rc, completed)
	}
	if !g.open() {
		return conn.Value{}, g.refusal(cmd.Name())
	}
	bound, release := c.life.bind(ctx) // the library does not end these when it is closed
	defer release()
	return c.reply(ctx, cmd.Name(), rc.Do(dialling(bound, dialAlone), completed))
}

// send sends one command over a shared connection.
func (c *client) send(ctx context.Context, op string, g *gate, rc rueidis.Client, cmd rueidis.Completed) (conn.Value, error) {
	if w := g.watch(); w != nil {
		ctx, end := w.begin(ctx, op, 1)
		v, err := c.pass(ctx, op, g, rc, cmd)
		end(err)
		return v, err
	}
	return c.pass(ctx, op, g, rc, cmd)
}

// pass is send behind the Observer.
func (c *client) pass(ctx context.Context, op string, g *gate, rc rueidis.Client, cmd rueidis.Completed) (conn.Value, error) {
	if err := g.enter(ctx, op); err != nil {
		return conn.Value{}, err
	}
	res := rc.Do(called(ctx), cmd)
	g.leave(res.NonRedisError())
	return c.reply(ctx, op, res)
}

// get is do for the most frequent command.
func (c *client) get(ctx context.Context, key string) (conn.Value, error) {
	g, rc := c.route(key, true)
	if w := g.watch(); w != nil {
		ctx, end := w.begin(ctx, "GET", 1)
		v, err := c.passGet(ctx, g, rc, key)
		end(err)
		return v, err
	}
	return c.passGet(ctx, g, rc, key)
}

func (c *client) passGet(ctx context.Context, g *gate, rc rueidis.Client, key string) (conn.Value, error) {
	if err := g.enter(ctx, "GET"); err != nil {
		return conn.Value{}, err
	}
	res := rc.Do(called(ctx), rc.B().Get().Key(key).Build())
	g.leave(res.NonRedisError())
	if s, err := res.ToString(); err == nil {
		return conn.Value{Kind: conn.Bulk, Str: s}, nil
	}
	return c.reply(ctx, "GET", res)
}

// reply converts the outcome of the command op.
func (c *client) reply(ctx context.Context, op string, res rueidis.RedisResult) (conn.Value, error) {
	if err := res.NonRedisError(); err != nil {
		return conn.Value{}, c.fail(ctx, op, err)
	}
	m, _ := res.ToMessage()
	v := value(&m)
	if v.Kind == conn.Failure {
		return conn.Value{}, &conn.ServerError{Text: v.Str}
	}
	return v, nil
}
