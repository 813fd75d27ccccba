package ratelimit

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"sync"

	"github.com/larder-go/larder/conn"
	"github.com/larder-go/larder/observe"
)

// redis is the store of counters that processes share.
type redis struct {
	names
	c       conn.Conn
	script  *conn.Script
	cluster bool // the keys of one decision lie in different slots
	dynamic bool
	denying bool

	observer observe.Observer
	prefix   string

	// The numbers of the algorithm as arguments.
	limit, window, third, longest string
	// How many keys and arguments a call has at most, values of the deny list left out.
	keys, args int
	rooms      sync.Pool // *[]string, for the keys and arguments of one call
}

var errReply = errors.New("the script answered in an unknown form")

func newRedis(c conn.Conn, o Options) *redis {
	a := o.Algorithm
	s := &redis{
		names: newNames(o.Prefix, a), c: c, script: scripts[a.kind], cluster: c.Capabilities().Cluster,
		dynamic: o.DynamicLimit, denying: o.DenyList, observer: observe.OrNobody(o.Observer), prefix: o.Prefix,
		limit: number(a.limit), window: number(a.windowMillis()),
		keys: 1, args: 5,
	}
	for _, more := range []bool{o.DynamicLimit, o.DenyList, a.kind == slidingWindow} {
		if more {
			s.keys++
		}
	}
	switch a.kind {
	case slidingWindow:
		s.third = number(2*a.windowMillis() + 1000)
		s.args += 3
	case tokenBucket:
		s.third = number(a.extra)
		s.args += 2
	case gcra:
		s.window, s.third, s.longest = number(a.window.Microseconds()), number(a.extra), number(a.maxStep())
		s.args += 3
	}
	return s
}

// decide is one round trip; in a cluster two where the decision depends on more
// than the key that it changes.
func (s *redis) decide(ctx context.Context, q *query) (reply, error) {
	ctx, end := s.observer.Begin(ctx, observe.Operation{Kind: observe.Limiter, Name: s.prefix, Verb: verbDecide})
	r, err := s.asked(ctx, q)
	end(err)
	return r, err
}

func (s *redis) asked(ctx context.Context, q *query) (reply, error) {
	in := inputs{limit: s.limit, n: s.algorithm.limit}
	if s.denying {
		in.values = q.deniable()
	}
	if s.cluster && (s.dynamic || s.denying || s.algorithm.kind == slidingWindow) {
		answer, err := s.gather(ctx, q, &in)
		if err != nil || answer.verdict == denied {
			return answer, err
		}
	}
	room, _ := s.rooms.Get().(*[]string)
	if room == nil {
		room = new([]string)
	}
	keys, args := s.call(q, &in, room)
	v, err := s.c.Eval(ctx, s.script, keys, args)
	clear(*room)
	s.rooms.Put(room)
	if err != nil {
		return reply{}, err
	}
	return readReply(v, in.n)
}

// inputs are what a decision depends on besides the key that it changes.
type inputs struct {
	limit    string
	n        int64    // limit as a number
	previous string   // "": the script reads it
	values   []string // that the deny list is asked about; nil: it was asked, or there is none
	known    bool     // the limit is the one in force
}

// call makes the keys and arguments of the script in room. It is one allocation: what
// is new in them is cut from one string.
func (s *redis) call(q *query, in *inputs, room *[]string) (keys, args []string) {
	both := slices.Grow((*room)[:0], s.keys+s.args+len(in.values))
	both = both[:s.keys+s.args+len(in.values)]
	*room = both
	keys, args = both[:0:s.keys], both[s.keys:s.keys]
	dynamic := "0"
	if s.dynamic && !in.known {
		dynamic = "1"
	}
	args = append(args, in.limit, dynamic, number(int64(len(in.values))), number(q.cost), s.window)
	var letters [roomForText]byte
	switch a := s.algorithm; a.kind {
	case slidingWindow:
		b := a.bucket(q.now)
		text := s.appendWindow(letters[:0], q.id, b)
		first := len(text)
		text = s.appendWindow(text, q.id, b-1)
		second := len(text)
		all := string(strconv.AppendInt(text, q.now, 10))
		keys = append(keys, all[:first])
		if in.previous == "" {
			keys = append(keys, all[first:second])
		}
		args = append(args, s.third, all[second:], in.previous)
	case tokenBucket:
		text := s.appendSingle(letters[:0], q.id)
		all := string(strconv.AppendInt(text, q.now, 10))
		keys = append(keys, all[:len(text)])
		args = append(args, s.third, all[len(text):])
	case gcra:
		text := s.appendSingle(letters[:0], q.id)
		all := string(strconv.AppendInt(text, q.now*1000, 10))
		keys = append(keys, all[:len(text)])
		args = append(args, s.third, all[len(text):], s.longest)
	default:
		keys = append(keys, s.names.window(q.id, a.bucket(q.now)))
	}
	if dynamic == "1" {
		keys = append(keys, s.names.dynamic)
	}
	if len(in.values) > 0 {
		keys = append(keys, s.names.denyList)
	}
	return keys, append(args, in.values...)
}

