package inspect

import (
	"context"
	"time"

	"github.com/larder-go/larder/conn"
	"github.com/larder-go/larder/internal/entry"
	"github.com/larder-go/larder/internal/generation"
)

// generations looks up what the entry of a namespace carries: the namespace's
// generation first, then the tags'.
func generations(ctx context.Context, c Reader, now int64, namespace, rk string, e entry.Entry) ([]Generation, error) {
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
	var namespaceValue generation.Value
	out := make([]Generation, len(keys))
	for i, r := range c.Pipeline(ctx, cmds...) {
		if r.Err != nil && conn.Code(r.Err) != "WRONGTYPE" {
			return nil, r.Err
		}
		k := generation.ParseValue(r.Value.Str)
		if life, known := c.Incarnation(keys[i]); known && life != k.Incarnation {
			k = generation.Value{}
		}
		if i == 0 {
			namespaceValue = k
		}
		out[i] = compare(now, carried[i], k)
	}
	out[0].admit(now, e.Namespace, rk, namespaceValue)
	return out, nil
}

func compare(now int64, carried entry.Tag, k generation.Value) Generation {
	g := Generation{Name: carried.Name, State: Missing}
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
