package session

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"time"

	"github.com/larder-go/larder/conn"
)

// SCS is a store for the SessionManager of github.com/alexedwards/scs/v2: it has
// the methods of its Store and its CtxStore.
//
//	manager := scs.New()
//	manager.Store, err = session.NewSCS(c, session.Options{})
//
// Redis is given the SHA-256 of a token, never the token; with Options.Keys what scs
// stores is encrypted. For the same reason it is no IterableStore: nobody can list
// tokens that are not kept. scs itself has neither users nor compare-and-swap, so
// the last of two concurrent requests wins; use a Store where that matters.
//
// Of Options it uses Namespace, MaxBytes and Keys; the lifetime is the manager's.
type SCS struct {
	conn   conn.Doer
	opt    Options
	sealer sealer
}

// NewSCS makes a store over c, which the caller closes after it.
func NewSCS(c conn.Doer, o Options) (*SCS, error) {
	if c == nil {
		return nil, optionError("the conn", nil, "an open one")
	}
	o = o.withDefaults()
	if err := o.validate(); err != nil {
		return nil, err
	}
	return &SCS{c, o, newSealer(o.Keys)}, nil
}

// key returns the Redis key of a token, and the hash in it.
func (s *SCS) key(token string) (key, hash string) {
	sum := sha256.Sum256([]byte(token))
	hash = hex.EncodeToString(sum[:])
	return s.opt.Namespace + ":scs:" + hash, hash
}

// FindCtx returns the data of a token; found is false where there is none. An error
// is ErrUnavailable or ErrCorrupt.
func (s *SCS) FindCtx(ctx context.Context, token string) (b []byte, found bool, err error) {
	const op = "find"
	key, hash := s.key(token)
	v, err := s.conn.Do(ctx, conn.Key("GET", key))
	switch {
	case err != nil:
		return nil, false, failed(op, err)
	case v.IsNil():
		return nil, false, nil
	case len(s.sealer) == 0:
		return []byte(v.Str), true, nil
	}
	data, ok := s.sealer.open([]byte(v.Str), hash, "")
	if !ok {
		return nil, false, &Error{Op: op, Err: ErrCorrupt}
	}
	return []byte(data), true, nil
}

// CommitCtx stores data until expiry. A time in the past, or less than a
// millisecond ahead, deletes.
func (s *SCS) CommitCtx(ctx context.Context, token string, b []byte, expiry time.Time) error {
	const op = "commit"
	if len(b) > s.opt.MaxBytes {
		return &Error{Op: op, Err: ErrTooLarge}
	}
	left := time.Until(expiry)
	if left < time.Millisecond {
		return s.DeleteCtx(ctx, token)
	}
	key, hash := s.key(token)
	data := string(b)
	if len(s.sealer) > 0 {
		data = string(s.sealer.seal(data, hash, ""))
	}
	if _, err := s.conn.Do(ctx, conn.Key("SET", key, data, "PX", millis(left))); err != nil {
		return failed(op, err)
	}
	return nil
}

// DeleteCtx removes a token. It returns nil also where there was none.
func (s *SCS) DeleteCtx(ctx context.Context, token string) error {
	key, _ := s.key(token)
	if _, err := s.conn.Do(ctx, conn.Key("DEL", key)); err != nil {
		return failed("delete", err)
	}
	return nil
}

// Find is FindCtx without a context, as scs.Store wants it; scs prefers FindCtx.
func (s *SCS) Find(token string) (b []byte, found bool, err error) {
	return s.FindCtx(context.Background(), token)
}

// Commit is CommitCtx without a context.
func (s *SCS) Commit(token string, b []byte, expiry time.Time) error {
	return s.CommitCtx(context.Background(), token, b, expiry)
}

// Delete is DeleteCtx without a context.
func (s *SCS) Delete(token string) error { return s.DeleteCtx(context.Background(), token) }
