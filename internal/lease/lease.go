package lease

import (
	"context"
	_ "embed"
	"encoding/binary"
	"errors"
	"math/rand/v2"
	"strconv"
	"time"
	"unsafe"

	"github.com/larder-go/larder/conn"
	"github.com/larder-go/larder/internal/script"
)

var (
	//go:embed prelude.lua
	prelude string
	//go:embed acquire.lua
	acquireText string
	//go:embed fill.lua
	fillText string
	//go:embed renew.lua
	renewText string
	//go:embed release.lua
	releaseText string
	//go:embed invalidate.lua
	invalidateText string
	//go:embed barrier.lua
	barrierPrelude string
	//go:embed entomb.lua
	entombText string

	acquireScript    = script.New(prelude, acquireText)
	fillScript       = script.New(prelude, fillText)
	renewScript      = script.New(prelude, renewText)
	releaseScript    = script.New(prelude, releaseText)
	invalidateScript = script.NewAllowOOM(prelude, invalidateText)
	entombScript     = script.NewAllowOOM(prelude, barrierPrelude, entombText)
)

// Mode is what a caller of Acquire wants.
type Mode string

// The modes of Acquire.
const (
	// Load wants a fresh value, or the lease.
	Load Mode = "load"
	// Wait is Load of one who has waited for another load: it hears if that failed.
	Wait Mode = "wait"
	// Ahead wants the lease although the value is fresh.
	Ahead Mode = "ahead"
	// Set takes the lease whoever holds it, and drops the value.
	Set Mode = "set"
)

// State is the answer of Acquire.
type State int64

// The states of an Acquired.
const (
	Fresh   State = 0 // Raw is the entry to use
	Granted State = 1 // the caller loads
	Held    State = 2 // another load runs; Left tells how long it may take
	Barred  State = 3 // writers are at work: what is loaded now must not be stored
	Newer   State = 4 // of Set: a higher revision is known to exist
	Failed  State = 5 // of Wait: the load that was waited for has failed
)

// FailedToken is the token of an entry that remembers a failed load.
const FailedToken = 1<<64 - 2

// Acquired is the outcome of Acquire.
type Acquired struct {
	State State
	// Now is the server's clock, Unix milliseconds.
	Now int64
	// Raw is the entry, if there is one that may be served fresh (Fresh) or
	// stale (Granted, Held); else "".
	Raw string
	// Left is the time until the lease ends, unless Fresh.
	Left time.Duration
}

// IsOfLoad tells whether a token is that of a load, whose lease may have run out.
func IsOfLoad(token uint64) bool { return token != 0 && token < FailedToken }

// Token makes the random, non-zero token of one load.
func Token() uint64 {
	for {
		if t := rand.Uint64(); IsOfLoad(t) {
			return t
		}
	}
}

// Request is what one Acquire asks for.
type Request struct {
	Key   string
	Token uint64
	Lease time.Duration
	// Rejected is the id of an entry that must not be returned, 8 bytes as
	// they stand in it; "" for none.
	Rejected string
	Mode     Mode
	// FreshUntil is that of the value to be replaced, for Ahead: one that is fresh
	// for longer has been replaced already.
	FreshUntil int64
	// Revision is that of the value, for Set.
	Revision uint64
}

func (r Request) call() conn.ScriptCall {
	third := r.Rejected
	if r.Mode == Ahead {
		third = strconv.FormatInt(r.FreshUntil, 10)
	}
	return conn.ScriptCall{Keys: []string{r.Key}, Args: []string{
		word(r.Token), ms(r.Lease), third, string(r.Mode), word(r.Revision),
	}}
}

// Acquire looks up an entry or grants the right to load it.
func Acquire(ctx context.Context, ev conn.Evaler, r Request) (Acquired, error) {
	c := r.call()
	v, err := ev.Eval(ctx, acquireScript, c.Keys, c.Args)
	if err != nil {
		return Acquired{}, err
	}
	return readAcquired(v)
}

// AcquireEach is Acquire for several keys in one round trip per node.
func AcquireEach(ctx context.Context, ev conn.Evaler, rs []Request) ([]Acquired, []error) {
	calls := make([]conn.ScriptCall, len(rs))
	for i, r := range rs {
		calls[i] = r.call()
	}
	out, errs := make([]Acquired, len(rs)), make([]error, len(rs))
	for i, res := range ev.EvalEach(ctx, acquireScript, calls...) {
		if errs[i] = res.Err; res.Err == nil {
			out[i], errs[i] = readAcquired(res.Value)
		}
	}
	return out, errs
}

var errReply = errors.New("lease: a script answered in an unknown form")

func readAcquired(v conn.Value) (Acquired, error) {
	if len(v.Elems) != 4 {
		return Acquired{}, errReply
	}
	e := v.Elems
	return Acquired{
		State: State(e[0].Int), Now: e[1].Int, Raw: e[2].Str,
		Left: time.Duration(e[3].Int) * time.Millisecond,
	}, nil
}

// Value is what Fill stores.
type Value struct {
	Key   string
	Token uint64
	// Raw is the entry, its incarnation, times and lease zero. It must not be changed
	// any more: a command whose context ended may still be sent.
	Raw []byte
	// LoadedAt is Acquired.Now of the load.
	LoadedAt int64
	// TTL is how long the value is fresh, Stale how much longer it may be served.
	TTL, Stale time.Duration
}