// gather reads, in parallel, what lies in other slots than the key that decides.
// What changes between this and the decision is missed: docs/ratelimit.md states
// the bound.
func (s *redis) gather(ctx context.Context, q *query, in *inputs) (reply, error) {
	cmds := make([]conn.Command, 0, 3)
	if s.algorithm.kind == slidingWindow {
		cmds = append(cmds, conn.Key("GET", s.names.window(q.id, s.algorithm.bucket(q.now)-1)))
	}
	if s.dynamic {
		cmds = append(cmds, conn.Key("GET", s.names.dynamic))
	}
	if len(in.values) > 0 {
		cmds = append(cmds, conn.Key("SMISMEMBER", s.names.denyList, in.values...))
	}
	results := s.c.Pipeline(ctx, cmds...)
	for _, r := range results {
		if r.Err != nil {
			return reply{}, r.Err
		}
	}
	if s.algorithm.kind == slidingWindow {
		n, err := count(results[0].Value)
		if err != nil {
			return reply{}, err
		}
		in.previous = number(n)
		results = results[1:]
	}
	limit := s.algorithm.limit
	if s.dynamic {
		if n, ok := dynamicLimit(results[0].Value); ok {
			limit = n
			in.limit, in.n = number(n), n
		}
		in.known = true
		results = results[1:]
	}
	if len(in.values) > 0 {
		in.values = nil
		return lastDenied(results[0].Value, limit), nil
	}
	return reply{}, nil
}

// lastDenied reads the answer of SMISMEMBER as the scripts do.
func lastDenied(v conn.Value, limit int64) reply {
	for i, e := range slices.Backward(v.Elems) {
		if e.Int == 1 {
			return reply{verdict: denied, limit: limit, x: int64(i) + 1}
		}
	}
	return reply{}
}

// readReply reads what a script returns. A number alone is that of a request that was
// allowed under the limit that was sent: the most frequent reply is the cheapest.
func readReply(v conn.Value, limit int64) (reply, error) {
	if v.Kind == conn.Int {
		return reply{verdict: granted, limit: limit, x: v.Int}, nil
	}
	if len(v.Elems) < 3 {
		return reply{}, errReply
	}
	for _, e := range v.Elems {
		if e.Kind != conn.Int {
			return reply{}, errReply
		}
	}
	r := reply{verdict: int(v.Elems[0].Int), limit: v.Elems[1].Int, x: v.Elems[2].Int}
	if len(v.Elems) > 3 {
		r.y = v.Elems[3].Int
	}
	return r, nil
}

// count reads a counter; a missing one is 0.
func count(v conn.Value) (int64, error) {
	if v.IsNil() {
		return 0, nil
	}
	return v.Int64()
}

// dynamicLimit reads a dynamic limit as the scripts do.
func dynamicLimit(v conn.Value) (int64, bool) {
	if v.IsNil() {
		return 0, false
	}
	f, err := strconv.ParseFloat(v.Str, 64)
	if err != nil || !(f >= 0 && f <= MaxLimit) {
		return 0, false
	}
	return int64(f), true
}

func number(n int64) string { return strconv.FormatInt(n, 10) }

// whole reads a number of which a script of the original may have stored a fraction.
func whole(v conn.Value) (int64, error) {
	f, err := strconv.ParseFloat(v.Str, 64)
	if err != nil || f != f || f < -(1<<53) || f > 1<<53 {
		return 0, errReply
	}
	return int64(f), nil
}
