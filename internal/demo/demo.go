package demo

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/larder-go/larder/conn"
	"github.com/larder-go/larder/embedded"
	"github.com/larder-go/larder/observe"
	"github.com/larder-go/larder/redisconn"
)

// Demo is the built database and the running instances of the application.
type Demo struct {
	opts      Options
	size      databaseSize
	prefix    string
	catalogue catalogue
	instances []*instance
	// closers undo what New did, the last one first.
	closers []func() error
}

// New builds the database and starts the instances. The caller must Close the
// Demo. Ending ctx later does not stop it.
func New(ctx context.Context, opts Options) (_ *Demo, err error) {
	opts = opts.withDefaults()
	if err := opts.validate(); err != nil {
		return nil, err
	}
	if err := tryRedis(ctx, opts.Redis); err != nil {
		return nil, err
	}
	// Runs that share a server must not meet: neither values nor tags.
	d := &Demo{opts: opts, prefix: "demo-" + strings.ToLower(rand.Text()[:8])}
	defer func() {
		if err != nil {
			err = errors.Join(err, d.Close())
		}
	}()
	db := database{Postgres: opts.Postgres}
	if db.Postgres == "" {
		dir, err := os.MkdirTemp("", "larder-demo-")
		if err != nil {
			return nil, fmt.Errorf("demo: %w", err)
		}
		d.closers = append(d.closers, func() error { return os.RemoveAll(dir) })
		db.Path = filepath.Join(dir, "doc.sqlite")
	}
	var remove func() error
	d.size, remove, err = db.build(ctx, opts.GOROOT, func(n int) { opts.Progress("building the database: packages", n, 0) })
	if err != nil {
		return nil, err
	}
	d.closers = append(d.closers, remove)
	if err := d.readCatalogue(ctx, db); err != nil {
		return nil, err
	}
	return d, d.start(ctx, db)
}

// tryRedis finds out that a server cannot be used before all else is done.
func tryRedis(ctx context.Context, url string) error {
	if url == "" {
		return nil
	}
	c, err := redisconn.Open(ctx, url, patience)
	if err != nil {
		return fmt.Errorf("demo: %w", err)
	}
	return c.Close()
}

func (d *Demo) readCatalogue(ctx context.Context, db database) error {
	s, err := db.open()
	if err != nil {
		return err
	}
	d.catalogue, err = s.catalogue(ctx)
	return errors.Join(err, s.close())
}

// start runs the instances.
func (d *Demo) start(ctx context.Context, db database) error {
	host, _, err := net.SplitHostPort(d.opts.Listen)
	if err != nil {
		return fmt.Errorf("demo: %w", err)
	}
	start := func(cfg instanceConfig) (*instance, error) { return startChild(ctx, d.opts.Child, cfg) }
	if d.opts.Redis == "" {
		engine, err := embedded.New(embedded.Options{})
		if err != nil {
			return err
		}
		d.closers = append(d.closers, engine.Close)
		// Each instance has a connection of its own, as a process has.
		start = func(cfg instanceConfig) (*instance, error) {
			return serve(ctx, cfg, func(observe.Observer) (conn.Conn, error) { return engine.Connect(), nil })
		}
	}
	for i := range instances {
		d.opts.Progress("starting the instances", i, instances)
		cfg := instanceConfig{
			Name: string(rune('a' + i)), Prefix: d.prefix, Database: db,
			Listen: d.opts.Listen, Redis: d.opts.Redis, SkipInvalidation: d.opts.WithoutInvalidation,
		}
		if i > 0 {
			cfg.Listen = net.JoinHostPort(host, "0")
		} else {
			cfg.Token = d.opts.Token
		}
		inst, err := start(cfg)
		if err != nil {
			return err
		}
		d.instances = append(d.instances, inst)
		d.closers = append(d.closers, inst.stop)
	}
	return nil
}

// URLs are the addresses of the instances.
func (d *Demo) URLs() []string {
	urls := make([]string, len(d.instances))
	for i, inst := range d.instances {
		urls[i] = inst.url
	}
	return urls
}

// Dashboard is the address of the dashboard, and the token to log in with.
func (d *Demo) Dashboard() (url, token string) {
	return d.instances[0].url + dashboardPath, d.opts.Token
}

// Close stops the instances and removes the database.
func (d *Demo) Close() error {
	var errs []error
	for _, undo := range slices.Backward(d.closers) {
		errs = append(errs, undo())
	}
	d.closers = nil
	return errors.Join(errs...)
}

// rounds is how many parts a workload is sent in. Both phases of a part are
// done before the next begins, so that whatever fits into Options.For has had
// the same requests uncached and cached.
const rounds = 10

// overrun is how much longer than Options.For the first round may take.
const overrun = 30 * time.Second

// Run sends the workload, uncached and cached, and reports. It returns an error
// only if it could not finish; what is wrong with the answers is in the Report.
func (d *Demo) Run(ctx context.Context) (Report, error) {
	if d.opts.For > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeoutCause(ctx, d.opts.For+overrun,
			fmt.Errorf("demo: one of %d rounds did not end within %s", rounds, d.opts.For+overrun))
		defer cancel()
	}
	load := makeWorkload(d.catalogue, d.opts.Seed, d.opts.Requests)
	g := newGenerator(d.URLs(), d.opts.Workers)
	defer g.close()
	live, err := follow(ctx, g.client.Transport, g.urls)
	if err != nil {
		return Report{}, cause(ctx, err)
	}
	defer live.close()
	r := &recorder{planned: load.size(), progress: d.opts.Progress}
	began := time.Now()
	var longest time.Duration
	for i := range rounds {
		if i > 0 && d.opts.For > 0 && time.Since(began)+longest > d.opts.For {
			break
		}
		start := time.Now()
		if err := r.round(ctx, g, load.round(i, rounds)); err != nil {
			return Report{}, err
		}
		longest = max(longest, time.Since(start))
	}
	live.await(ctx, len(g.changes))
	live.close()
	rep := r.report(g, live, d.settings())
	if d.opts.Postgres != "" {
		rep.SQLCache = r.sqlCache()
	}
	return rep, nil
}

// patience is for a server that shares the machine with two instances, a database
// and a load: what is not answered at once is not a fault here.
var patience = redisconn.Options{SilenceTimeout: 3 * time.Second}
