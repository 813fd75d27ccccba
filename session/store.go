package session

import (
	"context"
	"encoding/json"
	"errors"
	"strconv"
	"sync"
	"time"

	"github.com/larder-go/larder/conn"
	"github.com/larder-go/larder/observe"
)

// Store keeps sessions whose data is of type T, which encoding/json encodes.
type Store[T any] struct {
	conn   conn.Conn
	read   reader // over tracking connections where the memory needs pushes
	opt    Options
	sealer sealer
	memory *memory // nil without Options.ServeStale
	stop   func()
	close  sync.Once

	observer   observe.Observer // never nil
	unregister func()
	counters   counters
}

type reader interface {
	conn.Doer
	conn.Pipeliner
}

// Session is one session as it was at a moment. It is a copy.
type Session[T any] struct {
	// ID lets its holder in. It is empty in results of List: Redis does not know
	// it.
	ID ID
	// Handle names the session in the same way for its whole life, and lets
	// nobody in: see DestroyHandle. It may be shown to its user.
	Handle string
	// User is the one who is logged in, "" if nobody is.
	User string
	// Data is what the program keeps in the session.
	Data T
	// Created and Expires begin and end its life, by the clock of Redis.
	Created, Expires time.Time
	// IdleUntil is when the session ends unless it is used before, at most
	// Expires.
	IdleUntil time.Time
	// Stale says that Redis does not answer and the session is from memory: see
	// Options.ServeStale.
	Stale bool
}

// New makes a store over c, which the caller closes after it. T must survive a
// round trip through encoding/json.
func New[T any](c conn.Conn, o Options) (*Store[T], error) {
	if c == nil {
		return nil, optionError("the conn", nil, "an open one")
	}
	o = o.withDefaults()
	if err := o.validate(); err != nil {
		return nil, err
	}
	s := &Store[T]{conn: c, read: c, opt: o, sealer: newSealer(o.Keys), memory: newMemory(o), stop: func() {}}
	s.observer = observe.OrNobody(o.Observer)
	if s.memory != nil {
		if t, ok := c.Tracker(); ok {
			s.read = t
			s.stop = t.Listen(func(keys []string) { s.memory.pushed(o.Namespace, keys) })
		}
	}
	s.unregister = s.observer.Register(observe.Source{Subject: s.Describe(), Metrics: Metrics(), Read: s.counters.yield})
	return s, nil
}

// Close ends what listens for changes. It does not close the Conn.
func (s *Store[T]) Close() error {
	s.close.Do(func() {
		s.unregister()
		s.stop()
	})
	return nil
}

// Create stores a new session of user, "" for one that nobody has logged in to.
func (s *Store[T]) Create(ctx context.Context, user string, data T) (Session[T], error) {
	if err := checkUser(user); err != nil {
		return Session[T]{}, err
	}
	const op = "create"
	ctx, end := s.operate(ctx, op)
	out, err := s.create(ctx, op, user, data)
	end(err)
	return out, err
}

func (s *Store[T]) create(ctx context.Context, op, user string, data T) (Session[T], error) {
	text, err := s.marshal(op, data)
	if err != nil {
		return Session[T]{}, err
	}
	id := newID(s.opt.Namespace, user)
	a := id.address(s.opt.Namespace)
	e := envelope{rev: nonce(), user: user, data: text}
	if user != "" {
		e.gen = "g" + nonce() // never a number, which some clients would make of digits
	}
	reply, err := s.eval(ctx, op, createScript, []string{a.session, a.generation, a.index},
		e.rev, e.tail(s.sealer, a.hash), millis(s.opt.Lifetime), millis(s.opt.IdleTimeout), a.hash, e.gen, strconv.Itoa(s.opt.MaxPerUser))
	if err != nil {
		return Session[T]{}, err
	}
	if len(reply) < 4 {
		return Session[T]{}, &Error{Op: op, Err: ErrCorrupt}
	}
	s.counters.created.Add(1)
	e.created, e.expires, e.gen = reply[0].Int, reply[1].Int, reply[3].Str
	for _, surplus := range reply[4:] {
		// Who cannot be removed now is found again by the next Create.
		_, _ = s.destroy(ctx, op, at(s.opt.Namespace, a.place, surplus.Str), "")
	}
	out := s.session(id, a, e, data)
	out.IdleUntil = moment(reply[2].Int)
	return out, nil
}

