package sqlcache_test

import (
	"bufio"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"

	"github.com/larder-go/larder/conn"
	"github.com/larder-go/larder/redisconn"
	"github.com/larder-go/larder/sqlcache"
)

// racerRole is that of the other processes of TestRaces.
const racerRole = "racer"

// The rows that are raced for: in tables t0, t1 …, each with a view, rows 0, 1 …, two of
// which are a group. Into those of the mortals nobody else writes, who would invalidate
// for them when they have died.
const (
	raceTables   = 2
	mortalTables = 3
	raceRows     = 4
	// rolledBack is added to versions in transactions that are rolled back.
	rolledBack = 1 << 40
)

func raceSchema() string {
	var b strings.Builder
	for i := range raceTables + mortalTables {
		fmt.Fprintf(&b, `CREATE TABLE t%[1]d (id bigint PRIMARY KEY, grp bigint NOT NULL, v bigint NOT NULL);
			CREATE VIEW w%[1]d AS SELECT id, v FROM t%[1]d;
			INSERT INTO t%[1]d SELECT i, i / 2, 0 FROM generate_series(0, %[2]d) i;`, i, raceRows-1)
	}
	return b.String()
}

// racer is one process in the race.
type racer struct {
	Process         int
	Postgres, Redis string
	Writes          int64 // to make, by all lanes together
	Lanes           int
	DieAt           int64 // the commit after which the process dies, before it invalidates; 0 for none
	Table           int   // to write into, for those that die

	conn     conn.Conn
	db, bare *sql.DB
	left     atomic.Int64
	record   func([]event)
}

// race races until all writes are made.
func (r *racer) race(ctx context.Context) error {
	c, err := redisconn.Open(ctx, r.Redis, redisconn.Options{SilenceTimeout: 30 * time.Second})
	if err != nil {
		return err
	}
	defer func() { _ = c.Close() }()
	r.conn = c
	if r.DieAt > 0 {
		m := &mortal{Conn: c}
		m.left.Store(r.DieAt)
		r.conn = m
	}
	config, err := pgx.ParseConfig(r.Postgres)
	if err != nil {
		return err
	}
	r.bare = sql.OpenDB(stdlib.GetConnector(*config))
	defer func() { _ = r.bare.Close() }()
	// Redis is near; a timeout would only show that the machine is busy.
	r.db, err = sqlcache.OpenDB(stdlib.GetConnector(*config), r.conn, sqlcache.Options{All: true, CacheTimeout: 30 * time.Second})
	if err != nil {
		return err
	}
	defer func() { _ = r.db.Close() }()
	r.left.Store(r.Writes)
	errs := make([]error, r.Lanes)
	var lanes sync.WaitGroup
	for i := range errs {
		lanes.Go(func() {
			for r.left.Load() > 0 && errs[i] == nil && ctx.Err() == nil {
				errs[i] = r.step(ctx)
			}
		})
	}
	lanes.Wait()
	s, err := sqlcache.StatsOf(r.db)
	if s.Failures > 0 {
		err = fmt.Errorf("%d failures of the cache", s.Failures)
	}
	if s.Hits < s.Misses/10 {
		err = fmt.Errorf("%d hits, %d misses: too little is read from the cache", s.Hits, s.Misses)
	}
	return errors.Join(append(errs, err, ctx.Err())...)
}

// step reads, looks or writes.
func (r *racer) step(ctx context.Context) error {
	kind := rand.IntN(40)
	table, id := rand.IntN(raceTables+mortalTables), rand.IntN(raceRows)
	if r.DieAt > 0 {
		table = r.Table
	} else if kind >= 30 {
		table = rand.IntN(raceTables)
	}
	name := fmt.Sprint(table)
	byRow, byGroup := "SELECT id, v FROM t"+name+" WHERE id = $1", "SELECT id, v FROM t"+name+" WHERE grp = $1 ORDER BY id"
	bump := "UPDATE t" + name + " SET v = v + $2 WHERE "
	switch {
	case kind < 12:
		return r.see(ctx, read, r.db, table, byRow, id)
	case kind < 20:
		return r.see(ctx, read, r.db, table, byGroup, id/2)
	case kind < 28:
		return r.see(ctx, read, r.db, table, "SELECT id, v FROM w"+name+" WHERE id = $1", id)
	case kind < 30:
		return r.see(ctx, looked, r.bare, table, byRow, id)
	case kind == 39:
		return r.transact(ctx, table, bump+"id = $1 RETURNING id, v", id, rolledBack)
	}
	r.left.Add(-1)
	switch {
	case kind < 34:
		return r.see(ctx, wrote, r.db, table, bump+"id = $1 RETURNING id, v", id, 1)
	case kind < 36:
		return r.see(ctx, wrote, r.db, table, bump+"id = (SELECT max(id) FROM t"+name+" WHERE grp = $1) RETURNING id, v", id/2, 1)
	default:
		return r.transact(ctx, table, bump+"id = $1 RETURNING id, v", id, 1)
	}
}

