package redisconn

import (
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/larder-go/larder/conn"
	"github.com/larder-go/larder/internal/redistest"
)

// quick is how often heartbeats are sent where tests wait for them.
const quick = 10 * time.Millisecond

// asked is what the server itself says of its incarnation.
func asked(t *testing.T, s *redistest.Server) uint64 {
	t.Helper()
	info, err := s.Do("INFO")
	if err != nil {
		t.Fatal(err)
	}
	return incarnationOf(field(info, "run_id"), field(info, "master_replid"))
}

// untilIncarnation waits until the incarnation of key is that of s.
func untilIncarnation(t *testing.T, c *Conn, key string, s *redistest.Server) uint64 {
	t.Helper()
	want := asked(t, s)
	eventually(t, func() error {
		if id, known := c.Incarnation(key); !known || id != want {
			return fmt.Errorf("incarnation %x, %v; want %x", id, known, want)
		}
		return nil
	})
	return want
}

// untilHeard waits for a heartbeat that was sent later than now.
func untilHeard(t *testing.T, epoch *conn.Epoch) {
	t.Helper()
	now := conn.Uptime()
	eventually(t, func() error {
		if epoch.Heard() <= now {
			return errors.New("no heartbeat")
		}
		return nil
	})
}

func TestHeartbeats(t *testing.T) {
	t.Parallel()
	s := redistest.Start(t)
	c := open(t, s.URL(), Options{Heartbeat: quick, ReadWires: 2})
	if id, known := c.Incarnation("k"); !known || id != asked(t, s) {
		t.Errorf("after Open: %x, %v; want %x", id, known, asked(t, s))
	}
	for _, k := range []string{"a", "b", "c", "d"} {
		epoch := tracking(t, c).Epoch(k)
		if epoch.Heard() <= 0 || epoch.Heard() > conn.Uptime() {
			t.Errorf("after Open, heard at %v", epoch.Heard())
		}
		number := epoch.Load()
		untilHeard(t, epoch)
		if epoch.Load() != number {
			t.Error("a good heartbeat advances the epoch")
		}
	}
}

// TestHalfOpenConnection: answers do not arrive, and nothing tells.
func TestHalfOpenConnection(t *testing.T) {
	t.Parallel()
	p := startProxy(t, redistest.Start(t).Addr())
	c := open(t, p.url(), Options{Heartbeat: quick, SilenceTimeout: time.Hour, KeepAlive: time.Hour})
	epoch := tracking(t, c).Epoch("k")
	untilHeard(t, epoch)
	number := epoch.Load()
	p.freeze()
	frozen := conn.Uptime()
	for conn.Uptime() < frozen+10*quick {
		if heard := epoch.Heard(); heard > frozen {
			t.Fatalf("a heartbeat of %v was answered at %v", heard, frozen)
		}
	}
	p.thaw()
	untilHeard(t, epoch)
	if epoch.Load() != number {
		t.Error("the connection stands, and the epoch has advanced")
	}
}

// TestNewLifeOfAServer restarts a server, from an old snapshot too: what comes
// back with it belongs to another incarnation.
func TestNewLifeOfAServer(t *testing.T) {
	t.Parallel()
	for name, snapshot := range map[string]bool{"empty": false, "old snapshot": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := redistest.Start(t)
			c := open(t, s.URL(), Options{Heartbeat: quick})
			set := func(v string) {
				t.Helper()
				if _, err := c.Do(t.Context(), conn.Key("SET", "k", v)); err != nil {
					t.Fatal(err)
				}
			}
			set("old")
			if snapshot {
				if _, err := s.Do("SAVE"); err != nil {
					t.Fatal(err)
				}
			}
			set("new")
			before := untilIncarnation(t, c, "k", s)
			epoch := tracking(t, c).Epoch("k")
			number := epoch.Load()
			s.Stop()
			eventually(t, func() error {
				if _, known := c.Incarnation("k"); known {
					return errors.New("the incarnation of a stopped server is known")
				}
				return nil
			})
			s.Restart()
			if after := untilIncarnation(t, c, "k", s); after == before {
				t.Error("the incarnation has survived")
			}
			untilHeard(t, epoch)
			if epoch.Load() == number {
				t.Error("the epoch has survived")
			}
			untilAnswered(t, c)
			if v, err := c.Do(t.Context(), conn.Key("GET", "k")); err != nil || snapshot != (v.Str == "old") {
				t.Errorf("got %+v, %v", v, err)
			}
		})
	}
}

