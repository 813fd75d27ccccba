package demo

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"

	"github.com/larder-go/larder/conn"
	"github.com/larder-go/larder/observe"
	"github.com/larder-go/larder/telemetry"
)

// instances is how many instances of the application a run has.
const instances = 2

// stopTimeout bounds the end of an instance.
const stopTimeout = 5 * time.Second

// instance is a running application as the load generator sees it, in this
// process or in another.
type instance struct {
	name string
	url  string
	// stop ends it and waits for its end.
	stop func() error
}

// instanceConfig is what an instance is started with. It reaches a child
// process on standard input, for it may hold a password.
type instanceConfig struct {
	Name             string   `json:"name"`
	Prefix           string   `json:"prefix"`
	Database         database `json:"database"`
	Listen           string   `json:"listen"`
	Redis            string   `json:"redis"`
	SkipInvalidation bool     `json:"skip_invalidation"`
	// Token is that of the dashboard; empty means that another instance shows it.
	Token string `json:"token,omitempty"`
}

// serve starts an application over the connection that open makes, with the Observer that
// is to watch it.
func serve(ctx context.Context, cfg instanceConfig, open func(observe.Observer) (conn.Conn, error)) (*instance, error) {
	s, err := cfg.Database.open()
	if err != nil {
		return nil, err
	}
	tel, err := telemetry.New(nil, telemetry.Options{Service: "larder-demo", Instance: cfg.Name})
	if err != nil {
		return nil, errors.Join(err, s.close())
	}
	c, err := open(tel)
	if err != nil {
		return nil, errors.Join(err, tel.Close(ctx), s.close())
	}
	tel.Attach(c)
	cached, err := cfg.Database.cache(cfg.Prefix, s, c, tel)
	if err != nil {
		return nil, errors.Join(err, tel.Close(ctx), c.Close(), s.close())
	}
	a, err := newApp(cfg.Name, cfg.Prefix, s, cached, c, tel)
	if err != nil {
		return nil, err
	}
	a.skipInvalidation = cfg.SkipInvalidation
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", cfg.Listen)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("demo: listen: %w", err), a.close())
	}
	h := a.handler()
	if cfg.Token != "" {
		if h, err = a.withDashboard(cfg.Token, cfg.Prefix+"-changes", h); err != nil {
			return nil, errors.Join(err, l.Close(), a.close())
		}
	}
	srv := &http.Server{Handler: h, ReadHeaderTimeout: 10 * time.Second, IdleTimeout: 2 * time.Minute}
	// Feeds and open pages do not end by themselves, and Shutdown waits for them.
	srv.RegisterOnShutdown(func() {
		_ = a.changes.Close()
		if a.dashboard != nil {
			_ = a.dashboard.Close()
		}
	})
	served := make(chan error, 1)
	go func() { served <- srv.Serve(l) }()
	return &instance{
		name: cfg.Name,
		url:  "http://" + l.Addr().String(),
		stop: func() error {
			ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopTimeout)
			defer cancel()
			err := srv.Shutdown(ctx)
			if err != nil {
				err = errors.Join(fmt.Errorf("demo: stop serving: %w", err), srv.Close())
			}
			if serr := <-served; !errors.Is(serr, http.ErrServerClosed) {
				err = errors.Join(err, fmt.Errorf("demo: serve: %w", serr))
			}
			return errors.Join(err, a.close())
		},
	}, nil
}

// tail keeps the last bytes that were written to it.
type tail struct{ b []byte }

const tailSize = 4 << 10

var _ io.Writer = (*tail)(nil)

func (t *tail) Write(p []byte) (int, error) {
	t.b = append(t.b, p...)
	if over := len(t.b) - tailSize; over > 0 {
		t.b = append(t.b[:0], t.b[over:]...)
	}
	return len(p), nil
}