// staleAfter is how long Redis is waited for where a copy is in memory.
const staleAfter = 250 * time.Millisecond

// Get returns the session with this id, or ErrNotFound.
func (s *Store[T]) Get(ctx context.Context, id ID) (Session[T], error) {
	const op = "get"
	if !id.valid() {
		s.counters.missed.Add(1)
		return Session[T]{}, ErrNotFound
	}
	ctx, end := s.operate(ctx, op)
	out, err := s.get(ctx, op, id)
	end(err)
	switch {
	case errors.Is(err, ErrNotFound):
		s.counters.missed.Add(1)
	case err == nil && out.Stale:
		s.counters.stale.Add(1)
		s.counters.found.Add(1)
	case err == nil:
		s.counters.found.Add(1)
	}
	return out, err
}

func (s *Store[T]) get(ctx context.Context, op string, id ID) (Session[T], error) {
	a := id.address(s.opt.Namespace)
	since := s.memory.mark(a)
	asked := ctx
	if _, ok := s.memory.get(a); ok {
		bound, cancel := context.WithTimeout(ctx, staleAfter)
		defer cancel()
		asked = bound
	}
	e, left, err := s.fetch(asked, op, a)
	if err != nil {
		if raw, ok := s.memory.get(a); ok && ctx.Err() == nil && errors.Is(err, ErrUnavailable) {
			return s.stale(id, a, raw)
		}
		return Session[T]{}, err
	}
	out, err := s.open(op, id, a, e.envelope)
	if err != nil {
		return out, err
	}
	s.memory.put(a, e.raw, since, left)
	if s.opt.IdleTimeout > 0 {
		if idle := time.Now().Add(left); idle.Before(out.Expires) {
			out.IdleUntil = idle
		}
	}
	return out, nil
}

// fetched is an envelope and the text it was read from.
type fetched struct {
	envelope
	raw string
}

// fetch reads a session that counts, and how long Redis will keep it unless it is
// used; where nobody asks for that, it is the lifetime.
func (s *Store[T]) fetch(ctx context.Context, op string, a address) (fetched, time.Duration, error) {
	v, left, err := s.ask(ctx, a)
	if err != nil {
		return fetched{}, 0, failed(op, err)
	}
	pair, err := v.List()
	if err != nil || len(pair) != 2 {
		return fetched{}, 0, &Error{Op: op, Err: ErrCorrupt}
	}
	if pair[0].IsNil() {
		return fetched{}, 0, ErrNotFound
	}
	e, ok := parseEnvelope(pair[0].Str, s.sealer, a.hash)
	if !ok {
		return fetched{}, 0, &Error{Op: op, Err: ErrCorrupt}
	}
	if e.gen != "" && e.gen != pair[1].Str {
		return fetched{}, 0, ErrNotFound
	}
	if left < 0 {
		return fetched{}, 0, ErrNotFound // it has expired between the two commands
	}
	return fetched{e, pair[0].Str}, left, nil
}

// ask returns a session and its user's generation, and what is left of it.
func (s *Store[T]) ask(ctx context.Context, a address) (conn.Value, time.Duration, error) {
	both := conn.Key("MGET", a.session, a.generation)
	if s.opt.IdleTimeout == 0 {
		v, err := s.read.Do(ctx, both)
		return v, s.opt.Lifetime, err
	}
	results := s.read.Pipeline(ctx, both, conn.Key("PTTL", a.session))
	for _, r := range results {
		if r.Err != nil {
			return conn.Value{}, 0, r.Err
		}
	}
	return results[0].Value, time.Duration(results[1].Value.Int) * time.Millisecond, nil
}

