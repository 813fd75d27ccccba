package upstash

import (
	"context"
	"crypto/sha1" //nolint:gosec // the contract's digest: it names, it does not protect
	"encoding/binary"
	"errors"
	"log/slog"
	"strings"
	"time"

	"github.com/larder-go/larder/conn"
)

// server is what one heartbeat has learnt.
type server struct {
	id      uint64        // 0 if it cannot be known
	asked   time.Duration // of conn.Uptime
	version string
}

// minBeat is the first pause after a heartbeat without an answer; it doubles, up
// to the usual one.
const minBeat = 100 * time.Millisecond

// Incarnation is the same for all keys. It is not known while heartbeats fail.
func (c *Conn) Incarnation(string) (id uint64, known bool) {
	s := c.known.Load()
	if s == nil || s.id == 0 {
		return 0, false
	}
	// A function may have been frozen for hours.
	if h := c.opts.Heartbeat; h > 0 && conn.Uptime()-s.asked > 3*h+c.opts.Timeout {
		return 0, false
	}
	return s.id, true
}

// keep sends heartbeats until ctx ends.
func (c *Conn) keep(ctx context.Context) {
	pause := c.opts.Heartbeat
	for again := minBeat; wait(ctx, pause); {
		s, err := c.ask(ctx)
		if ctx.Err() != nil {
			return
		}
		old := c.known.Swap(s)
		switch {
		case err != nil && old != nil:
			c.opts.Logger.LogAttrs(ctx, slog.LevelWarn, "upstash: the server's life is not known until it answers", slog.Any("error", err))
		case err == nil && old != nil && old.id != s.id:
			c.opts.Logger.LogAttrs(ctx, slog.LevelWarn, "upstash: the server has begun another life")
		}
		if pause = c.opts.Heartbeat; err != nil {
			pause = min(again, pause)
			again = 2 * pause
		} else {
			again = minBeat
		}
	}
}

// ask sends one heartbeat.
func (c *Conn) ask(ctx context.Context) (*server, error) {
	sent := conn.Uptime()
	info := c.Pipeline(ctx, conn.Cmd("INFO", "server"), conn.Cmd("INFO", "replication"))
	if errors.Is(info[0].Err, errFormat) && !c.jsonBatches && c.known.Load() == nil {
		c.jsonBatches = true // Open has the handle to itself
		info = c.Pipeline(ctx, conn.Cmd("INFO", "server"), conn.Cmd("INFO", "replication"))
	}
	var text strings.Builder
	for _, r := range info {
		// Whom a rule forbids to ask is a customer all the same.
		if r.Err != nil && (conn.Code(r.Err) == "" || conn.Code(r.Err) == "WRONGPASS") {
			return nil, r.Err
		}
		text.WriteString(r.Value.Str + "\r\n")
	}
	f := fields(text.String())
	return &server{id: c.identify(f), asked: sent, version: f["redis_version"]}, nil
}

// identify derives the incarnation from the fields of INFO.
func (c *Conn) identify(f map[string]string) uint64 {
	if f["redis_mode"] == "cluster" || f["role"] != "" && f["role"] != "master" {
		return 0
	}
	name := f["run_id"] + f["master_replid"]
	if f["run_id"] == "" || f["master_replid"] == "" {
		name = c.base + "\n" + name
	}
	sum := sha1.Sum([]byte(name)) //nolint:gosec // see above
	return binary.BigEndian.Uint64(sum[:])
}

// fields reads the lines of INFO replies.
func fields(info string) map[string]string {
	m := make(map[string]string)
	for line := range strings.Lines(info) {
		if name, value, ok := strings.Cut(strings.TrimRight(line, "\r\n"), ":"); ok {
			m[name] = value
		}
	}
	return m
}
