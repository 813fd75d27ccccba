package keyspace

import (
	"context"
	"strings"
	"time"

	"github.com/larder-go/larder/conn"
	"github.com/larder-go/larder/internal/entry"
)

// headBytes hold an entry's header and, of most, all tags.
const headBytes = entry.Size + 8*(1+64+8)

// sampled is what is known of one key that was looked at.
type sampled struct {
	key     string
	bytes   float64
	expires bool
	// frequency is Redis' logarithmic counter of uses, -1 where it keeps none.
	frequency int64

	entry    bool
	loadedAt int64         // Unix milliseconds of the server
	life     time.Duration // from the load to the end of its freshness
	cost     time.Duration // of the load
	tags     []string
}

// look samples keys in one round trip. Keys that have gone are left out.
func look(ctx context.Context, c conn.Conn, keys []string, frequencies bool) ([]sampled, error) {
	if len(keys) == 0 {
		return nil, nil
	}
	const each = 4
	cmds := make([]conn.Command, 0, each*len(keys))
	for _, key := range keys {
		frequency := conn.Key("EXISTS", key) // holds the place
		if frequencies {
			frequency = conn.Command{Args: []string{"OBJECT", "FREQ", key}, KeyAt: 2}
		}
		cmds = append(cmds, conn.Command{Args: []string{"MEMORY", "USAGE", key}, KeyAt: 2},
			conn.Key("PTTL", key), frequency, conn.Key("GETRANGE", key, "0", headEnd))
	}
	results := c.Pipeline(ctx, cmds...)
	out := make([]sampled, 0, len(keys))
	for i, key := range keys {
		r := results[each*i:]
		if r[1].Err != nil {
			return out, r[1].Err
		}
		if r[1].Value.Int == -2 {
			continue
		}
		s := sampled{key: key, expires: r[1].Value.Int >= 0, frequency: -1}
		if r[0].Err == nil {
			s.bytes = float64(r[0].Value.Int)
		}
		if frequencies && r[2].Err == nil {
			s.frequency = r[2].Value.Int
		}
		if r[3].Err == nil {
			s.read(r[3].Value.Str)
		}
		out = append(out, s)
	}
	return out, nil
}

// read takes what it needs from the beginning of a value, if it is an entry's. What
// follows the tags is not kept.
func (s *sampled) read(head string) {
	e, err := entry.Parse(head)
	if err != nil || e.Flags&entry.Placeholder != 0 {
		return
	}
	s.entry, s.loadedAt = true, e.LoadedAt
	s.life = time.Duration(e.FreshUntil-e.LoadedAt) * time.Millisecond
	s.cost = time.Duration(e.Cost) * time.Microsecond
	e.Tags(func(t entry.Tag) bool {
		s.tags = append(s.tags, strings.Clone(t.Name))
		return true
	})
}
