package session

import (
	"context"

	"github.com/larder-go/larder/conn"
)

var errNoUser = optionError("the user", "", "a name")

// List returns the sessions of a user, that which ends last first. They have no ID;
// their handles are for DestroyHandle. It costs two round trips.
func (s *Store[T]) List(ctx context.Context, user string) (_ []Session[T], err error) {
	const op = "list"
	ctx, end := s.operate(ctx, op)
	defer func() { end(err) }()
	gen, hashes, err := s.index(ctx, op, user)
	if err != nil || len(hashes) == 0 {
		return nil, err
	}
	p := placeOf(s.opt.Namespace, user)
	addresses := make([]address, len(hashes))
	args := make([]string, len(hashes))
	for i, hash := range hashes {
		addresses[i] = at(s.opt.Namespace, p, hash)
		args[i] = addresses[i].session
	}
	v, err := s.conn.Do(ctx, conn.Key("MGET", args[0], args[1:]...))
	if err != nil {
		return nil, failed(op, err)
	}
	raws, err := v.List()
	if err != nil || len(raws) != len(args) {
		return nil, &Error{Op: op, Err: ErrCorrupt}
	}
	var out []Session[T]
	for i, raw := range raws {
		if raw.IsNil() {
			continue // evicted, or destroyed since
		}
		e, ok := parseEnvelope(raw.Str, s.sealer, addresses[i].hash)
		if !ok {
			return nil, &Error{Op: op, Err: ErrCorrupt}
		}
		if e.gen != gen {
			continue
		}
		one, err := s.open(op, "", addresses[i], e)
		if err != nil {
			return nil, err
		}
		out = append(out, one)
	}
	return out, nil
}

// Count returns how many sessions a user has. It reads the index only: sessions
// that Redis has evicted are counted until they would have ended.
func (s *Store[T]) Count(ctx context.Context, user string) (int, error) {
	const op = "count"
	ctx, end := s.operate(ctx, op)
	_, hashes, err := s.index(ctx, op, user)
	end(err)
	return len(hashes), err
}

// index returns the generation of a user, and the sessions that his index knows.
func (s *Store[T]) index(ctx context.Context, op, user string) (gen string, hashes []string, err error) {
	a, err := s.userAddress(user)
	if err != nil {
		return "", nil, err
	}
	reply, err := s.eval(ctx, op, listScript, []string{a.generation, a.index})
	if err != nil {
		return "", nil, err
	}
	for _, v := range reply[1:] {
		hashes = append(hashes, v.Str)
	}
	return reply[0].Str, hashes, nil
}

// DestroyAll ends all sessions of a user, in one step, and returns how many the
// index knew. When it has returned nil, no session that was created before it
// counts any more, and none that is renewed or updated at the same time comes
// back. One whose Create runs at the same time is either ended or later.
func (s *Store[T]) DestroyAll(ctx context.Context, user string) (int, error) {
	const op = "destroy all"
	a, err := s.userAddress(user)
	if err != nil {
		return 0, err
	}
	s.memory.changed(a.place)
	defer s.memory.changed(a.place)
	ctx, end := s.operate(ctx, op)
	v, err := s.conn.Eval(ctx, destroyAllScript, []string{a.generation, a.index}, nil)
	if end(err); err != nil {
		return 0, failed(op, err)
	}
	s.counters.destroyed.Add(uint64(len(v.Elems)))
	// None of them counts any more; this only frees the memory that they hold
	// until they expire.
	cmds := make([]conn.Command, len(v.Elems))
	for i, hash := range v.Elems {
		cmds[i] = conn.Key("UNLINK", at(s.opt.Namespace, a.place, hash.Str).session)
	}
	if len(cmds) > 0 {
		s.conn.Pipeline(ctx, cmds...)
	}
	return len(cmds), nil
}

// userAddress is an address whose keys of the user are set.
func (s *Store[T]) userAddress(user string) (address, error) {
	if user == "" {
		return address{}, errNoUser
	}
	if err := checkUser(user); err != nil {
		return address{}, err
	}
	return at(s.opt.Namespace, placeOf(s.opt.Namespace, user), ""), nil
}
