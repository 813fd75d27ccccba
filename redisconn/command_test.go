package redisconn

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/larder-go/larder/conn"
	"github.com/larder-go/larder/internal/redistest"
)

func TestRefusedCommands(t *testing.T) {
	t.Parallel()
	c := open(t, redistest.Shared(t).URL(), Options{})
	for _, line := range []string{
		"SELECT 1", "auth hush", "HELLO 2", "RESET", "QUIT", "MONITOR", "WATCH k", "MULTI", "EXEC", "DISCARD", "READONLY",
		"SUBSCRIBE c", "psubscribe c", "SSUBSCRIBE c", "UNSUBSCRIBE", "CLIENT REPLY OFF", "client tracking off", "CLIENT SETNAME x",
	} {
		args := strings.Fields(line)
		if _, err := c.Do(t.Context(), conn.Command{Args: args}); err == nil || errors.Is(err, conn.ErrUnavailable) || conn.Code(err) != "" {
			t.Errorf("%s: %v", line, err)
		} else if strings.Contains(err.Error(), "hush") {
			t.Errorf("%s: the error tells arguments: %v", line, err)
		}
	}
	for _, line := range []string{"CLIENT ID", "PING", "XREAD COUNT 1 STREAMS BLOCK 0"} {
		if _, err := c.Do(t.Context(), conn.Command{Args: strings.Fields(line)}); err != nil {
			t.Errorf("%s: %v", line, err)
		}
	}
	for _, cmd := range []conn.Command{conn.Key("BLPOP", "k", "0"), {Args: []string{"XREAD", "BLOCK", "0", "STREAMS", "k", "$"}, KeyAt: 4}} {
		if _, err := tracking(t, c).Do(t.Context(), cmd); err == nil || errors.Is(err, conn.ErrUnavailable) {
			t.Errorf("Tracker, %s: %v", cmd.Name(), err)
		}
	}
}

func TestTransactions(t *testing.T) {
	t.Parallel()
	for name, url := range map[string]string{"server": redistest.Shared(t).URL(), "cluster": redistest.SharedCluster(t).URL()} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := open(t, url, Options{})
			multi, exec := conn.Cmd("MULTI"), conn.Cmd("EXEC")
			prefix := fmt.Sprintf("transaction:%d:", time.Now().UnixNano())
			incr := func(k string) conn.Command { return conn.Key("INCR", prefix+k) }
			r := c.Pipeline(t.Context(), incr("{a}1"), multi, incr("{a}1"), incr("{a}2"), exec, incr("{b}"), conn.Cmd("PING"), incr("{a}1"))
			for i, x := range r {
				if x.Err != nil {
					t.Fatalf("result %d: %v", i, x.Err)
				}
			}
			if got := r[4].Value.Elems; len(got) != 2 || got[0].Int != 2 || got[1].Int != 1 || r[7].Value.Int != 3 {
				t.Errorf("got %+v", r)
			}
			for _, cmds := range [][]conn.Command{{multi, incr("x")}, {incr("x"), exec}, {multi, multi, exec}} {
				for i, x := range c.Pipeline(t.Context(), cmds...) {
					if !errors.Is(x.Err, errOpenTx) {
						t.Errorf("open transaction, result %d: %+v", i, x)
					}
				}
			}
			r = c.Pipeline(t.Context(), incr("y"), multi, incr("y"), conn.Cmd("SELECT", "1"), exec, incr("y"))
			if r[0].Value.Int != 1 || r[5].Value.Int != 2 {
				t.Errorf("around an invalid transaction: %+v", r)
			}
			for i, x := range r[1:5] {
				if x.Err == nil {
					t.Errorf("part %d of an invalid transaction: %+v", i, x)
				}
			}
			if c.Capabilities().Cluster {
				for i, x := range c.Pipeline(t.Context(), multi, incr("{a}"), incr("{b}"), exec) {
					if !errors.Is(x.Err, errSlots) {
						t.Errorf("several slots, result %d: %+v", i, x)
					}
				}
			}
			for i, x := range tracking(t, c).Pipeline(t.Context(), multi, incr("z"), exec) {
				if x.Err == nil {
					t.Errorf("Tracker, result %d: %+v", i, x)
				}
			}
		})
	}
}
