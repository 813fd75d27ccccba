package larder

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/larder-go/larder/internal/generation"
	"github.com/larder-go/larder/internal/inspect"
	"github.com/larder-go/larder/internal/l1"
	"github.com/larder-go/larder/internal/wall"
)

// Explain tells where the value of a key is, what a Get of this process would make
// of it, and why. It loads nothing and changes nothing, and is not for hot paths: it
// takes a few round trips, at most Options.CacheTimeout together, and reads the
// value to see whether it can be decoded.
//
// What the process holds and what Redis holds are looked at one after the other, so
// they need not fit together while the key is changing.
//
// Where Redis does not answer, an error says so, and the Explanation that comes with
// it tells what the process knows.
func (c *Cache[K, V]) Explain(ctx context.Context, key K) (Explanation, error) {
	rk, err := c.redisKey(key)
	if err != nil {
		return Explanation{}, c.failed("explain", "", err)
	}
	if err := c.check(ctx); err != nil {
		return Explanation{}, c.failed("explain", rk, err)
	}
	x := Explanation{
		Namespace: c.opts.Namespace, Key: strings.TrimPrefix(rk, c.prefix), RedisKey: rk,
		Flight: c.flights.look(key),
	}
	g := judgement{loader: c.single != nil}
	c.explainL1(key, &x, &g)
	if c.c != nil {
		ctx, cancel := context.WithTimeout(ctx, c.opts.CacheTimeout)
		defer cancel()
		err = c.explainL2(ctx, key, &x, &g)
		g.down = err != nil
	} else {
		x.report.Place.Server = "this process"
		x.Writing = c.writers.at(key)
	}
	x.Server = x.report.Place.String()
	x.Verdict = g.verdict(x)
	return x, c.failed("explain", rk, err)
}

// look says which flight of a key there is.
func (g *group[K, V]) look(key K) string {
	g.mu.Lock()
	defer g.mu.Unlock()
	switch f := g.m[key]; {
	case f == nil:
		return ""
	case f.cooling:
		return flightPause
	case f.detached:
		return flightOvertaken
	case f.refresh:
		return flightRefresh
	}
	return flightLoad
}

// explainL1 tells what this process holds, in the order in which lookup looks.
func (c *Cache[K, V]) explainL1(key K, x *Explanation, g *judgement) {
	e, held := c.l1.Peek(key)
	switch {
	case c.l1 == nil:
		x.NotFromL1 = "off: Options.L1MaxBytes is negative"
		return
	case !held:
		x.NotFromL1 = "nothing"
		return
	}
	now := c.clock.Sync()
	x.InL1, x.L1Bytes, g.negative = true, int(e.Size), e.Negative
	x.L1FreshFor = max(0, time.Duration(e.FreshUntil-now))
	x.L1ServedFor = max(x.L1FreshFor, time.Duration(e.StaleUntil-now), 0)
	switch {
	case e.LoadedAt == 0: // unknown
	case c.c == nil:
		x.L1Age = time.Since(time.Unix(0, e.LoadedAt))
	default:
		x.L1Age = time.Duration(wall.Milli()+c.server.offset.Load()-e.LoadedAt) * time.Millisecond
	}
	x.L1Age = max(x.L1Age, 0)
	switch doubt, ok := e.Doubt(time.Duration(now) - c.bound); {
	case ok:
		x.NotFromL1 = c.why(doubt)
	case x.L1ServedFor == 0:
		x.NotFromL1 = "expired"
	default:
		g.hot = e.HotUntil > now
	}
}

// why puts a doubt about an entry of L1 into words.
func (c *Cache[K, V]) why(d l1.Doubt) string {
	if d.Generation == "" {
		if d.Gap == generation.Silent {
			return fmt.Sprintf("no heartbeat of its connection was answered for %s: too long for StalenessBound (%s)",
				inspect.Span(d.Unheard), inspect.Span(c.opts.StalenessBound))
		}
		return "the connection that it was read over was lost since, or Redis was flushed"
	}
	what := "namespace " + inspect.Printable(c.opts.Namespace)
	if tag, ok := generation.TagOf(d.Generation); ok {
		what = "tag " + inspect.Printable(tag)
	}
	switch {
	case c.c == nil || d.Gap == generation.Known:
		return what + " was invalidated"
	case d.Gap == generation.Untold:
		return what + " was invalidated, or is to be read anew"
	case d.Gap == generation.Silent:
		return "the connection that tells of " + what + " is silent"
	}
	return "the connection that tells of " + what + " was lost since"
}

// explainL2 tells what Redis holds.
func (c *Cache[K, V]) explainL2(ctx context.Context, key K, x *Explanation, g *judgement) error {
	caps := c.c.Capabilities()
	x.report.Place = inspect.Place{Server: caps.Server, Version: caps.Version}
	var tags []string
	if t, err := c.ticket(key, x.RedisKey); err == nil {
		tags = t.tagNames
	}
	x.Pending = c.blocked(x.RedisKey, tags)
	payload, usable, rep, err := inspect.Get(ctx, c.c, x.Namespace, x.Key)
	if err != nil {
		return err
	}
	x.report = rep
	var gens []inspect.Generation
	if e := rep.Entry; e != nil {
		x.Stored, x.Writing = c.explained(rep), e.Writers != nil
		if e.Generation != nil {
			gens, tags = append(gens, *e.Generation), nil
			for _, t := range e.Tags {
				gens, tags = append(gens, t), append(tags, t.Name)
			}
			x.Pending = x.Pending || c.blocked(x.RedisKey, tags)
			g.unusable = c.unusable(*e, x, payload, usable)
		}
	}
	if gens == nil {
		if gens, err = inspect.Generations(ctx, c.c, x.Namespace, tags); err != nil {
			return err
		}
	}
	x.Generations = explainedGenerations(gens)
	x.LastInvalidation = lastOf(x.Generations)
	return nil
}

// blocked tells whether an invalidation of the key is pending.
func (c *Cache[K, V]) blocked(rk string, tags []string) bool {
	keys := []string{rk, c.nsKey}
	for _, tag := range tags {
		keys = append(keys, generation.TagKey(tag))
	}
	return c.pending.Blocks(keys...)
}

// unusable says why this process does not use an entry that others may.
func (c *Cache[K, V]) unusable(e inspect.Entry, x *Explanation, payload string, decodes bool) string {
	switch {
	case e.Life == inspect.UnknownLife:
		return "whether its server was restarted is not known at the moment"
	case !x.Stored.SameSchema:
		return "stored by a program with another codec or another type of value"
	case x.Pending:
		return "an invalidation by this process has not reached Redis yet"
	}
	if decodes {
		if _, err := decodeValue(c.opts.Codec, []byte(payload)); err != nil {
			return "the codec cannot decode it"
		}
	}
	return ""
}