// TestDemotedMaster changes the role of a server whose connections stand.
func TestDemotedMaster(t *testing.T) {
	t.Parallel()
	s := redistest.Start(t)
	c := open(t, s.URL(), Options{Heartbeat: quick})
	before := untilIncarnation(t, c, "k", s)
	epoch := tracking(t, c).Epoch("k")
	lost := watchEpoch(t, c, "k")
	if _, err := s.Do("REPLICAOF", "127.0.0.1", "1"); err != nil {
		t.Fatal(err)
	}
	next(t, lost, "the end of the epoch")
	eventually(t, func() error {
		if _, known := c.Incarnation("k"); known {
			return errors.New("the incarnation of a replica is known")
		}
		return nil
	})
	demoted := conn.Uptime()
	untilBeat(t, c)
	if heard := epoch.Heard(); heard > demoted {
		t.Error("a replica was heard as if it were the master")
	}
	if _, err := s.Do("REPLICAOF", "NO", "ONE"); err != nil {
		t.Fatal(err)
	}
	if after := untilIncarnation(t, c, "k", s); after == before {
		t.Error("the incarnation has survived")
	}
	untilHeard(t, epoch)
}

// untilBeat waits until every connection has been used for heartbeats.
func untilBeat(t *testing.T, c *Conn) {
	t.Helper()
	for _, g := range c.shutters() {
		s := g.socket.Load()
		for before := s.reads.Load(); s.reads.Load() < before+2; {
			if err := t.Context().Err(); err != nil {
				t.Fatal(err)
			}
		}
	}
}

func TestSentinelFailover(t *testing.T) {
	t.Parallel()
	master := redistest.Start(t)
	_, port, _ := net.SplitHostPort(master.Addr())
	replica := redistest.Start(t, "--replicaof", "127.0.0.1 "+port, "--repl-diskless-sync-delay", "0")
	eventually(t, func() error {
		info, err := replica.Do("INFO", "replication")
		if err == nil && field(info, "master_link_status") != "up" {
			err = errors.New("the replica is not linked")
		}
		return err
	})
	sentinel := redistest.StartSentinel(t, master)
	eventually(t, func() error {
		list, err := sentinel.Do("SENTINEL", "REPLICAS", redistest.MasterName)
		if err == nil && !strings.Contains(list, "master-link-status\nok") {
			err = errors.New("the sentinel has not seen the replica")
		}
		return err
	})
	c := open(t, "redis+sentinel://"+sentinel.Addr()+"/"+redistest.MasterName, Options{Heartbeat: quick})
	before := untilIncarnation(t, c, "k", master)
	epoch := tracking(t, c).Epoch("k")
	number := epoch.Load()
	eventually(t, func() error {
		_, err := sentinel.Do("SENTINEL", "FAILOVER", redistest.MasterName)
		return err
	})
	eventually(t, func() error {
		info, err := replica.Do("INFO", "replication")
		if err == nil && field(info, "role") != "master" {
			err = errors.New("the replica is not the master yet")
		}
		return err
	})
	if after := untilIncarnation(t, c, "k", replica); after == before {
		t.Error("the incarnation has survived")
	}
	eventually(t, func() error {
		_, err := c.Do(t.Context(), conn.Key("SET", "k", "x"))
		return err
	})
	untilHeard(t, epoch)
	if epoch.Load() == number {
		t.Error("the epoch has survived")
	}
}

