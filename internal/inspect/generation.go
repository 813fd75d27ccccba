package inspect

import (
	"context"
	"encoding/binary"
	"time"

	"github.com/larder-go/larder/conn"
	"github.com/larder-go/larder/internal/entry"
	"github.com/larder-go/larder/internal/generation"
)

// kept is a generation as Redis has it; its number is 0 where there is none.
type kept struct {
	number, incarnation uint64
	at                  int64 // Unix milliseconds
}

// parseKept reads a generation's 24 bytes: number, incarnation, time.
func parseKept(value string) kept {
	if len(value) != 24 {
		return kept{}
	}
	b, be := []byte(value), binary.BigEndian
	return kept{be.Uint64(b), be.Uint64(b[8:]), int64(be.Uint64(b[16:]))}
}

// generations looks up what the entry of a namespace carries: the namespace's
// generation first, then the tags'.
func generations(ctx context.Context, c Reader, now int64, namespace string, e entry.Entry) ([]Generation, error) {
	carried := []entry.Tag{{Name: namespace, Generation: e.Namespace}}
	keys := []string{generation.NamespaceKey(namespace)}
	e.Tags(func(t entry.Tag) bool {
		carried = append(carried, t)
		keys = append(keys, generation.TagKey(t.Name))
		return true
	})
	cmds := make([]conn.Command, len(keys))
	for i, key := range keys {
		cmds[i] = conn.Key("GET", key)
	}
	out := make([]Generation, len(keys))
	for i, r := range c.Pipeline(ctx, cmds...) {
		if r.Err != nil && conn.Code(r.Err) != "WRONGTYPE" {
			return nil, r.Err
		}
		k := parseKept(r.Value.Str)
		if life, known := c.Incarnation(keys[i]); known && life != k.incarnation {
			k = kept{}
		}
		out[i] = compare(now, carried[i], k)
	}
	return out, nil
}

func compare(now int64, carried entry.Tag, k kept) Generation {
	g := Generation{Name: carried.Name, State: Missing}
	if k.number == 0 {
		return g
	}
	g.State = Overtaken
	if k.number == carried.Generation {
		g.State = Current
	}
	g.At, g.Age = time.UnixMilli(k.at).UTC(), millis(now-k.at)
	return g
}
