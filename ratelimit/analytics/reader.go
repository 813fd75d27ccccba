package analytics

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/larder-go/larder/conn"
)

// The limits of what a Reader reads.
const (
	// MaxHours is how many hours one call covers.
	MaxHours = 256
	// MaxMembers is how many members of an hour are read, the most frequent ones.
	MaxMembers = 10_000
)

// atOnce is how many hours are read in one round trip.
const atOnce = 48

// Reader reads what limiters in Go and TypeScript have counted.
type Reader struct {
	c      conn.Pipeliner
	prefix string
	clock  func() time.Time
}

// NewReader returns a Reader for the limiters with a prefix.
func NewReader(c conn.Pipeliner, prefix string) (*Reader, error) {
	switch {
	case c == nil:
		return nil, errors.New("analytics: the Conn is nil")
	case prefix == "":
		return nil, argumentError("prefix", `""`, "the prefix of the limiter")
	}
	return &Reader{c: c, prefix: prefix, clock: time.Now}, nil
}

// Hour is what was counted in one hour.
type Hour struct {
	// Time is the hour's beginning.
	Time time.Time
	// Counts are by the value of the field that was asked for.
	Counts map[string]int64
}

// Usage is what one identifier has asked for.
type Usage struct {
	Allowed, Limited, Denied int64
}

// Row is one line of Top.
type Row struct {
	Identifier string
	Count      int64
}

// Top lists those with the highest counts, highest first; equal ones by name.
type Top struct {
	Allowed, Limited, Denied []Row
}

// OverTime counts the values of a field in each hour of the time before now, newest
// first: "identifier", "success" (with the values "true", "false" and "denied"),
// "country", "city", "region", "ip". The time is rounded up to whole hours; at most
// MaxHours. Events without the field are left out.
func (r *Reader) OverTime(ctx context.Context, back time.Duration, field string) ([]Hour, error) {
	if field == "" {
		return nil, argumentError("field", `""`, "the name of a field")
	}
	hours := make([]Hour, 0, 24)
	err := r.each(ctx, back, func(at int64) {
		hours = append(hours, Hour{Time: time.UnixMilli(at), Counts: map[string]int64{}})
	}, func(m map[string]any, n int64) {
		if value, ok := text(m[field]); ok {
			hours[len(hours)-1].Counts[value] += n
		}
	})
	return hours, err
}

// Usage sums the time before now for each identifier, wherever its requests came
// from. The time is rounded up to whole hours; at most MaxHours.
func (r *Reader) Usage(ctx context.Context, back time.Duration) (map[string]Usage, error) {
	all := map[string]Usage{}
	err := r.each(ctx, back, nil, func(m map[string]any, n int64) {
		id, ok := m["identifier"].(string)
		if !ok {
			return
		}
		u := all[id]
		switch m["success"] {
		case true:
			u.Allowed += n
		case false:
			u.Limited += n
		case "denied":
			u.Denied += n
		}
		all[id] = u
	})
	return all, err
}

// Top returns the identifiers that were allowed, limited and denied most often in
// the time before now, up to most of each, 1 to 1000.
func (r *Reader) Top(ctx context.Context, back time.Duration, most int) (Top, error) {
	if most < 1 || most > 1000 {
		return Top{}, argumentError("most", most, "1 to 1000")
	}
	all, err := r.Usage(ctx, back)
	if err != nil {
		return Top{}, err
	}
	rank := func(count func(Usage) int64) []Row {
		rows := make([]Row, 0, len(all))
		for id, u := range all {
			if n := count(u); n > 0 {
				rows = append(rows, Row{id, n})
			}
		}
		slices.SortFunc(rows, func(a, b Row) int {
			return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(a.Identifier, b.Identifier))
		})
		return slices.Clip(rows[:min(most, len(rows))])
	}
	return Top{
		Allowed: rank(func(u Usage) int64 { return u.Allowed }),
		Limited: rank(func(u Usage) int64 { return u.Limited }),
		Denied:  rank(func(u Usage) int64 { return u.Denied }),
	}, nil
}

// each calls begin with every hour, newest first, and add with its members.
func (r *Reader) each(ctx context.Context, back time.Duration, begin func(at int64), add func(m map[string]any, n int64)) error {
	if back <= 0 || back > MaxHours*hour {
		return argumentError("the time", back, "above 0 to 256h")
	}
	hours := int((back + hour - 1) / hour)
	newest := bucket(r.clock())
	for from := 0; from < hours; from += atOnce {
		cmds := make([]conn.Command, 0, atOnce)
		for h := from; h < min(from+atOnce, hours); h++ {
			cmds = append(cmds, conn.Key("ZREVRANGE", key(r.prefix, newest-int64(h)*hour.Milliseconds()),
				"0", strconv.Itoa(MaxMembers-1), "WITHSCORES"))
		}
		for i, res := range r.c.Pipeline(ctx, cmds...) {
			if begin != nil {
				begin(newest - int64(from+i)*hour.Milliseconds())
			}
			// Ancient versions of the original wrote hashes.
			if conn.Code(res.Err) == "WRONGTYPE" {
				continue
			}
			if res.Err != nil {
				return fmt.Errorf("analytics: %w", res.Err)
			}
			if err := members(res.Value, add); err != nil {
				return err
			}
		}
	}
	return nil
}

// members reads members with scores, in pairs (RESP3) or one after the other.
func members(v conn.Value, add func(m map[string]any, n int64)) error {
	flat := v.Elems
	if len(flat) > 0 && flat[0].Kind == conn.Array {
		pairs := flat
		flat = make([]conn.Value, 0, 2*len(pairs))
		for _, p := range pairs {
			flat = append(flat, p.Elems...)
		}
	}
	if len(flat)%2 != 0 {
		return errReply
	}
	for i := 0; i < len(flat); i += 2 {
		score, err := strconv.ParseFloat(flat[i+1].Str, 64)
		if err != nil {
			return errReply
		}
		var m map[string]any
		if json.Unmarshal([]byte(flat[i].Str), &m) == nil { // what is not ours is skipped
			add(m, int64(score))
		}
	}
	return nil
}

// text is a JSON value as a key of Hour.Counts.
func text(v any) (string, bool) {
	switch v := v.(type) {
	case string:
		return v, true
	case bool:
		return strconv.FormatBool(v), true
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64), true
	}
	return "", false
}