// stale is a session from memory.
func (s *Store[T]) stale(id ID, a address, raw string) (Session[T], error) {
	e, ok := parseEnvelope(raw, s.sealer, a.hash)
	if !ok || !time.Now().Before(moment(e.expires)) {
		return Session[T]{}, ErrNotFound
	}
	out, err := s.open("get", id, a, e)
	out.Stale = true
	return out, err
}

// Touch puts off the end of a session that is used, by IdleTimeout from now, and
// never beyond its Expires. Its value is not rewritten.
func (s *Store[T]) Touch(ctx context.Context, id ID) error {
	const op = "touch"
	if !id.valid() {
		return ErrNotFound
	}
	ctx, end := s.operate(ctx, op)
	ends, err := s.touch(ctx, op, id.address(s.opt.Namespace))
	end(err)
	if err == nil && ends == 0 {
		err = ErrNotFound
	}
	return err
}

// touch returns when the session ends unless it is used before, 0 if there is none.
func (s *Store[T]) touch(ctx context.Context, op string, a address) (int64, error) {
	v, err := s.conn.Eval(ctx, touchScript, []string{a.session, a.generation, a.index}, []string{millis(s.opt.IdleTimeout), a.hash})
	if err != nil {
		return 0, failed(op, err)
	}
	return v.Int, nil
}

// Destroy ends a session. It returns nil also where there was none.
func (s *Store[T]) Destroy(ctx context.Context, id ID) error {
	if !id.valid() {
		return nil
	}
	return s.destroyOne(ctx, id.address(s.opt.Namespace))
}

// DestroyHandle ends the session with this handle: see List. It returns nil also
// where there was none. That the handle belongs to who asks, the caller checks.
func (s *Store[T]) DestroyHandle(ctx context.Context, handle string) error {
	a, ok := parseHandle(s.opt.Namespace, handle)
	if !ok {
		return optionError("the handle", "something else", "a Session.Handle")
	}
	return s.destroyOne(ctx, a)
}

func (s *Store[T]) destroyOne(ctx context.Context, a address) error {
	const op = "destroy"
	ctx, end := s.operate(ctx, op)
	_, err := s.destroy(ctx, op, a, "")
	end(err)
	return err
}

// destroy returns what the script does.
func (s *Store[T]) destroy(ctx context.Context, op string, a address, rev string) (int64, error) {
	s.memory.changed(a.place)
	defer s.memory.changed(a.place) // a read may have begun in between
	v, err := s.conn.Eval(ctx, destroyScript, []string{a.session, a.generation, a.index}, []string{a.hash, rev})
	if err != nil {
		return 0, failed(op, err)
	}
	if v.Int > 0 {
		s.counters.destroyed.Add(1)
	}
	return v.Int, nil
}

// open decodes the data of an envelope.
func (s *Store[T]) open(op string, id ID, a address, e envelope) (Session[T], error) {
	var data T
	if err := json.Unmarshal([]byte(e.data), &data); err != nil {
		return Session[T]{}, &Error{Op: op, Err: ErrCorrupt}
	}
	return s.session(id, a, e, data), nil
}

func (s *Store[T]) session(id ID, a address, e envelope, data T) Session[T] {
	return Session[T]{
		ID: id, Handle: a.handle(), User: e.user, Data: data,
		Created: moment(e.created), Expires: moment(e.expires), IdleUntil: moment(e.expires),
	}
}

// marshal encodes data within the limit.
func (s *Store[T]) marshal(op string, data T) (string, error) {
	b, err := json.Marshal(data)
	if err != nil {
		return "", &Error{Op: op, Err: errEncode}
	}
	if len(b) > s.opt.MaxBytes {
		return "", &Error{Op: op, Err: ErrTooLarge}
	}
	return string(b), nil
}

// eval runs a script whose reply is a list.
func (s *Store[T]) eval(ctx context.Context, op string, script *conn.Script, keys []string, args ...string) ([]conn.Value, error) {
	v, err := s.conn.Eval(ctx, script, keys, args)
	if err != nil {
		return nil, failed(op, err)
	}
	reply, err := v.List()
	if err != nil || len(reply) == 0 {
		return nil, &Error{Op: op, Err: ErrCorrupt}
	}
	return reply, nil
}
