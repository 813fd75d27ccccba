package sandbox

import (
	"context"
	"time"

	lua "github.com/yuin/gopher-lua"

	"github.com/larder-go/larder/conn"
)

// Host executes the commands of scripts.
type Host interface {
	// Command executes one command. A failed command is a Value of kind
	// conn.Failure. Replies are in RESP3's types if resp3 is set.
	Command(args []string, resp3 bool, p Permit) conn.Value
	// Log receives redis.log.
	Log(level int, message string)
}

// Permit is what the present script may do.
type Permit struct {
	NoWrites bool // write commands are refused
	AllowOOM bool // writes are executed although the engine is full
}

// Run describes one execution.
type Run struct {
	Keys, Args []string
	Host       Host
	// ReadOnly is set by the read-only variants of EVAL.
	ReadOnly bool
	// Limit is the script's time limit.
	Limit time.Duration
	// End, once closed, stops the script whatever it has done.
	End <-chan struct{}
}

const (
	callDepth   = 1000
	maxRegistry = 1 << 17
)

// State is a Lua interpreter for one script at a time. The zero State is not
// usable.
type State struct {
	budget *budget

	l       *lua.LState
	envMeta *lua.LTable // metatable of every run's globals
	globals *lua.LTable // what scripts see through it
	shadows map[*lua.LTable]*lua.LTable

	env   *lua.LTable // this run's globals
	run   Run
	prog  *Program
	perm  Permit
	resp3 bool
	rand  randSource
}

// New returns a State. The interpreter is made by the first Run.
func New() *State { return &State{budget: newBudget()} }

// Wrote tells the State that the present script has changed something, from
// which moment on its caller's context no longer stops it.
func (s *State) Wrote() { s.budget.wrote = true }

// Run executes p and returns its reply, or the error of ctx if that ended
// before the script wrote anything.
func (s *State) Run(ctx context.Context, p *Program, r Run) (conn.Value, error) {
	if s.l == nil {
		s.open()
	}
	s.run, s.prog, s.resp3, s.rand = r, p, false, randSource{}
	s.perm = Permit{NoWrites: r.ReadOnly || p.flags.noWrites, AllowOOM: p.flags.allowOOM}
	s.budget.start(ctx, r.Limit, r.End)
	s.newEnv(r.Keys, r.Args)
	defer s.release()

	v, err := s.protected(p)
	if s.budget.stopped != nil {
		s.discard()
		if st, ok := s.budget.stopped.(*stop); ok && st.caller != nil { //nolint:errorlint // never wrapped
			return conn.Value{}, st.caller
		}
		return failure("ERR " + s.budget.stopped.Error() + s.where(0)), nil
	}
	if err != nil {
		// An error may leave frames or values behind that were not unwound.
		s.discard()
		return s.failed(err), nil
	}
	return v, nil
}

// protected runs p; a panic of the interpreter is an error too.
func (s *State) protected(p *Program) (v conn.Value, err error) {
	fn := s.l.NewFunctionFromProto(p.proto)
	fn.Env = s.env
	s.l.Push(fn)
	if err := s.l.PCall(0, 1, nil); err != nil {
		return v, err
	}
	result := s.l.Get(-1)
	s.l.SetTop(0)
	return s.reply(result), nil
}

// release drops what belongs to the caller.
func (s *State) release() {
	s.run, s.prog, s.env = Run{}, nil, nil
	s.budget.end()
}

func (s *State) discard() {
	s.l.Close()
	s.l, s.envMeta, s.globals, s.shadows = nil, nil, nil, nil
}

func failure(text string) conn.Value { return conn.Value{Kind: conn.Failure, Str: text} }
