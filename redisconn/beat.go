package redisconn

import (
	"context"
	"crypto/sha1" //nolint:gosec // the contract's digest: it names, it does not protect
	"encoding/binary"
	"errors"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/redis/rueidis"

	"github.com/larder-go/larder/conn"
)

// The pauses between attempts to connect.
const (
	minBackoff = 10 * time.Millisecond
	maxBackoff = time.Second
)

// drainTime bounds how long an attempt to connect waits for callers of the lost
// connection to leave the library: who is late would wait there for the dial.
const drainTime = time.Second

var errLeft = errors.New("the node is no longer known to the client")

// keeper looks after the connection of one gate: it connects, sends heartbeats,
// and opens the gate. It is the only one that dials for it.
type keeper struct {
	*gate
	opts Options
	rc   func() rueidis.Client // nil if the node is not known
	// changed, if set, is called when what was read over the connection has lost
	// its worth though the connection stands; heard with every good heartbeat.
	changed func()
	heard   func(sent time.Duration)
	// views asks for the cluster's slots too, viewed is told of them.
	views  bool
	viewed func()
}

// keep runs until ctx ends.
func (k *keeper) keep(ctx context.Context) {
	pause := time.NewTimer(k.opts.Heartbeat)
	defer pause.Stop()
	backoff := minBackoff
	for {
		select {
		case <-ctx.Done():
			return
		case <-k.kicked:
		case <-pause.C:
		}
		next := k.opts.Heartbeat
		if k.state.Load() == gateDown {
			k.drain(ctx)
		}
		if err := k.beat(ctx); err == nil {
			backoff = minBackoff
		} else if k.state.Load() == gateDown {
			next = backoff/2 + rand.N(backoff) //nolint:gosec // spreads load, hides nothing
			backoff = min(2*backoff, maxBackoff)
		}
		pause.Reset(next)
	}
}

// drain waits until no caller of the lost connection is in the library.
func (k *keeper) drain(ctx context.Context) {
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for deadline := conn.Uptime() + drainTime; k.inside() > 0 && conn.Uptime() < deadline; {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// beat sends one heartbeat, over a new connection if there is none, and waits
// for the reply or for the end of the connection.
func (k *keeper) beat(ctx context.Context) error {
	rc := k.rc()
	if rc == nil {
		return k.shut(errLeft)
	}
	before := k.socket.Load()
	gone := k.abandoned.Load()
	sent := conn.Uptime()
	k.beating.Store(true)
	cmds := []rueidis.Completed{
		rc.B().Arbitrary("INFO", "server").Build(),
		rc.B().Arbitrary("INFO", "replication").Build(),
	}
	if k.views {
		cmds = append(cmds, rc.B().Arbitrary("CLUSTER", "SLOTS").Build())
	}
	replies := rc.DoMulti(dialling(ctx, dialKeeper), cmds...)
	k.beating.Store(false)
	var refused error
	for _, r := range replies {
		if err := r.NonRedisError(); err != nil {
			return k.shut(clean(err))
		}
		// Whom a rule forbids to ask is a customer all the same.
		if err := serverError(r); err != nil && conn.Code(err) != "NOPERM" {
			refused = err // it is loading, or busy with a script
		}
	}
	k.abandoned.Add(-gone) // their replies came before
	k.release(gone)
	if now := k.socket.Load(); now == nil || before != nil && now != before {
		k.kick() // the reply may be another connection's
		return errNotConnected
	}
	if refused != nil {
		return k.shut(refused)
	}
	k.judge(replies, sent)
	return nil
}

// shut notes why there is no connection, unless there is one.
func (k *keeper) shut(cause error) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.state.Load() == gateDown {
		k.cause = cause
	}
	return cause
}

// judge draws the conclusions from the replies to a heartbeat.
func (k *keeper) judge(replies []rueidis.RedisResult, sent time.Duration) {
	server, _ := replies[0].ToString()
	replication, _ := replies[1].ToString()
	runID, replID := field(server, "run_id"), field(replication, "master_replid")
	master := field(replication, "role") == "master"
	id := uint64(0)
	if runID != "" && replID != "" && master {
		id = incarnationOf(runID, replID)
	}
	viewChanged := false
	if k.views {
		if m, err := replies[2].ToMessage(); err == nil {
			v := viewOf(value(&m), k.addr)
			old := k.view.Swap(v)
			viewChanged = old == nil || old.digest != v.digest
		}
	}
	k.mu.Lock()
	if k.socket.Load() == nil { // lost meanwhile: lose has the last word
		k.mu.Unlock()
		return
	}
	was := k.state.Load()
	changed := k.known != id || k.master != master
	k.known, k.master = id, master
	if len(k.sockets) > 1 {
		id = 0 // the answer may be the other one's: see attach
	}
	k.id.Store(id)
	k.state.CompareAndSwap(gateDown, gateOpen)
	k.mu.Unlock()
	if changed && was != gateDown && k.changed != nil { // a new connection has told already
		k.changed()
	}
	if viewChanged {
		k.viewed()
	}
	if id != 0 {
		k.last.Store(int64(sent))
		if k.heard != nil {
			k.heard(sent)
		}
	}
}

// incarnationOf is the digest that the contract defines.
func incarnationOf(runID, replID string) uint64 {
	sum := sha1.Sum([]byte(runID + replID)) //nolint:gosec // see above
	return binary.BigEndian.Uint64(sum[:])
}

// field is the value of one line of an INFO reply.
func field(info, name string) string {
	for line := range strings.Lines(info) {
		if rest, ok := strings.CutPrefix(line, name); ok && strings.HasPrefix(rest, ":") {
			return strings.TrimRight(rest[1:], "\r\n")
		}
	}
	return ""
}

// serverError is the error reply of r, if it is one.
func serverError(r rueidis.RedisResult) error {
	var re *rueidis.RedisError
	if err := r.Error(); errors.As(err, &re) && !re.IsNil() {
		return &conn.ServerError{Text: fullText(re)}
	}
	return nil
}
