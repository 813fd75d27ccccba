package inspect

import (
	"context"
	"time"

	"github.com/larder-go/larder/conn"
	"github.com/larder-go/larder/internal/entry"
	"github.com/larder-go/larder/internal/generation"
)

// Generations looks up what a namespace, the first, and tags stand at, for a key
// whose entry does not say: Current or Missing. Ages are by the clock of any node.
func Generations(ctx context.Context, c Reader, namespace string, tags []string) ([]Generation, error) {
	v, err := c.Do(ctx, conn.Cmd("TIME"))
	if err != nil {
		return nil, err
	}
	now, err := clock(v)
	if err != nil {
		return nil, err
	}
	stand, err := lookUp(ctx, c, namespace, tags)
	out := make([]Generation, len(stand))
	for i, k := range stand {
		name := namespace
		if i > 0 {
			name = tags[i-1]
		}
		out[i] = compare(now, entry.Tag{Name: name, Generation: k.Number}, k)
	}
	return out, err
}

// generations looks up what an entry carries: its namespace's generation first,
// then its tags'.
func generations(ctx context.Context, c Reader, now int64, namespace, rk string, e entry.Entry) ([]Generation, error) {
	carried := []entry.Tag{{Name: namespace, Generation: e.Namespace}}
	var tags []string
	e.Tags(func(t entry.Tag) bool {
		carried, tags = append(carried, t), append(tags, t.Name)
		return true
	})
	stand, err := lookUp(ctx, c, namespace, tags)
	if err != nil {
		return nil, err
	}
	out := make([]Generation, len(stand))
	for i, k := range stand {
		out[i] = compare(now, carried[i], k)
	}
	out[0].admit(now, e.Namespace, rk, stand[0])
	return out, nil
}

// lookUp reads generations; one of another life of its node is none.
func lookUp(ctx context.Context, c Reader, namespace string, tags []string) ([]generation.Value, error) {
	keys := []string{generation.NamespaceKey(namespace)}
	for _, tag := range tags {
		keys = append(keys, generation.TagKey(tag))
	}
	cmds := make([]conn.Command, len(keys))
	for i, key := range keys {
		cmds[i] = conn.Key("GET", key)
	}
	stand := make([]generation.Value, len(keys))
	for i, r := range c.Pipeline(ctx, cmds...) {
		if r.Err != nil && conn.Code(r.Err) != "WRONGTYPE" {
			return nil, r.Err
		}
		k := generation.ParseValue(r.Value.Str)
		if life, known := c.Incarnation(keys[i]); !known || life == k.Incarnation || k.BarredUntil > 0 {
			stand[i] = k
		}
	}
	return stand, nil
}

func compare(now int64, carried entry.Tag, k generation.Value) Generation {
	g := Generation{Name: carried.Name, State: Missing}
	if k.BarredUntil > now {
		g.State, g.Left = Barred, millis(k.BarredUntil-now)
		return g
	}
	if k.Number == 0 {
		return g
	}
	g.State = Overtaken
	if k.Number == carried.Generation {
		g.State = Current
	}
	g.At, g.Age, g.By = time.UnixMilli(k.MadeAt).UTC(), millis(now-k.MadeAt), k.By
	if k.Previous != 0 {
		g.Over = millis(k.Over)
	}
	return g
}

// admit lets an entry of the generation before count for as long as ClearOver has
// left it.
func (g *Generation) admit(now int64, carried uint64, rk string, k generation.Value) {
	if until, ok := k.Admits(carried, rk, now); ok && g.State == Overtaken {
		g.State, g.Left = Ending, millis(until-now)
	}
}
