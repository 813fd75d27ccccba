package conn

import "context"

// Conn is a handle on one Redis server, cluster or embedded engine.
// It is what features are given; it may hold many network connections.
type Conn interface {
	Doer
	Pipeliner
	Evaler
	Scanner
	Subscriber

	// Tracker returns the part that reads with invalidation pushes, and
	// whether there is one: see [Capabilities.Tracking]. All callers share it.
	Tracker() (Tracker, bool)

	// Incarnation names the life of the node that holds key: it changes when
	// the node restarts, is replaced by a replica, or changes its role, so that
	// data which was there before cannot be taken for current. It is the first
	// 8 bytes, big-endian, of the SHA-1 of the node's run_id followed by its
	// master_replid. False means that it is not known at the moment.
	// It does not block.
	Incarnation(key string) (id uint64, known bool)

	// Capabilities tells what the server behind the handle can do. It is
	// constant for the life of the handle.
	Capabilities() Capabilities

	// Close ends all connections and subscriptions and waits for the goroutines
	// that the handle owns. Calls in flight fail with [ErrClosed].
	// A second Close does nothing.
	Close() error
}

// Doer executes one command.
type Doer interface {
	// Do sends cmd and waits for its reply. A nil reply is a Value of kind
	// [Nil], not an error.
	Do(ctx context.Context, cmd Command) (Value, error)
}

// Pipeliner executes several commands in one round trip per node.
type Pipeliner interface {
	// Pipeline returns one Result per command, in the order of cmds. It is not
	// atomic: some commands may succeed where others fail.
	//
	// What stands between MULTI and EXEC in one call is a transaction: nobody
	// else's command is executed in between, and the Result of EXEC is an Array
	// with the replies, failures included. If the server refuses one of the
	// commands when it is queued, EXEC fails with EXECABORT and nothing is
	// executed. MULTI without EXEC is an error; so are keys of several slots of
	// a cluster.
	Pipeline(ctx context.Context, cmds ...Command) []Result
}

// Evaler executes scripts, by digest first and by text where the server does
// not know the digest.
type Evaler interface {
	// Eval runs s. All keys must lie in one slot of a cluster. The slices are the
	// caller's again when it has returned.
	Eval(ctx context.Context, s *Script, keys, args []string) (Value, error)
	// EvalEach runs s once per call, in one round trip per node where the
	// server knows the script.
	EvalEach(ctx context.Context, s *Script, calls ...ScriptCall) []Result
}

// ScriptCall is one execution of a script.
type ScriptCall struct {
	Keys, Args []string
}

// Scanner walks the keyspace.
type Scanner interface {
	// Scan calls fn with batches of the keys that match the glob pattern, on
	// every master. Keys that are present for the whole walk are reported at
	// least once; others may be. It stops at the first error, fn's included.
	Scan(ctx context.Context, pattern string, fn func(keys []string) error) error
}

// Subscriber receives published messages.
type Subscriber interface {
	// Subscribe calls fn for every message until ctx ends (it then returns
	// ctx's error) or the connection is lost (it then returns an error that is
	// [ErrUnavailable]; messages published until the next Subscribe are missed).
	// fn must not block for long: messages queue up behind it.
	Subscribe(ctx context.Context, s Subscription, fn func(Message)) error
}

// Subscription says what to listen to. Exactly one of the three lists is set.
type Subscription struct {
	// Channels are exact names (SUBSCRIBE).
	Channels []string
	// Patterns are globs (PSUBSCRIBE).
	Patterns []string
	// Sharded are exact names of sharded channels (SSUBSCRIBE), all in one slot.
	Sharded []string
	// Ready, if set, is called once, when the server has confirmed all of them.
	Ready func()
}

// Message is one published message.
type Message struct {
	// Pattern is the glob that matched, empty for exact subscriptions.
	Pattern string
	Channel string
	Payload string
}

// Capabilities tells what the server behind a Conn can do.
type Capabilities struct {
	// Server is "redis", "valkey", "embedded" or "upstash".
	Server string
	// Version is the server's version, for example "7.0.15"; empty if unknown.
	Version string
	// Cluster is true where keys are spread over slots.
	Cluster bool
	// Tracking is true where the server pushes invalidations of read keys.
	Tracking bool
	// Blocking is true where blocking commands (BLPOP, XREAD BLOCK) work.
	Blocking bool
}
