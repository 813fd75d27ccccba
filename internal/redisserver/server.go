package redisserver

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

// readyTimeout bounds every wait for a server.
const readyTimeout = 30 * time.Second

// Available tells whether there is a redis-server to start.
func Available() bool {
	_, err := exec.LookPath("redis-server")
	return err == nil
}

// Server is one redis-server process.
type Server struct {
	port, dir string
	args      []string

	mu   sync.Mutex // protects the following
	cmd  *exec.Cmd
	done chan struct{} // closed when the process has ended
}

// Start starts one server; args are added to its command line. It keeps nothing on
// disk but what it is told to save.
func Start(ctx context.Context, args ...string) (*Server, error) {
	return start(ctx, func(port, dir string) []string {
		return append([]string{
			"--bind", "127.0.0.1", "--port", port, "--dir", dir, "--save", "", "--appendonly", "no",
			"--logfile", filepath.Join(dir, "log"), "--daemonize", "no",
		}, args...)
	})
}

func start(ctx context.Context, args func(port, dir string) []string) (*Server, error) {
	dir, err := os.MkdirTemp("", "larder-redis")
	if err != nil {
		return nil, fmt.Errorf("redisserver: %w", err)
	}
	s := &Server{dir: dir}
	for range 5 { // another process may take the port first
		if s.port, err = freePort(ctx); err != nil {
			break
		}
		s.args = args(s.port, dir)
		if err = s.run(); err == nil || !strings.Contains(s.log(), "Address already in use") {
			break
		}
	}
	if err != nil {
		err = fmt.Errorf("redisserver: the server did not start: %w\n%s", err, s.log())
		_ = s.Close()
		return nil, err
	}
	return s, nil
}

func freePort(ctx context.Context) (string, error) {
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer func() { _ = l.Close() }()
	return strconv.Itoa(l.Addr().(*net.TCPAddr).Port), nil
}

func (s *Server) run() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.cmd != nil {
		return nil
	}
	cmd := exec.Command("redis-server", s.args...) //nolint:noctx // ended by Stop
	// Ctrl-C goes to the whole group of processes; ours are ended in order.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := cmd.Start(); err != nil {
		return err
	}
	done := make(chan struct{})
	go func() {
		_ = cmd.Wait()
		close(done)
	}()
	s.cmd, s.done = cmd, done
	return poll(done, func() error {
		_, err := s.Do("PING")
		return err
	})
}

// poll calls ready with short pauses until it returns nil, at most readyTimeout.
func poll(ended <-chan struct{}, ready func() error) error {
	deadline := time.Now().Add(readyTimeout)
	for pause := time.Millisecond; ; pause = min(2*pause, 50*time.Millisecond) {
		err := ready()
		if err == nil {
			return nil
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("not ready after %v: %w", readyTimeout, err)
		}
		select {
		case <-ended:
			return errors.New("the process ended")
		case <-time.After(pause):
		}
	}
}

// Addr is host:port.
func (s *Server) Addr() string { return "127.0.0.1:" + s.port }

// Stop ends the process as a power failure does. A second Stop does nothing.
func (s *Server) Stop() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.cmd == nil {
		return
	}
	_ = s.cmd.Process.Kill() // also ends a paused process
	<-s.done
	s.cmd = nil
}

// Run starts the process again, on the same port, with what it finds on disk.
func (s *Server) Run() error {
	if err := s.run(); err != nil {
		return fmt.Errorf("redisserver: the server did not start again: %w\n%s", err, s.log())
	}
	return nil
}

// Forget removes what a stopped server has saved, but for its place in a cluster.
func (s *Server) Forget() error {
	err := os.Remove(filepath.Join(s.dir, "dump.rdb"))
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	return err
}

// Pause stops the process without closing its connections; resume lets it go on.
func (s *Server) Pause() (resume func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.cmd == nil {
		return func() {}
	}
	p := s.cmd.Process
	_ = p.Signal(syscall.SIGSTOP)
	return func() { _ = p.Signal(syscall.SIGCONT) }
}

// Close ends the process and removes its files.
func (s *Server) Close() error {
	s.Stop()
	return os.RemoveAll(s.dir)
}

func (s *Server) log() string {
	b, _ := os.ReadFile(filepath.Join(s.dir, "log"))
	lines := strings.SplitAfter(string(b), "\n")
	return strings.Join(lines[max(0, len(lines)-10):], "")
}
