package torture

import (
	"context"
	"encoding/gob"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/larder-go/larder/conn"
	"github.com/larder-go/larder/embedded"
)

// Bounds of the life of a process.
const (
	startTimeout = 90 * time.Second
	endTimeout   = 60 * time.Second
)

// member is a process under torture, as the one sees it that tortures.
type member struct {
	proc int
	end  func() // closes its input
	kill func() // SIGKILL; nil where it has no process of its own
	stop func() // SIGSTOP; nil likewise
	cont func()

	mu     sync.Mutex // protects orders
	orders *gob.Encoder

	doomed atomic.Bool   // is to be killed, or to die
	ending atomic.Bool   // was told to end
	ready  chan error    // gets one when it has started
	gone   chan struct{} // closed when it has ended
	// pending is what the last sample said.
	pending atomic.Int64
	last    batch // what it said last, when gone is closed
	exit    error // how it ended, when gone is closed
}

func (m *member) order(o order) {
	m.mu.Lock()
	defer m.mu.Unlock()
	_ = m.orders.Encode(o) // it may be dead
}

// listen passes on what a process reports, until it ends.
func (m *member) listen(out io.Reader, hear func(batch)) {
	in := gob.NewDecoder(out)
	for {
		var b batch
		if err := in.Decode(&b); err != nil {
			return
		}
		switch {
		case b.Ready:
			var err error
			if b.Error != "" {
				err = fmt.Errorf("torture: a process did not start: %s", b.Error)
			}
			m.ready <- err
		case b.Ended:
			m.last = b
		default:
			if n := len(b.Samples); n > 0 {
				m.pending.Store(int64(b.Samples[n-1].Pending))
			}
			hear(b)
		}
	}
}

// spawn starts a process.
func spawn(argv []string, cfg config, hear func(batch)) (*member, error) {
	cmd := exec.Command(argv[0], argv[1:]...) //nolint:noctx // ended by its input, or killed by its id
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	var stderr tail
	cmd.Stderr = &stderr
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return nil, fmt.Errorf("torture: %w", err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return nil, fmt.Errorf("torture: %w", err)
	}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("torture: start a process: %w", err)
	}
	m := &member{proc: cfg.Proc, orders: gob.NewEncoder(stdin), ready: make(chan error, 1), gone: make(chan struct{})}
	m.end = func() { _ = stdin.Close() }
	m.kill = func() { m.doomed.Store(true); _ = cmd.Process.Kill() }
	m.stop = func() { _ = cmd.Process.Signal(syscall.SIGSTOP) }
	m.cont = func() { _ = cmd.Process.Signal(syscall.SIGCONT) }
	go func() {
		defer close(m.gone)
		m.listen(stdout, hear)
		if err := cmd.Wait(); err != nil {
			m.exit = fmt.Errorf("%w: %s", err, stderr.b)
		}
	}()
	m.order(order{Config: &cfg})
	return m, nil
}

// inside runs a process as goroutines of this one, over an engine.
func inside(ctx context.Context, engine *embedded.Engine, cfg config, hear func(batch)) *member {
	in, orders := io.Pipe()
	reports, out := io.Pipe()
	m := &member{proc: cfg.Proc, orders: gob.NewEncoder(orders), ready: make(chan error, 1), gone: make(chan struct{})}
	m.end = func() { _ = orders.Close() }
	ended := make(chan error, 1)
	go func() {
		err := runProcess(ctx, in, out, nil, func(context.Context, config) (conn.Conn, error) { return engine.Connect(), nil })
		_ = out.Close()
		ended <- err
	}()
	go func() {
		defer close(m.gone)
		m.listen(reports, hear)
		m.exit = <-ended
	}()
	m.order(order{Config: &cfg})
	return m
}

var errSlowStart = errors.New("torture: a process did not start in time")

// await waits until the process works.
func (m *member) await(ctx context.Context) error {
	timer := time.NewTimer(startTimeout)
	defer timer.Stop()
	select {
	case err := <-m.ready:
		return err
	case <-m.gone:
		return fmt.Errorf("torture: a process ended at its start: %w", m.exit)
	case <-timer.C:
		return errSlowStart
	case <-ctx.Done():
		return ctx.Err()
	}
}

// close ends the process in order, and tells whether it did.
func (m *member) close() bool {
	m.ending.Store(true)
	m.end()
	timer := time.NewTimer(endTimeout)
	defer timer.Stop()
	select {
	case <-m.gone:
		return true
	case <-timer.C:
		if m.kill != nil {
			m.kill()
			<-m.gone
		}
		return false
	}
}

// tail keeps the first bytes that were written to it: of a panic they say most.
type tail struct{ b []byte }

const tailSize = 8 << 10

func (t *tail) Write(p []byte) (int, error) {
	t.b = append(t.b, p[:min(len(p), tailSize-len(t.b))]...)
	return len(p), nil
}
