package embedded

import (
	"context"
	"errors"
	"strconv"

	"github.com/larder-go/larder/conn"
)

const (
	// maxMonitored bounds an argument as monitors see it, in bytes.
	maxMonitored = 16 << 10
	// The addresses that monitors see: there are no sockets.
	monitoredClient = "127.0.0.1:0"
	monitoredScript = "lua"
)

var (
	_ conn.Monitorer = (*Conn)(nil)

	errMonitorTooSlow = errors.New("the monitor fell too far behind and was cut off")
)

// Monitor calls fn with every command that the engine executes, in the caller's
// goroutine. Long arguments are cut and end in "...".
func (c *Conn) Monitor(ctx context.Context, ready func(), fn func(line string)) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	c.users.enter()
	defer c.users.leave()
	if err := c.begin(ctx); err != nil {
		return failed("monitor", err)
	}
	s := &subscriber{wake: make(chan struct{}, 1)}
	c.engine.monitors[s] = struct{}{}
	c.engine.end()
	defer func() {
		if c.engine.lock.acquire(context.Background(), c.engine.done) == nil {
			delete(c.engine.monitors, s)
			c.engine.lock.release()
		}
	}()
	if ready != nil {
		ready()
	}
	return c.receive(ctx, s, errMonitorTooSlow, func(m conn.Message) { fn(m.Payload) })
}

// monitorLocked shows a command to all who watch.
func (e *Engine) monitorLocked(x *call, args []string) {
	line := make([]byte, 0, 128)
	micros := e.now.UnixMicro()
	line = strconv.AppendInt(line, micros/1e6, 10)
	line = append(line, '.')
	fraction := strconv.Itoa(int(micros % 1e6))
	line = append(line, "000000"[len(fraction):]...)
	line = append(line, fraction...)
	line = append(line, " [0 "...)
	if x.script {
		line = append(line, monitoredScript...)
	} else {
		line = append(line, monitoredClient...)
	}
	line = append(line, ']')
	for _, a := range args {
		line = append(line, ' ')
		if len(a) > maxMonitored {
			line = append(appendQuoted(line, a[:maxMonitored]), "..."...)
		} else {
			line = appendQuoted(line, a)
		}
	}
	for s := range e.monitors {
		s.add(conn.Message{Payload: string(line)})
	}
}

// appendQuoted quotes as Redis does (sdscatrepr).
func appendQuoted(b []byte, s string) []byte {
	const hex = "0123456789abcdef"
	b = append(b, '"')
	for i := range len(s) {
		switch c := s[i]; c {
		case '\\', '"':
			b = append(b, '\\', c)
		case '\n':
			b = append(b, `\n`...)
		case '\r':
			b = append(b, `\r`...)
		case '\t':
			b = append(b, `\t`...)
		case '\a':
			b = append(b, `\a`...)
		case '\b':
			b = append(b, `\b`...)
		default:
			if c >= ' ' && c <= '~' {
				b = append(b, c)
			} else {
				b = append(b, '\\', 'x', hex[c>>4], hex[c&15])
			}
		}
	}
	return append(b, '"')
}
