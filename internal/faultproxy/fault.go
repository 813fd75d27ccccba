package faultproxy

import (
	"math/rand/v2"
	"time"
)

// Kind is a way to fail.
type Kind uint8

// The kinds of a Fault.
const (
	// DelayReplies lets replies arrive up to Fault.By late.
	DelayReplies Kind = iota + 1
	// DelayPushes does the same with invalidations and messages.
	DelayPushes
	// CutReply sends half of a reply and closes the connection.
	CutReply
	// HoldRequests lets nothing through to the server; it arrives when the fault ends.
	HoldRequests
	// HoldReplies lets nothing through to the client: the server executes.
	HoldReplies
	// DropPushes loses invalidations and messages. The connections that have lost one
	// are cut when the fault ends.
	DropPushes
	// Refuse closes new connections at once.
	Refuse
)

var kindNames = map[Kind]string{
	DelayReplies: "delay replies", DelayPushes: "delay pushes", CutReply: "cut half-way through a reply",
	HoldRequests: "hold requests", HoldReplies: "hold replies", DropPushes: "drop pushes, then cut", Refuse: "refuse connections",
}

// String names the kind.
func (k Kind) String() string { return kindNames[k] }

// Fault is one way to fail.
type Fault struct {
	Kind Kind
	// By is the longest delay; each is drawn anew. Of DelayReplies and DelayPushes.
	By time.Duration
	// OneIn says that one frame in so many is befallen, drawn; 0 and 1 mean every one.
	// Of the delays, CutReply and DropPushes.
	OneIn int
	// ThenCut cuts all connections when the fault ends.
	ThenCut bool
}

// Draw makes a fault of any kind, with delays that a client would call slow (up to
// 20 ms) or silent (up to 2 s).
func Draw(rng *rand.Rand) Fault {
	f := Fault{Kind: Kind(1 + rng.IntN(int(Refuse))), ThenCut: rng.IntN(2) == 0}
	switch f.Kind {
	case DelayReplies, DelayPushes:
		f.By = 20 * time.Millisecond
		if rng.IntN(3) == 0 {
			f.By = 2 * time.Second
		}
		f.OneIn = 1 + rng.IntN(4)
	case CutReply:
		f.OneIn = 20 + rng.IntN(100)
	case DropPushes:
		f.OneIn = 1 + rng.IntN(3)
	case Refuse:
		f.ThenCut = false // those that were there would come back at once
	}
	return f
}
