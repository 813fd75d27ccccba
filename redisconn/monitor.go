package redisconn

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"strings"
	"sync"

	"github.com/redis/rueidis"

	"github.com/larder-go/larder/conn"
)

const (
	opMonitor = "monitor"
	// maxMonitorLine bounds a line of MONITOR, which repeats whole values.
	maxMonitorLine = 64 << 10
)

var (
	_ conn.Monitorer = (*Conn)(nil)

	errMonitorReply = errors.New("the server's reply is not a status")
)

// Monitor watches every master over a connection of its own, which the client
// library could not read.
func (c *Conn) Monitor(ctx context.Context, ready func(), fn func(line string)) error {
	addrs, err := c.monitored()
	if err != nil {
		return err
	}
	bound, release := c.life.bind(ctx)
	defer release()
	m := monitors{waiting: len(addrs), ready: ready, fn: fn}
	ended := make(chan error, len(addrs))
	var wg sync.WaitGroup
	for _, addr := range addrs {
		wg.Go(func() { ended <- m.watch(bound, c.plain.wire, addr) })
	}
	err = <-ended // the end of one is the end of all
	release()
	wg.Wait()
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if se, ok := errors.AsType[*conn.ServerError](err); ok && !c.life.over.Load() {
		return se
	}
	return c.plain.fail(ctx, opMonitor, err)
}

// monitored are the addresses of the masters.
func (c *Conn) monitored() ([]string, error) {
	if c.topo != nil {
		if g := c.topo.any(c.plain.no); !g.open() {
			return nil, g.refusal(opMonitor)
		}
		return c.Nodes(), nil
	}
	s := c.plain.gate.socket.Load() // behind sentinels nothing else knows the address
	if s == nil || !c.plain.gate.open() {
		return nil, c.plain.gate.refusal(opMonitor)
	}
	return []string{s.addr}, nil
}

// monitors is one call of Monitor.
type monitors struct {
	mu      sync.Mutex // protects the following and is held while fn is called
	waiting int        // nodes that have not confirmed
	ready   func()
	fn      func(line string)
}

func (m *monitors) watch(ctx context.Context, shared *wire, addr string) error {
	w := *shared
	w.gates, w.opened, w.lost = nil, nil, nil
	var config *tls.Config
	if w.target.tls {
		if config = w.opts.TLS; config == nil {
			config = defaultTLS()
		}
	}
	nc, err := w.dial(ctx, addr, &net.Dialer{}, config)
	if err != nil {
		return err
	}
	stop := context.AfterFunc(ctx, func() { _ = nc.Close() })
	defer func() {
		if stop() {
			_ = nc.Close()
		}
	}()
	r := bufio.NewReader(nc)
	login, err := w.login(rueidis.AuthCredentialsContext{Address: nc.RemoteAddr()})
	if err != nil {
		return err
	}
	switch {
	case login.Username != "":
		err = exchange(nc, r, "AUTH", login.Username, login.Password)
	case login.Password != "":
		err = exchange(nc, r, "AUTH", login.Password)
	}
	if err == nil {
		err = exchange(nc, r, "MONITOR")
	}
	if err != nil {
		return err
	}
	m.confirmed()
	for {
		line, err := statusLine(r)
		if err != nil {
			return err
		}
		m.mu.Lock()
		if ctx.Err() == nil {
			m.fn(line)
		}
		m.mu.Unlock()
	}
}

func (m *monitors) confirmed() {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.waiting--; m.waiting == 0 && m.ready != nil {
		m.ready()
	}
}

// exchange sends a command whose reply is a status.
func exchange(nc net.Conn, r *bufio.Reader, args ...string) error {
	var b strings.Builder
	fmt.Fprintf(&b, "*%d\r\n", len(args))
	for _, a := range args {
		fmt.Fprintf(&b, "$%d\r\n%s\r\n", len(a), a)
	}
	if _, err := nc.Write([]byte(b.String())); err != nil {
		return err
	}
	_, err := statusLine(r)
	return err
}

// statusLine reads a status, cut at maxMonitorLine.
func statusLine(r *bufio.Reader) (string, error) {
	var line []byte
	cut := false
	for {
		part, err := r.ReadSlice('\n')
		if err != nil && !errors.Is(err, bufio.ErrBufferFull) {
			return "", err
		}
		if room := maxMonitorLine - len(line); room < len(part) {
			cut, part = true, part[:room]
		}
		line = append(line, part...)
		if err == nil {
			break
		}
	}
	text := strings.TrimRight(string(line), "\r\n")
	switch {
	case strings.HasPrefix(text, "-"):
		return "", &conn.ServerError{Text: text[1:]}
	case !strings.HasPrefix(text, "+"):
		return "", errMonitorReply
	case cut:
		return text[1:] + "...", nil
	}
	return text[1:], nil
}
