package redistest

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/larder-go/larder/internal/redisserver"
)

// startTimeout bounds every wait for a server.
const startTimeout = 15 * time.Second

// Server is one redis-server process.
type Server struct {
	tb   testing.TB
	port string
	dir  string
	args []string
	tls  *tls.Config
	cmd  *exec.Cmd
	done chan struct{} // closed when the process has ended
}

// Start starts a server for this test; args are added to its command line
// ("--requirepass", "secret"). It keeps nothing on disk unless args say so, and
// is ended when the test ends.
func Start(tb testing.TB, args ...string) *Server {
	tb.Helper()
	s := launch(tb, nil, args)
	tb.Cleanup(s.end)
	return s
}

// launch starts a server that the caller ends.
func launch(tb testing.TB, tc *tls.Config, args []string) *Server {
	tb.Helper()
	requireBinary(tb)
	// Not tb.TempDir: the path of a unix socket may have 107 bytes only.
	dir, err := os.MkdirTemp("", "redistest")
	if err != nil {
		tb.Fatalf("redistest: %v", err)
	}
	s := &Server{tb: tb, dir: dir, tls: tc}
	for range 5 {
		s.port = freePort(tb)
		port := "--port"
		if tc != nil {
			port = "--tls-port"
		}
		s.args = append([]string{
			"--bind", "127.0.0.1", port, s.port, "--dir", dir,
			"--unixsocket", s.SocketPath(), "--save", "", "--appendonly", "no",
			"--logfile", s.logPath(), "--daemonize", "no",
		}, args...)
		if err = s.run(); err == nil {
			return s
		}
		if !strings.Contains(s.log(), "Address already in use") {
			break
		}
	}
	log := s.log()
	s.end()
	tb.Fatalf("redistest: the server did not start: %v\n%s", err, log)
	return nil
}

// run starts the process and waits until it answers.
func (s *Server) run() error {
	cmd := exec.CommandContext(context.Background(), "redis-server", s.args...) // ended by Stop
	done := make(chan struct{})
	if err := cmd.Start(); err != nil {
		return err
	}
	go func() {
		_ = cmd.Wait()
		close(done)
	}()
	s.cmd, s.done = cmd, done
	return poll(done, func() error {
		_, err := s.Do("PING")
		var re redisserver.ReplyError
		if errors.As(err, &re) && !strings.HasPrefix(string(re), "LOADING") {
			return nil // it wants a password: it is up
		}
		return err
	})
}

// poll calls ready with short pauses until it returns nil, at most startTimeout.
func poll(ended <-chan struct{}, ready func() error) error {
	deadline := time.Now().Add(startTimeout)
	for pause := time.Millisecond; ; pause = min(2*pause, 50*time.Millisecond) {
		err := ready()
		if err == nil {
			return nil
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("not ready after %v: %w", startTimeout, err)
		}
		select {
		case <-ended:
			return errors.New("the process ended")
		case <-time.After(pause):
		}
	}
}

// Addr is the server's host:port.
func (s *Server) Addr() string { return net.JoinHostPort("127.0.0.1", s.port) }

// URL is redis://host:port, or rediss:// for a server from StartTLS.
func (s *Server) URL() string {
	if s.tls != nil {
		return "rediss://" + s.Addr()
	}
	return "redis://" + s.Addr()
}

// SocketPath is the path of the server's unix socket.
func (s *Server) SocketPath() string { return filepath.Join(s.dir, "redis.sock") }

// SocketURL is unix:// and the path.
func (s *Server) SocketURL() string { return "unix://" + s.SocketPath() }

// TLSConfig trusts the server's certificate; nil without TLS.
func (s *Server) TLSConfig() *tls.Config {
	if s.tls == nil {
		return nil
	}
	return s.tls.Clone()
}

// Do sends one command over a connection of its own, without logging in, and
// returns the reply as text: arrays one element a line, nil as "".
func (s *Server) Do(args ...string) (string, error) {
	nc, err := s.dial()
	if err != nil {
		return "", err
	}
	return redisserver.AskOver(nc, args...)
}

func (s *Server) dial() (net.Conn, error) {
	d := &net.Dialer{Timeout: time.Second}
	if s.tls != nil {
		return (&tls.Dialer{NetDialer: d, Config: s.tls}).DialContext(context.Background(), "tcp", s.Addr())
	}
	return d.DialContext(context.Background(), "tcp", s.Addr())
}

// Stop ends the process. A second Stop does nothing.
func (s *Server) Stop() {
	if s.cmd == nil {
		return
	}
	_ = s.cmd.Process.Kill() // also ends a paused process
	<-s.done
	s.cmd = nil
}

// Restart ends the process and starts it again on the same port, without data
// unless the server was told to keep them.
func (s *Server) Restart() {
	s.tb.Helper()
	s.Stop()
	if err := s.run(); err != nil {
		s.tb.Fatalf("redistest: the server did not start again: %v\n%s", err, s.log())
	}
}

// Pause stops the process without closing its connections (SIGSTOP).
func (s *Server) Pause() { s.signal(syscall.SIGSTOP) }

// Resume lets a paused process go on (SIGCONT).
func (s *Server) Resume() { s.signal(syscall.SIGCONT) }

func (s *Server) signal(sig syscall.Signal) {
	s.tb.Helper()
	if s.cmd == nil {
		s.tb.Fatalf("redistest: %v to a server that was stopped", sig)
	}
	if err := s.cmd.Process.Signal(sig); err != nil {
		s.tb.Fatalf("redistest: %v: %v", sig, err)
	}
}

// end stops the process and removes its files.
func (s *Server) end() {
	s.Stop()
	_ = os.RemoveAll(s.dir)
}

func (s *Server) logPath() string { return filepath.Join(s.dir, "log") }

// log returns the last lines of the server's log.
func (s *Server) log() string {
	b, _ := os.ReadFile(s.logPath())
	lines := slices.Collect(strings.Lines(string(b)))
	return strings.Join(lines[max(0, len(lines)-15):], "")
}
