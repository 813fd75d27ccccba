package torture

import (
	"time"
)

// Kind is what an operation does.
type Kind uint8

// The kinds of operations.
const (
	Get Kind = iota
	GetMany
	Set
	WriteThrough
	Invalidate
	InvalidateBelow
	InvalidateTags
	CommitTags
	Clear
	InvalidatePrefix
	kinds = iota
)

var kindNames = [kinds]string{
	"Get", "GetMany", "Set", "WriteThrough", "Invalidate", "InvalidateBelow", "InvalidateTags",
	"CommitTags", "Clear", "InvalidatePrefix",
}

// String is the name of the method.
func (k Kind) String() string { return kindNames[k] }

// reads tells whether it asks for values; the others write.
func (k Kind) reads() bool { return k == Get || k == GetMany }

// Outcome is how an operation ended.
type Outcome uint8

// The outcomes.
const (
	OK         Outcome = iota
	Pending            // ErrInvalidationPending
	Failed             // for a reason that the torture has given, as a failing source
	Unexpected         // for another reason
)

// Op is one operation of one process. All times are Unix nanoseconds.
type Op struct {
	ID     uint64
	Proc   int
	Kind   Kind
	Space  int
	Keys   []int    // numbers in the source
	Values []int64  // the versions that were read, or written
	Loads  []uint64 // reads: the loads, or writes, that had brought them
	Begin  int64
	End    int64
	// Inner is what the operation spent in functions of the torture.
	Inner   time.Duration
	Outcome Outcome
	Text    string // the error, of Unexpected
}

// Load is one call of a loader.
type Load struct {
	ID         uint64
	Proc, Key  int
	Begin, End int64
	Version    int64
	// Cut says that Redis had failed to answer this cache shortly before.
	Cut bool
	// Twice says that another load of the key was running in this process.
	Twice bool
}

// Stall is a time in which a process was not run.
type Stall struct {
	Proc       int
	Begin, End int64
}

// Delivered says that nothing was pending in a space at a moment: all that had been
// pending before is delivered.
type Delivered struct {
	Proc, Space int
	At          int64
}

// Sample is the state of a process at a moment.
type Sample struct {
	Proc       int
	At         int64
	Goroutines int
	Heap       uint64
	L1Bytes    uint64
	Pending    int
	// Reached grows whenever Redis gave or took a value.
	Reached uint64
}

// batch is what a process reports at a time.
type batch struct {
	Ops       []Op
	Loads     []Load
	Stalls    []Stall
	Delivered []Delivered
	Samples   []Sample
	// Ready is set in the first one, Ended in the last one.
	Ready, Ended bool
	// Left is how many goroutines there are more than before, of the last one.
	Left int
	// Error is why the process could not start, or close.
	Error string
}

func (b *batch) empty() bool {
	return len(b.Ops)+len(b.Loads)+len(b.Stalls)+len(b.Delivered)+len(b.Samples) == 0
}

var started = time.Now()

// now is the machine's clock, which processes share, without its jumps since this one
// began.
func now() int64 { return started.UnixNano() + int64(time.Since(started)) }
