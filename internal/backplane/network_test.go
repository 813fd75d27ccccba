package backplane

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"

	"github.com/larder-go/larder/conn"
	"github.com/larder-go/larder/embedded"
)

// network is a connection to an engine, without tracking, that a test can disturb.
type network struct {
	conn.Conn

	mu         sync.Mutex // protects the following
	cut        context.CancelFunc
	subscribed int
	refuse     error // of Subscribe
	lose       func(channel string) error
	sent       []string // messages, without heartbeats
}

func (n *network) Tracker() (conn.Tracker, bool) { return nil, false }

func (n *network) Subscribe(ctx context.Context, s conn.Subscription, fn func(conn.Message)) error {
	own, cut := context.WithCancel(ctx)
	defer cut()
	n.mu.Lock()
	n.cut = cut
	n.subscribed++
	refuse := n.refuse
	n.mu.Unlock()
	if refuse != nil {
		return refuse
	}
	err := n.Conn.Subscribe(own, s, fn)
	if ctx.Err() == nil && own.Err() != nil {
		return &conn.Error{Op: "subscribe", Err: errors.New("cut")}
	}
	return err
}

func (n *network) Do(ctx context.Context, cmd conn.Command) (conn.Value, error) {
	if err := n.pass(cmd); err != nil {
		return conn.Value{}, err
	}
	return n.Conn.Do(ctx, cmd)
}

func (n *network) Pipeline(ctx context.Context, cmds ...conn.Command) []conn.Result {
	out := make([]conn.Result, len(cmds))
	for i, cmd := range cmds {
		out[i].Value, out[i].Err = n.Do(ctx, cmd)
	}
	return out
}

func (n *network) pass(cmd conn.Command) error {
	if cmd.Name() != "PUBLISH" {
		return nil
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.lose != nil {
		if err := n.lose(cmd.Args[1]); err != nil {
			return &conn.Error{Op: "publish", Err: err}
		}
	}
	if cmd.Args[1] == channel {
		n.sent = append(n.sent, cmd.Args[2])
	}
	return nil
}

// set changes what the network does.
func (n *network) set(change func(n *network)) {
	n.mu.Lock()
	defer n.mu.Unlock()
	change(n)
}

func (n *network) subscriptions() int {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.subscribed
}

var errLost = errors.New("lost")

// loseBeats loses heartbeats, loseNews everything else.
func loseBeats(ch string) error {
	if ch == channel {
		return nil
	}
	return errLost
}

func loseNews(ch string) error {
	if ch == channel {
		return errLost
	}
	return nil
}

func newEngine(t *testing.T) *embedded.Engine {
	t.Helper()
	e, err := embedded.New(embedded.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = e.Close() })
	return e
}

// subscribers counts the subscriptions to the channel of changes.
func subscribers(t *testing.T, e *embedded.Engine) int64 {
	t.Helper()
	v, err := e.Connect().Do(context.Background(), conn.Cmd("PUBSUB", "NUMSUB", channel))
	if err != nil || len(v.Elems) != 2 {
		t.Fatal(v, err)
	}
	return v.Elems[1].Int
}

// ear is a listener that remembers.
type ear struct {
	mu   sync.Mutex // protects told
	told []string
}

func (e *ear) hear(keys []string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if keys == nil {
		keys = []string{"ALL"}
	}
	e.told = append(e.told, keys...)
}

// take returns what was heard since the last call, in one string.
func (e *ear) take() string {
	e.mu.Lock()
	defer e.mu.Unlock()
	defer func() { e.told = nil }()
	return strings.Join(e.told, " ")
}
