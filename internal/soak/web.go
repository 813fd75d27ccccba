package soak

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/larder-go/larder/conn"
	"github.com/larder-go/larder/event"
	"github.com/larder-go/larder/ratelimit"
	"github.com/larder-go/larder/ratelimit/limithttp"
	"github.com/larder-go/larder/session"
)

// serve answers on a free port of this machine until end is called.
func serve(ctx context.Context, h http.Handler) (url string, end func() error, err error) {
	ln, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return "", nil, err
	}
	srv := &http.Server{Handler: h, ReadHeaderTimeout: patience, IdleTimeout: lifetime}
	ended := make(chan error, 1)
	go func() { ended <- srv.Serve(ln) }()
	return "http://" + ln.Addr().String(), func() error {
		grace, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		err := srv.Shutdown(grace)
		if e := <-ended; !errors.Is(e, http.ErrServerClosed) {
			err = errors.Join(err, e)
		}
		return err
	}, nil
}

// client has a few connections of its own, which end when nobody uses them.
func client() *http.Client {
	return &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: workers, IdleConnTimeout: lifetime / 2}}
}

// web is an application: rate limits, sessions by cookie, and server-sent events, over
// HTTP.
type web struct {
	closers
	url string
	hc  *http.Client
}

func openWeb(ctx context.Context, e *env) (load, error) {
	l := &web{hc: client()}
	fail := func(err error) (load, error) { return nil, errors.Join(err, l.close()) }
	limiter, err := ratelimit.New(e.conn, ratelimit.Options{
		Algorithm: ratelimit.SlidingWindow(1_000_000, lifetime/4), Prefix: e.id + "-web", Timeout: patience,
	})
	if err != nil {
		return fail(err)
	}
	l.add(limiter.Close)
	limit, err := limithttp.New(limiter, limithttp.Options{Key: func(r *http.Request) string { return r.Header.Get("X-User") }})
	if err != nil {
		return fail(err)
	}
	store, err := session.New[basket](e.conn, session.Options{Namespace: e.id + "-cookie", Lifetime: lifetime, MaxPerUser: sessionsEach})
	if err != nil {
		return fail(err)
	}
	l.add(store.Close)
	visitors, err := session.NewMiddleware(store, session.CookieOptions{Insecure: true})
	if err != nil {
		return fail(err)
	}
	topic, err := event.NewTopic[news](e.conn, e.id+"-feed", event.Options{ConnectTimeout: patience})
	if err != nil {
		return fail(err)
	}
	feed, err := event.SSE(topic, event.SSEOptions{Heartbeat: time.Second})
	if err != nil {
		return fail(err)
	}
	mux := http.NewServeMux()
	mux.Handle("GET /feed", feed)
	mux.HandleFunc("POST /visit", func(w http.ResponseWriter, r *http.Request) {
		h := visitors.Of(r)
		err := h.Login(r.Context(), r.Header.Get("X-User"), func(b *basket) error { b.Items++; return nil })
		if err == nil && r.Header.Get("X-Leave") != "" {
			err = h.Logout(r.Context())
		}
		if err == nil {
			_, err = topic.Publish(r.Context(), news{N: 1})
		}
		if err != nil {
			http.Error(w, err.Error(), http.StatusServiceUnavailable)
		}
	})
	url, end, err := serve(ctx, limit.Handler(visitors.Wrap(mux)))
	if err != nil {
		return fail(err)
	}
	l.url = url
	l.add(end)
	l.add(topic.Close) // streams first: the server waits for them
	l.add(func() error { l.hc.CloseIdleConnections(); return nil })
	return l, nil
}

func (l *web) step(ctx context.Context, rng *rand.Rand) error {
	user := fmt.Sprintf("user-%d", rng.IntN(sessionUsers))
	if rng.IntN(10) == 0 {
		return l.listen(ctx, user)
	}
	cookie := ""
	for range 2 { // the second time with the cookie of the first
		req, err := http.NewRequestWithContext(ctx, http.MethodPost, l.url+"/visit", http.NoBody)
		if err != nil {
			return err
		}
		req.Header.Set("X-User", user)
		if cookie != "" {
			req.Header.Set("Cookie", cookie)
			if rng.IntN(2) == 0 {
				req.Header.Set("X-Leave", "yes")
			}
		}
		res, err := l.hc.Do(req)
		if err != nil {
			return err
		}
		text, _ := io.ReadAll(io.LimitReader(res.Body, 1000))
		_ = res.Body.Close()
		if res.StatusCode != http.StatusOK {
			return refused("visit", res.StatusCode, text)
		}
		cookie, _, _ = strings.Cut(res.Header.Get("Set-Cookie"), ";")
	}
	return nil
}

// listen opens the feed, reads its first line, and goes.
func (l *web) listen(ctx context.Context, user string) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, l.url+"/feed", http.NoBody)
	if err != nil {
		return err
	}
	req.Header.Set("X-User", user)
	res, err := l.hc.Do(req)
	if err != nil {
		return err
	}
	defer func() { _ = res.Body.Close() }()
	if res.StatusCode != http.StatusOK {
		return refused("feed", res.StatusCode, nil)
	}
	_, err = bufio.NewReader(res.Body).ReadString('\n')
	return err
}

// refused is an answer that is none; 503 says that Redis gave none.
func refused(what string, status int, text []byte) error {
	if status == http.StatusServiceUnavailable {
		return fmt.Errorf("%s: %d %s: %w", what, status, text, conn.ErrUnavailable)
	}
	return fmt.Errorf("%s: %d %s", what, status, text)
}
