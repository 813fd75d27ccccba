package embedded

import (
	"bufio"
	"bytes"

	"github.com/alicebob/miniredis/v2"
	"github.com/alicebob/miniredis/v2/server"

	"github.com/larder-go/larder/conn"
)

// keepBuffer is how large a reply buffer is kept for the next reply.
const keepBuffer = 1 << 20

// wire hands commands to miniredis in process and reads the replies.
type wire struct {
	redis  *miniredis.Miniredis
	server *server.Server
	peer   *server.Peer
	reply  bytes.Buffer
	writer *bufio.Writer
}

func newWire(m *miniredis.Miniredis) *wire {
	w := &wire{redis: m, server: m.Server()}
	w.writer = bufio.NewWriter(&w.reply)
	w.peer = server.NewPeer(w.writer)
	return w
}

// call executes one command.
func (w *wire) call(args []string, resp3 bool) conn.Value {
	w.reply.Reset()
	if w.reply.Cap() > keepBuffer {
		w.reply = bytes.Buffer{}
	}
	w.peer.Resp3 = resp3
	if !w.dispatch(args) {
		w.writer.Reset(&w.reply)
		return failure("ERR the embedded engine failed to execute this command")
	}
	_ = w.writer.Flush() // a bytes.Buffer accepts everything
	// Some handlers of miniredis go on after their answer; the first one counts.
	p := respParser{rest: w.reply.String()}
	v, err := p.value(0)
	if err != nil {
		return failure("ERR the embedded engine's reply is malformed: " + err.Error())
	}
	return v
}

// dispatch reports false if the handler panicked. miniredis does not unlock
// itself in that case; nobody else locks it while the engine is locked.
func (w *wire) dispatch(args []string) (ok bool) {
	defer func() {
		if recover() != nil {
			w.redis.TryLock()
			w.redis.Unlock()
		}
	}()
	w.server.Dispatch(w.peer, args)
	return true
}

func failure(text string) conn.Value { return conn.Value{Kind: conn.Failure, Str: text} }