func (f Value) call() conn.ScriptCall {
	return conn.ScriptCall{Keys: []string{f.Key}, Args: []string{
		word(f.Token),
		unsafe.String(unsafe.SliceData(f.Raw), len(f.Raw)),
		strconv.FormatInt(f.LoadedAt, 10), ms(f.TTL), ms(f.Stale),
	}}
}

// Filled is the outcome of Fill.
type Filled int64

// The outcomes of Fill.
const (
	Refused Filled = 0 // the token no longer stands
	Stored  Filled = 1
	Behind  Filled = 2 // a higher revision is known to exist
)

// Fill stores a value if its token still stands and no higher revision is known.
// Run over a Tracker, the key is tracked afterwards.
func Fill(ctx context.Context, ev conn.Evaler, f Value) (Filled, error) {
	c := f.call()
	v, err := ev.Eval(ctx, fillScript, c.Keys, c.Args)
	if err != nil {
		return Refused, err
	}
	return readFilled(v)
}

// FillEach is Fill for several keys in one round trip per node.
func FillEach(ctx context.Context, ev conn.Evaler, fs []Value) ([]Filled, []error) {
	calls := make([]conn.ScriptCall, len(fs))
	for i, f := range fs {
		calls[i] = f.call()
	}
	stored, errs := make([]Filled, len(fs)), make([]error, len(fs))
	for i, res := range ev.EvalEach(ctx, fillScript, calls...) {
		if errs[i] = res.Err; res.Err == nil {
			stored[i], errs[i] = readFilled(res.Value)
		}
	}
	return stored, errs
}

func readFilled(v conn.Value) (Filled, error) {
	if len(v.Elems) != 2 {
		return Refused, errReply
	}
	return Filled(v.Elems[0].Int), nil
}

// Ending says what becomes of an entry whose load stores nothing.
type Ending struct {
	// Hold is how long nobody is granted a lease where a stale value is there to
	// serve.
	Hold time.Duration
	// Drop says that a stale value goes too.
	Drop bool
	// Failed is how long those who waited for the load are told that it failed,
	// where there is no value.
	Failed time.Duration
}

func (e Ending) args() []string {
	hold := ms(e.Hold)
	if e.Drop {
		hold = "-1"
	}
	return []string{hold, ms(e.Failed)}
}

// Release gives a lease back without a value and tells whether the token still
// stood.
func Release(ctx context.Context, ev conn.Evaler, key string, token uint64, e Ending) (bool, error) {
	v, err := ev.Eval(ctx, releaseScript, []string{key}, append([]string{word(token)}, e.args()...))
	return v.Int == 1, err
}

// HeldLease names a lease by its key and token.
type HeldLease struct {
	Key   string
	Token uint64
}

func each(ctx context.Context, ev conn.Evaler, s *conn.Script, ls []HeldLease, args ...string) ([]bool, []error) {
	calls := make([]conn.ScriptCall, len(ls))
	for i, l := range ls {
		calls[i] = conn.ScriptCall{Keys: []string{l.Key}, Args: append([]string{word(l.Token)}, args...)}
	}
	stood, errs := make([]bool, len(ls)), make([]error, len(ls))
	for i, res := range ev.EvalEach(ctx, s, calls...) {
		stood[i], errs[i] = res.Value.Int == 1, res.Err
	}
	return stood, errs
}

// RenewEach extends leases while their loads run, in one round trip per node, and
// tells which tokens still stand.
func RenewEach(ctx context.Context, ev conn.Evaler, ls []HeldLease, lease time.Duration) ([]bool, []error) {
	return each(ctx, ev, renewScript, ls, ms(lease))
}

// ReleaseEach is Release for several leases in one round trip per node.
func ReleaseEach(ctx context.Context, ev conn.Evaler, ls []HeldLease, e Ending) ([]bool, []error) {
	return each(ctx, ev, releaseScript, ls, e.args()...)
}

// Invalidate drops entries, with the leases in them, in one round trip per node. It
// returns which keys there were, and which could not be seen to.
func Invalidate(ctx context.Context, ev conn.Evaler, keys ...string) (was []bool, errs []error) {
	calls := make([]conn.ScriptCall, len(keys))
	for i, key := range keys {
		calls[i].Keys = []string{key}
	}
	was, errs = make([]bool, len(keys)), make([]error, len(keys))
	for i, res := range ev.EvalEach(ctx, invalidateScript, calls...) {
		was[i], errs[i] = res.Value.Int == 1, res.Err
	}
	return was, errs
}

// Entomb drops an entry of a lower revision and refuses such values for the time
// of ttl.
func Entomb(ctx context.Context, ev conn.Evaler, key string, revision uint64, ttl time.Duration) error {
	_, err := ev.Eval(ctx, entombScript, []string{key}, []string{word(revision), ms(ttl)})
	return err
}

func word(n uint64) string {
	var b [8]byte
	binary.BigEndian.PutUint64(b[:], n)
	return string(b[:])
}

// ms rounds up, so that a positive time never becomes none.
func ms(d time.Duration) string {
	return strconv.FormatInt(int64((d+time.Millisecond-1)/time.Millisecond), 10)
}