// TestMovedSlot moves one slot between the masters of a cluster. The library
// follows the redirection without a word.
func TestMovedSlot(t *testing.T) {
	t.Parallel()
	servers := redistest.Cluster(t, 2)
	c := open(t, servers.URL(), Options{Heartbeat: quick, ReadWires: 2})
	key := "a"
	for i := 0; slotOf(key) >= slotCount/2; i++ { // one of the first master
		key = "k" + strconv.Itoa(i)
	}
	from, to := servers.Masters[0], servers.Masters[1]
	untilIncarnation(t, c, key, from)
	tr := tracking(t, c)
	if _, err := tr.Do(t.Context(), conn.Key("GET", key)); err != nil {
		t.Fatal(err)
	}
	ids := make([]string, 2)
	for i, s := range servers.Masters {
		var err error
		if ids[i], err = s.Do("CLUSTER", "MYID"); err != nil {
			t.Fatal(err)
		}
	}
	lost := []<-chan struct{}{watchEpoch(t, c, key), watchEpoch(t, c, "other"), watchEpoch(t, c, "one more")}
	slot := strconv.Itoa(int(slotOf(key)))
	for _, step := range []struct {
		s    *redistest.Server
		args []string
	}{
		{to, []string{"IMPORTING", ids[0]}},
		{from, []string{"MIGRATING", ids[1]}},
		{to, []string{"NODE", ids[1]}},
		{from, []string{"NODE", ids[1]}},
	} {
		if _, err := step.s.Do(append([]string{"CLUSTER", "SETSLOT", slot}, step.args...)...); err != nil {
			t.Fatal(err)
		}
	}
	for _, ch := range lost {
		next(t, ch, "the end of the epochs")
	}
	untilIncarnation(t, c, key, to)
	eventually(t, func() error {
		_, err := c.Do(t.Context(), conn.Key("SET", key, "x"))
		return err
	})
	untilHeard(t, tr.Epoch(key))
}

// TestClusterNodeGone: one silent master costs its own slots only, but is missed
// by every tracking connection.
func TestClusterNodeGone(t *testing.T) {
	t.Parallel()
	servers := redistest.Cluster(t, 3)
	d := &dialler{}
	c := openVia(t, servers.URL(), d, Options{Heartbeat: quick, SilenceTimeout: 50 * time.Millisecond, CutTimeout: 2 * time.Second})
	epoch := tracking(t, c).Epoch("k")
	untilHeard(t, epoch)
	keys := make([]string, 3) // by master
	for i := 0; keys[0] == "" || keys[1] == "" || keys[2] == ""; i++ {
		k := "k" + strconv.Itoa(i)
		keys[int(slotOf(k))*3/slotCount] = k
	}
	servers.Masters[1].Pause()
	defer servers.Masters[1].Resume()
	eventually(t, func() error {
		if _, known := c.Incarnation(keys[1]); known {
			return errors.New("still known")
		}
		return nil
	})
	paused := conn.Uptime()
	for i, k := range keys {
		for range 50 {
			_, err := c.Do(t.Context(), conn.Key("GET", k))
			if i == 1 && !errors.Is(err, conn.ErrUnavailable) {
				t.Fatalf("the silent master: %v", err)
			}
		}
		if i == 1 {
			continue
		}
		eventually(t, func() error { // a loaded machine makes the others silent too, for a moment
			if _, err := c.Do(t.Context(), conn.Key("GET", k)); conn.Code(err) == "" {
				return err
			}
			return nil // an answer, though it may be that the cluster is down
		})
	}
	if heard := epoch.Heard(); heard > paused {
		t.Errorf("heard at %v, and a master is silent since before %v", heard, paused)
	}
	eventually(t, func() error {
		results := c.Pipeline(t.Context(), conn.Key("GET", keys[0]), conn.Key("GET", keys[1]), conn.Key("STRLEN", keys[2]))
		if !errors.Is(results[1].Err, conn.ErrUnavailable) || errors.Is(results[0].Err, conn.ErrUnavailable) || errors.Is(results[2].Err, conn.ErrUnavailable) {
			return fmt.Errorf("a pipeline over all: %+v", results)
		}
		return nil
	})
	servers.Masters[1].Resume()
	for _, k := range keys {
		eventually(t, func() error {
			_, err := c.Do(t.Context(), conn.Key("GET", k))
			return err
		})
	}
	untilIncarnation(t, c, keys[1], servers.Masters[1])
	untilHeard(t, epoch)
}
