package soak

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"sync/atomic"
	"time"

	"github.com/larder-go/larder/conn"
	"github.com/larder-go/larder/embedded"
	"github.com/larder-go/larder/redisconn"
)

// clientName is what the connections of a run are called on the server.
const clientName = "larder-soak"

// Run puts everything under load for Options.For and judges what it has seen. Its
// error is for runs that could not be judged; that something leaks, Report.Err says.
func Run(ctx context.Context, o Options) (r Report, err error) {
	o = o.withDefaults()
	if err := o.validate(); err != nil {
		return r, err
	}
	e, end, err := newEnv(ctx, o)
	if err != nil {
		return r, err
	}
	defer func() { err = errors.Join(err, end()) }()
	r = Report{Settings: newSettings(o, e), Started: time.Now().UTC()}

	var total atomic.Int64
	life, stop := context.WithCancel(ctx)
	defer stop()
	var loads []*running
	leaks := newLeaker(o.leaks(), e.conn, e.id)
	defer func() {
		// What the caller has cancelled is to be given back all the same.
		stop()
		leaks.end(context.WithoutCancel(ctx))
		for _, l := range loads {
			work, cerr := l.end()
			r.Work = append(r.Work, work)
			err = errors.Join(err, cerr)
		}
	}()
	for i, w := range workloads {
		opened, err := w.open(ctx, e)
		if err != nil {
			return r, fmt.Errorf("soak: open %s: %w", w.name, err)
		}
		l := &running{name: w.name, load: opened, total: &total}
		loads = append(loads, l)
		l.start(life, w.share*float64(o.Rate), o.Seed+uint64(i)<<32)
	}
	if r.Samples, err = watch(ctx, o, e.server, leaks, &total); err != nil {
		return r, err
	}
	r.Verdicts, err = Judge(r.Samples, o.For)
	return r, err
}

// watch samples until the time is up, and on a machine that was too busy for enough
// samples until there are, for up to ten times as long.
func watch(ctx context.Context, o Options, s *server, leaks *leaker, total *atomic.Int64) ([]Sample, error) {
	samples := make([]Sample, 0, o.For/o.Every+1)
	began := time.Now()
	tick := time.NewTicker(o.Every)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return samples, ctx.Err()
		case <-tick.C:
		}
		if err := leaks.leak(ctx); err != nil {
			return samples, fmt.Errorf("soak: leak: %w", err)
		}
		one := Sample{After: time.Since(began), Operations: total.Load()}
		bound, cancel := context.WithTimeout(ctx, patience)
		err := s.sample(bound, &one)
		cancel()
		switch {
		case ctx.Err() != nil:
			return samples, ctx.Err()
		case errors.Is(err, conn.ErrUnavailable): // connections are cut on purpose
			one.Keys, one.Immortal, one.ServerMemory, one.ServerClients = -1, -1, -1, -1
		case err != nil:
			return samples, fmt.Errorf("soak: look at the server: %w", err)
		}
		one.process()
		samples = append(samples, one)
		o.Progress(one.After, o.For, one)
		if one.After >= o.For && (judgeable(samples, o.For) || one.After >= 10*o.For) {
			return samples, nil
		}
	}
}

// newEnv opens the server, the database and a folder. end gives them back.
func newEnv(ctx context.Context, o Options) (*env, func() error, error) {
	var c closers
	fail := func(err error) (*env, func() error, error) { return nil, nil, errors.Join(err, c.close()) }
	e := &env{id: fmt.Sprintf("soak%08x", rand.Uint32())}
	if err := e.openRedis(o.Redis, &c); err != nil {
		return fail(err)
	}
	var err error
	if e.conn, err = e.connect(ctx); err != nil {
		return fail(err)
	}
	c.add(e.conn.Close)
	if e.server, err = newServer(ctx, e.conn, e.id, o.Redis != ""); err != nil {
		return fail(err)
	}
	if e.server.alone && o.Redis != "" && !e.conn.Capabilities().Cluster {
		e.cut = e.cutConnections
	}
	if e.dir, err = os.MkdirTemp("", "larder-soak-"); err != nil {
		return fail(err)
	}
	c.add(func() error { return os.RemoveAll(e.dir) })
	if e.sql, err = openDatabase(o.Postgres, e.dir, e.id); err != nil {
		return fail(err)
	}
	drop, err := e.sql.build(ctx)
	if err != nil {
		return fail(err)
	}
	c.add(func() error {
		bound, cancel := context.WithTimeout(context.WithoutCancel(ctx), patience)
		defer cancel()
		return drop(bound)
	})
	return e, c.close, nil
}

// openRedis says how connections are made.
func (e *env) openRedis(url string, c *closers) error {
	if url != "" {
		e.connect = func(ctx context.Context) (conn.Conn, error) {
			return redisconn.Open(ctx, url, redisconn.Options{ReadWires: 1, ClientName: clientName})
		}
		return nil
	}
	engine, err := embedded.New(embedded.Options{})
	if err != nil {
		return err
	}
	c.add(engine.Close)
	e.connect = func(context.Context) (conn.Conn, error) { return engine.Connect(), nil }
	return nil
}

// cutConnections kills all connections of the server, on which there is nobody else:
// what is made in their place must not come on top.
func (e *env) cutConnections(ctx context.Context) error {
	for _, kind := range []string{"normal", "pubsub"} {
		if _, err := e.conn.Do(ctx, conn.Cmd("CLIENT", "KILL", "TYPE", kind, "SKIPME", "yes")); err != nil && !errors.Is(err, conn.ErrUnavailable) {
			return err
		}
	}
	return nil
}
