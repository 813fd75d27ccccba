package conn

import "context"

// NodeDoer executes commands on one chosen node, for those that are about a
// node and not about a key: DBSIZE, SCAN, FLUSHALL, SCRIPT LOAD. A Conn whose
// [Capabilities].Cluster is true implements it too.
type NodeDoer interface {
	// Nodes names the masters that hold keys, in alphabetical order. The list
	// changes with the cluster.
	Nodes() []string
	// DoAt executes a command without a key on a node that Nodes has named. For
	// one that is gone it returns an error that is [ErrUnavailable].
	DoAt(ctx context.Context, node string, cmd Command) (Value, error)
}

// Monitorer watches what a server executes. A Conn may implement it too.
type Monitorer interface {
	// Monitor calls fn with every command that the server executes, in a cluster
	// every master, as a line of Redis' MONITOR:
	//
	//	1339518083.107412 [0 127.0.0.1:60866] "keys" "*"
	//
	// The server leaves passwords out, values not. Lines that are too long are
	// cut and end in "...". ready, if not nil, is called once, when the server has
	// confirmed. Monitor returns as [Subscriber].Subscribe does: with ctx's error,
	// or with one that is [ErrUnavailable] when a connection is lost. fn must not
	// block for long, and is never called by two goroutines at a time.
	Monitor(ctx context.Context, ready func(), fn func(line string)) error
}
