package pgtest

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/jackc/pgx/v5"
)

// settings are those of every server; the ones of Start come after them.
const settings = `
listen_addresses = ''
port = 5432
unix_socket_permissions = 0700
fsync = off
full_page_writes = off
autovacuum = off
shared_buffers = 32MB
max_connections = 200
timezone = 'UTC'
`

// Server is one PostgreSQL server.
type Server struct {
	tb        testing.TB
	programs  string // the directory of initdb and pg_ctl
	dir       string // its files and its socket
	owner     *syscall.Credential
	databases atomic.Int64
}

// Start starts a server for this test, with lines of postgresql.conf
// ("wal_level = logical"). It is ended, and its files are removed, when the test
// ends.
func Start(tb testing.TB, lines ...string) *Server {
	tb.Helper()
	s := launch(tb, lines)
	tb.Cleanup(s.end)
	return s
}

// launch starts a server that the caller ends.
func launch(tb testing.TB, lines []string) *Server {
	tb.Helper()
	s := &Server{tb: tb, programs: requirePrograms(tb)}
	// Not tb.TempDir: the path of a unix socket may have 107 bytes only, and the
	// server's user could not enter it.
	var err error
	if s.dir, err = os.MkdirTemp("", "pgtest"); err != nil {
		tb.Fatalf("pgtest: %v", err)
	}
	if err := errors.Join(s.own(), s.initialise(lines), s.run()); err != nil {
		s.end()
		tb.Fatalf("pgtest: the server did not start: %v", err)
	}
	return s
}

// initialise makes the server's files.
func (s *Server) initialise(lines []string) error {
	err := s.call("initdb", "--auth=trust", "--username=postgres", "--encoding=UTF8", "--locale=C", "--no-sync")
	if err != nil {
		return err
	}
	conf, err := os.OpenFile(filepath.Join(s.data(), "postgresql.conf"), os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(conf, "%s\nunix_socket_directories = '%s'\n%s\n", settings, s.dir, strings.Join(lines, "\n"))
	return errors.Join(err, conf.Close())
}

// run starts the process and waits until it accepts connections.
func (s *Server) run() error {
	err := s.call("pg_ctl", "start", "--wait", "--silent", "--log="+s.logPath())
	if err != nil {
		log, _ := os.ReadFile(s.logPath())
		err = fmt.Errorf("%w\n%s", err, log)
	}
	return err
}

// call runs a program of PostgreSQL on the server's files.
func (s *Server) call(program string, args ...string) error {
	args = append(args, "--pgdata="+s.data())
	cmd := exec.CommandContext(context.Background(), filepath.Join(s.programs, program), args...)
	cmd.Dir = s.dir // the tests' own may be closed to the user
	s.disguise(cmd)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w\n%s", program, err, out)
	}
	return nil
}

// Database makes an empty database for this test and returns its URL. It is removed
// when the test ends, with the connections that are still there.
func (s *Server) Database(tb testing.TB) string {
	tb.Helper()
	name := fmt.Sprintf("test%d", s.databases.Add(1))
	s.Do(tb, "CREATE DATABASE "+name)
	tb.Cleanup(func() {
		if s.running() {
			s.Do(tb, "DROP DATABASE IF EXISTS "+name+" WITH (FORCE)")
		}
	})
	return s.URL(name)
}

// Do executes statements in the server's own database, over a connection of its
// own; an error ends the test.
func (s *Server) Do(tb testing.TB, sql string) {
	tb.Helper()
	Do(tb, s.URL("postgres"), sql)
}

// Do executes statements in the database at url, over a connection of its own; an
// error ends the test.
func Do(tb testing.TB, url, sql string) {
	tb.Helper()
	ctx := context.Background() // cleanups outlast the context of their test
	c, err := pgx.Connect(ctx, url)
	if err == nil {
		_, err = c.PgConn().Exec(ctx, sql).ReadAll()
		_ = c.Close(ctx)
	}
	if err != nil {
		tb.Fatalf("pgtest: %s: %v", sql, err)
	}
}

// URL is where a database is found.
func (s *Server) URL(database string) string {
	u := url.URL{
		Scheme: "postgres", User: url.User("postgres"), Path: "/" + database,
		RawQuery: url.Values{"host": {s.dir}, "port": {"5432"}}.Encode(),
	}
	return u.String()
}

// Stop ends the processes at once and without a checkpoint, as a crash does. A second
// Stop does nothing.
func (s *Server) Stop() {
	s.tb.Helper()
	if !s.running() {
		return
	}
	if err := s.call("pg_ctl", "stop", "--wait", "--silent", "--mode=immediate"); err != nil {
		s.tb.Errorf("pgtest: the server did not stop: %v", err)
	}
}

// Restart ends the server and starts it again with all that was committed.
func (s *Server) Restart() {
	s.tb.Helper()
	s.Stop()
	if err := s.run(); err != nil {
		s.tb.Fatalf("pgtest: the server did not start again: %v", err)
	}
}

// running tells whether the server was started and not stopped: its process removes
// the file.
func (s *Server) running() bool {
	_, err := os.Stat(filepath.Join(s.data(), "postmaster.pid"))
	return err == nil
}

// end stops the processes and removes the files.
func (s *Server) end() {
	s.Stop()
	_ = os.RemoveAll(s.dir)
}

func (s *Server) data() string { return filepath.Join(s.dir, "data") }

func (s *Server) logPath() string { return filepath.Join(s.dir, "log") }
