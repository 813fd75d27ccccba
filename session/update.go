package session

import (
	"context"
	"encoding/json"
	"errors"
	"math/rand/v2"
	"strconv"
	"time"

	"github.com/larder-go/larder/conn"
)

// maxAttempts bounds the tries of one update.
const maxAttempts = 1000

var errEncode = errors.New("the data cannot be encoded as JSON")

// Update changes the data of a session: fn gets a copy to change, which is stored
// if nobody else has changed the session meanwhile. Otherwise fn is called again
// with what the other has stored, so it must depend on nothing but its argument. An
// error of fn is returned as it is, and nothing is stored. Where fn changes
// nothing, the session is touched and not rewritten.
//
// After ErrUnavailable it is open whether the change has happened.
func (s *Store[T]) Update(ctx context.Context, id ID, fn func(*T) error) (_ Session[T], err error) {
	const op = "update"
	if !id.valid() {
		return Session[T]{}, ErrNotFound
	}
	ctx, end := s.operate(ctx, op)
	defer func() { end(err) }()
	a := id.address(s.opt.Namespace)
	s.memory.changed(a.place)
	defer s.memory.changed(a.place)
	e, _, err := s.fetch(ctx, op, a)
	if err != nil {
		return Session[T]{}, err
	}
	out, err := s.swap(ctx, op, a, e.envelope, fn, func(old, next envelope) (attempt, error) {
		if next.data == old.data {
			ends, err := s.touch(ctx, op, a)
			return attempt{outcome: sign(ends), ends: ends}, err
		}
		return s.try(ctx, op, replaceScript, []string{a.session, a.generation, a.index},
			old.rev, next.encode(s.sealer, a.hash), millis(s.opt.IdleTimeout), a.hash)
	})
	if err != nil {
		return Session[T]{}, err
	}
	return s.swapped(id, a, out), nil
}

// Renew gives a session a new id and ends the old one, as has to be done when
// somebody logs in, or else who knew the id before is logged in too (session
// fixation). The session then belongs to user. Where that is another one than
// before its life begins anew, otherwise it keeps its end. fn may change the data,
// as for Update; nil changes nothing.
//
// After an error the old session exists, or has ended, but nobody has the new id.
func (s *Store[T]) Renew(ctx context.Context, id ID, user string, fn func(*T) error) (_ Session[T], err error) {
	const op = "renew"
	if err := checkUser(user); err != nil {
		return Session[T]{}, err
	}
	if !id.valid() {
		return Session[T]{}, ErrNotFound
	}
	if fn == nil {
		fn = func(*T) error { return nil }
	}
	ctx, end := s.operate(ctx, op)
	defer func() { end(err) }()
	a := id.address(s.opt.Namespace)
	s.memory.changed(a.place)
	defer s.memory.changed(a.place)
	e, _, err := s.fetch(ctx, op, a)
	if err != nil {
		return Session[T]{}, err
	}
	if e.user != user {
		return s.move(ctx, op, a, e.envelope, user, fn)
	}
	fresh := id[:placeChars] + newID(s.opt.Namespace, user)[placeChars:] // in the slot of the old one
	b := fresh.address(s.opt.Namespace)
	out, err := s.swap(ctx, op, a, e.envelope, fn, func(old, next envelope) (attempt, error) {
		return s.try(ctx, op, renameScript, []string{a.session, b.session, a.generation, a.index},
			old.rev, next.encode(s.sealer, b.hash), millis(s.opt.IdleTimeout), a.hash, b.hash)
	})
	if err != nil {
		return Session[T]{}, err
	}
	return s.swapped(fresh, b, out), nil
}

