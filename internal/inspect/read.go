package inspect

import (
	"context"
	"errors"

	"github.com/larder-go/larder/conn"
	"github.com/larder-go/larder/internal/entry"
)

// Reader is the part of a [conn.Conn] that looking takes.
type Reader interface {
	conn.Doer
	conn.Pipeliner
	Incarnation(key string) (id uint64, known bool)
	Capabilities() conn.Capabilities
}

var _ Reader = conn.Conn(nil)

// headBytes are enough for the header and any tags.
const headBytes = entry.Size + entry.MaxTags*(1+entry.MaxTagBytes+8)

// stored is what Redis has under a key, at one moment.
type stored struct {
	now  int64  // the node's clock, Unix milliseconds
	kind string // the Redis type, "none" where there is nothing
	ttl  int64  // ms, negative for none
	size int64
	raw  string // the first bytes
}

var errReply = errors.New("inspect: the server answered in an unknown form")

// read gets the bytes of a key up to the index last, all of them for "-1", in a
// transaction. A full Redis refuses those, and scripts; then the parts are read
// one after the other.
func read(ctx context.Context, c conn.Pipeliner, key, last string) (stored, error) {
	parts := []conn.Command{
		conn.Key("TYPE", key),
		conn.Key("PTTL", key),
		conn.Key("STRLEN", key),
		conn.Key("GETRANGE", key, "0", last),
		conn.Cmd("TIME"),
	}
	v, err := transact(ctx, c, parts)
	if conn.Code(err) == "OOM" {
		v, err = oneByOne(ctx, c, parts)
	}
	if err != nil {
		return stored{}, err
	}
	if len(v) != len(parts) {
		return stored{}, errReply
	}
	now, err := clock(v[4])
	s := stored{now: now, kind: v[0].Str, ttl: v[1].Int, size: v[2].Int, raw: v[3].Str}
	if s.kind != "string" {
		s.size, s.raw = 0, "" // instead, there are errors about the type
	}
	return s, err
}

// clock reads the reply to TIME, as Unix milliseconds.
func clock(v conn.Value) (int64, error) {
	if len(v.Elems) != 2 {
		return 0, errReply
	}
	seconds, err1 := v.Elems[0].Int64()
	micros, err2 := v.Elems[1].Int64()
	return seconds*1000 + micros/1000, errors.Join(err1, err2)
}

func transact(ctx context.Context, c conn.Pipeliner, parts []conn.Command) ([]conn.Value, error) {
	cmds := append([]conn.Command{conn.Cmd("MULTI")}, parts...)
	results := c.Pipeline(ctx, append(cmds, conn.Cmd("EXEC"))...)
	for _, r := range results {
		if r.Err != nil {
			return nil, r.Err
		}
	}
	return results[len(results)-1].Value.Elems, nil
}

func oneByOne(ctx context.Context, c conn.Pipeliner, parts []conn.Command) ([]conn.Value, error) {
	values := make([]conn.Value, len(parts))
	for i, r := range c.Pipeline(ctx, parts...) {
		if r.Err != nil && conn.Code(r.Err) != "WRONGTYPE" {
			return nil, r.Err
		}
		values[i] = r.Value
	}
	return values, nil
}
