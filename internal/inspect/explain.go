package inspect

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/larder-go/larder/internal/entry"
)

// Explain tells where the entry of a key lives and what a Get would make of it.
// key is the encoded key, as it stands in Redis after "namespace:".
func Explain(ctx context.Context, c Reader, namespace, key string) (Report, error) {
	rep, _, err := look(ctx, c, namespace, key, strconv.Itoa(headBytes-1))
	return rep, err
}

// Get returns the payload of a key whose value a Get would be served, fresh or
// stale; ok is false, and the Report says why, where it would not.
func Get(ctx context.Context, c Reader, namespace, key string) (payload string, ok bool, rep Report, err error) {
	rep, e, err := look(ctx, c, namespace, key, "-1")
	ok = err == nil && (rep.State == Fresh || rep.State == Stale) && rep.Entry.Kind == Value
	if ok {
		payload = string(e.Payload)
	}
	return payload, ok, rep, err
}

func look(ctx context.Context, c Reader, namespace, key, last string) (Report, entry.Entry, error) {
	rk, err := redisKey(namespace, key)
	if err != nil {
		return Report{}, entry.Entry{}, err
	}
	s, err := read(ctx, c, rk, last)
	if err != nil {
		return Report{}, entry.Entry{}, err
	}
	rep := Report{
		Namespace: namespace, Key: key, RedisKey: rk, Place: place(ctx, c, rk),
		Exists: s.kind != "none", Bytes: s.size, Expires: s.ttl >= 0, TTL: millis(s.ttl),
	}
	if !rep.Exists {
		rep.State, rep.Verdict = Absent, "absent: the next Get loads"
		return rep, entry.Entry{}, nil
	}
	rep.Type = s.kind
	e, err := entry.Parse(s.raw)
	if err != nil {
		rep.State, rep.Verdict = Foreign, foreign(s)
		return rep, entry.Entry{}, nil
	}
	rep.Entry = describe(s, e)
	rep.Entry.Life = lifeOf(c, rk, e)
	if rep.Entry.Life == AnotherLife {
		rep.Entry.Lease = Lease{} // nobody obeys it
	}
	if rep.Entry.Kind.holdsValue() {
		gens, err := generations(ctx, c, s.now, namespace, rk, e)
		if err != nil {
			return Report{}, entry.Entry{}, err
		}
		rep.Entry.Generation, rep.Entry.Tags = &gens[0], gens[1:]
		rep.Entry.endWith(gens[0])
	}
	rep.State, rep.Verdict = judge(*rep.Entry)
	return rep, e, nil
}

// describe puts an entry's header into words of the Report.
func describe(s stored, e entry.Entry) *Entry {
	d := &Entry{
		Kind:         Value,
		PayloadBytes: s.size - int64(len(s.raw)-len(e.Payload)),
		LoadCost:     Duration{time.Duration(e.Cost) * time.Microsecond},
		ID:           hex(e.ID),
		Schema:       hex(e.Schema),
		Incarnation:  hex(e.Incarnation),
		Lease:        leaseOf(s.now, e.Header),
		Revision:     e.Revision,

		ValidatorBytes: len(e.Validator),
	}
	if e.Flags&entry.Placeholder != 0 {
		describeEmpty(d, s, e)
		return d
	}
	if e.Flags&entry.Negative != 0 {
		d.Kind = Negative
	}
	d.LoadedAt, d.Age = time.UnixMilli(e.LoadedAt).UTC(), millis(s.now-e.LoadedAt)
	d.FreshFor, d.ServedFor = millis(e.FreshUntil-s.now), millis(e.StaleUntil-s.now)
	if e.StaleUntil <= s.now {
		d.ExpiredFor = millis(s.now - e.StaleUntil)
	}
	return d
}

// endWith cuts what is left of an entry's lives by its namespace's.
func (e *Entry) endWith(namespace Generation) {
	if namespace.State == Ending {
		e.FreshFor = Duration{min(e.FreshFor.Duration, namespace.Left.Duration)}
		e.ServedFor = Duration{min(e.ServedFor.Duration, namespace.Left.Duration)}
	}
}

func lifeOf(c Reader, key string, e entry.Entry) Life {
	life, known := c.Incarnation(key)
	switch {
	case !known:
		return UnknownLife
	case life == e.Incarnation:
		return ThisLife
	}
	return AnotherLife
}

// HasSchema tells whether the entry has a schema, the fingerprint of a Go type and
// codec.
func (e *Entry) HasSchema(schema uint64) bool { return e.Schema == hex(schema) }

func hex(n uint64) string { return fmt.Sprintf("%016x", n) }