// move makes a session of another user, in another slot: the new one is stored
// first, then the old one goes if it was not changed meanwhile; otherwise the new
// one goes and all is tried again. A crash in between leaves a session whose id
// nobody has.
func (s *Store[T]) move(ctx context.Context, op string, a address, e envelope, user string, fn func(*T) error) (Session[T], error) {
	for i := range maxAttempts {
		var data T
		if err := json.Unmarshal([]byte(e.data), &data); err != nil {
			return Session[T]{}, &Error{Op: op, Err: ErrCorrupt}
		}
		if err := fn(&data); err != nil {
			return Session[T]{}, err
		}
		fresh, err := s.create(ctx, op, user, data)
		if err != nil {
			return Session[T]{}, err
		}
		done, err := s.destroy(ctx, op, a, e.rev)
		if err == nil && done == 1 {
			return fresh, nil
		}
		_, undo := s.destroy(ctx, op, fresh.ID.address(s.opt.Namespace), "")
		if err = errors.Join(err, undo); err != nil {
			return Session[T]{}, err
		}
		if done < 0 {
			return Session[T]{}, ErrNotFound
		}
		s.counters.conflicts.Add(1)
		if err := pause(ctx, op, i); err != nil {
			return Session[T]{}, err
		}
		again, _, err := s.fetch(ctx, op, a)
		if err != nil {
			return Session[T]{}, err
		}
		e = again.envelope
	}
	return Session[T]{}, &Error{Op: op, Err: ErrConflict}
}

// attempt is what a script made of a replacement.
type attempt struct {
	outcome int64  // 1: done; 0: somebody was faster; -1: there is no session
	raw     string // for 0, what is there instead
	ends    int64  // for 1, when the session ends if it is not used
}

func sign(ends int64) int64 {
	if ends > 0 {
		return 1
	}
	return -1
}

func (s *Store[T]) try(ctx context.Context, op string, script *conn.Script, keys []string, args ...string) (attempt, error) {
	reply, err := s.eval(ctx, op, script, keys, args...)
	if err != nil {
		return attempt{}, err
	}
	out := attempt{outcome: reply[0].Int}
	switch {
	case out.outcome == 1 && len(reply) == 2:
		out.ends = reply[1].Int
	case out.outcome == 0 && len(reply) == 2:
		out.raw = reply[1].Str
	}
	return out, nil
}

// change is a replacement that was accepted.
type change[T any] struct {
	envelope
	data T
	ends int64
}

// swap applies fn to the data and lets store put the result in the place of what
// was read, until nobody has come in between.
func (s *Store[T]) swap(
	ctx context.Context, op string, a address, e envelope, fn func(*T) error,
	store func(old, next envelope) (attempt, error),
) (c change[T], err error) {
	for i := range maxAttempts {
		var data T
		if err := json.Unmarshal([]byte(e.data), &data); err != nil {
			return c, &Error{Op: op, Err: ErrCorrupt}
		}
		if err := fn(&data); err != nil {
			return c, err
		}
		next := e
		next.rev = nonce()
		if next.data, err = s.marshal(op, data); err != nil {
			return c, err
		}
		got, err := store(e, next)
		switch {
		case err != nil:
			return c, err
		case got.outcome > 0:
			return change[T]{next, data, got.ends}, nil
		case got.outcome < 0:
			return c, ErrNotFound
		}
		s.counters.conflicts.Add(1)
		if err := pause(ctx, op, i); err != nil {
			return c, err
		}
		var ok bool
		if e, ok = parseEnvelope(got.raw, s.sealer, a.hash); !ok {
			return c, &Error{Op: op, Err: ErrCorrupt}
		}
	}
	return c, &Error{Op: op, Err: ErrConflict}
}

func (s *Store[T]) swapped(id ID, a address, c change[T]) Session[T] {
	out := s.session(id, a, c.envelope, c.data)
	out.IdleUntil = moment(c.ends)
	return out
}

// pause lets others finish before the next try: half a millisecond at first, a
// random part of up to 16 later.
func pause(ctx context.Context, op string, tries int) error {
	t := time.NewTimer(rand.N(500 * time.Microsecond << min(tries, 5)))
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return &Error{Op: op, Err: away{ctx.Err()}}
	}
}

func millis(d time.Duration) string { return strconv.FormatInt(d.Milliseconds(), 10) }
