package scripted

import (
	"slices"
	"time"
)

// Kind is a way to fail.
type Kind uint8

// The kinds of a Fault.
const (
	// Freeze reads commands, executes none of them and pushes nothing, until it
	// is mended: a process that was stopped. What comes behind such a command
	// waits too.
	Freeze Kind = iota + 1
	// Mute executes, and holds replies and pushes back until it is mended. As on
	// a network, everything behind one on its connection is held back too.
	Mute
	// Half executes, and sends the first half of the reply's bytes; the rest
	// comes when it is mended.
	Half
	// Delay executes at once, and lets the reply arrive Fault.By later.
	Delay
	// HoldPushes is Mute for invalidations alone: the connection falls silent with the
	// first of them, since Redis keeps pushes and replies in one order.
	HoldPushes
	// Die closes the connection in place of executing.
	Die
	// DieAnswering executes, sends half of the reply and closes the connection.
	DieAnswering
	// Refuse refuses new connections.
	Refuse
	// Hang lets new connections neither come about nor fail, until their context
	// ends or the fault is mended.
	Hang
)

// Fault is one way to fail, and what it befalls.
type Fault struct {
	Kind Kind
	// On selects what the fault befalls; nil means everything of its kind. It
	// must be quick and must not call the Server. It is not asked about new
	// connections.
	On func(Exchange) bool
	// By is how late the reply is, of Delay only.
	By time.Duration
}

// Exchange is a command or a push on one connection.
type Exchange struct {
	// Tracking is whether the connection has asked for pushes: heartbeats of it
	// are included.
	Tracking bool
	// Push tells an invalidation; it has no Args.
	Push bool
	// Args is the command, its name in upper case.
	Args []string
	// Script is the text of the script that the command executes, "" for none.
	Script string
}

// Commands selects commands by their names, in upper case.
func Commands(names ...string) func(Exchange) bool {
	return func(x Exchange) bool { return len(x.Args) > 0 && slices.Contains(names, x.Args[0]) }
}

// Break makes the server fail in this way until mend is called. Several faults
// may be in force; a second mend does nothing.
func (s *Server) Break(f Fault) (mend func()) {
	p := &f
	s.change(func() { s.faults = append(s.faults, p) })
	return func() {
		s.change(func() {
			s.faults = slices.DeleteFunc(s.faults, func(x *Fault) bool { return x == p })
		})
	}
}

// fault returns a fault of one of the kinds that befalls x, or nil.
func (s *Server) faultLocked(x Exchange, kinds ...Kind) *Fault {
	for _, f := range s.faults {
		if slices.Contains(kinds, f.Kind) && (f.On == nil || f.On(x)) {
			return f
		}
	}
	return nil
}

// dialFaultLocked is faultLocked for a new connection.
func (s *Server) dialFaultLocked(kind Kind) bool {
	return slices.ContainsFunc(s.faults, func(f *Fault) bool { return f.Kind == kind })
}