type rowsQuerier interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
}

// see runs a query for ids and versions, and records what it brought.
func (r *racer) see(ctx context.Context, kind eventKind, q rowsQuerier, table int, query string, args ...any) error {
	began := time.Now().UnixNano()
	events, err := r.versions(ctx, q, table, query, args...)
	if err != nil {
		return fmt.Errorf("%s: %w", query, err)
	}
	r.note(kind, began, events)
	return nil
}

func (r *racer) note(kind eventKind, began int64, events []event) {
	ended := time.Now().UnixNano()
	for i := range events {
		events[i].Process, events[i].Kind, events[i].Began, events[i].Ended = r.Process, kind, began, ended
	}
	r.record(events)
}

func (r *racer) versions(ctx context.Context, q rowsQuerier, table int, query string, args ...any) ([]event, error) {
	rows, err := q.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	var events []event
	for rows.Next() {
		var id int
		var e event
		if err := rows.Scan(&id, &e.Version); err != nil {
			return nil, err
		}
		e.Row = table*raceRows + id
		events = append(events, e)
	}
	return events, errors.Join(rows.Err(), rows.Close())
}

// transact adds to a version in a transaction, which is rolled back where it must not
// be seen.
func (r *racer) transact(ctx context.Context, table int, query string, id int, add int64) error {
	began := time.Now().UnixNano()
	tx, err := r.db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	events, err := r.versions(ctx, tx, table, query, id, add)
	if err != nil {
		return errors.Join(err, tx.Rollback())
	}
	// What the transaction itself reads must not come from the cache, nor go into it.
	seen, err := r.versions(ctx, tx, table, "SELECT id, v FROM t"+fmt.Sprint(table)+" WHERE id = $1", id)
	if err == nil && seen[0].Version != events[0].Version {
		err = fmt.Errorf("a transaction wrote version %d and read %d", events[0].Version, seen[0].Version)
	}
	if err != nil || add == rolledBack {
		return errors.Join(err, tx.Rollback())
	}
	if err := tx.Commit(); err != nil {
		return err
	}
	r.note(wrote, began, events)
	return nil
}

// mortal ends its process, as if the power went, when it is about to lift the barrier
// of a commit.
type mortal struct {
	conn.Conn
	left atomic.Int64
}

func (m *mortal) EvalEach(ctx context.Context, s *conn.Script, calls ...conn.ScriptCall) []conn.Result {
	if strings.Contains(s.Text(), "Ends a writer's part in a barrier. The last one to go") && m.left.Add(-1) == 0 {
		_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
		select {}
	}
	return m.Conn.EvalEach(ctx, s, calls...)
}

// runRacer is the main function of another process: its input says what to do, its
// output are lists of events.
func runRacer(in io.Reader, out io.Writer) int {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	lines := json.NewDecoder(bufio.NewReader(in))
	r := &racer{}
	if err := lines.Decode(r); err != nil {
		return 0 // the test has ended before
	}
	go func() { // the test has ended
		_ = lines.Decode(&struct{}{})
		cancel()
	}()
	var mu sync.Mutex // protects to
	to := json.NewEncoder(out)
	r.record = func(events []event) {
		mu.Lock()
		defer mu.Unlock()
		_ = to.Encode(events) // nobody listens: the input ends too
	}
	if err := r.race(ctx); err != nil && ctx.Err() == nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}
