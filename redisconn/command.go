package redisconn

import (
	"errors"
	"fmt"
	"strings"

	"github.com/redis/rueidis"

	"github.com/larder-go/larder/conn"
)

var (
	errEmptyCommand = errors.New("redisconn: the command is empty")
	errSlots        = errors.New("redisconn: the keys lie in several slots of the cluster; give them one {hash tag}")
)

// build converts a command for the library, which panics on empty commands and
// on subscriptions: those are refused here. inTx says that the command stands
// between MULTI and EXEC of one pipeline.
func (c *client) build(cmd conn.Command, inTx bool) (b rueidis.Completed, blocking bool, err error) {
	if len(cmd.Args) == 0 || cmd.Args[0] == "" {
		return b, false, errEmptyCommand
	}
	if cmd.KeyAt < 0 || cmd.KeyAt >= len(cmd.Args) {
		return b, false, fmt.Errorf("redisconn: %s: KeyAt is %d; it must be an index of the %d arguments after the name, or 0 for no key",
			cmd.Name(), cmd.KeyAt, len(cmd.Args)-1)
	}
	kind := kindOf(cmd.Args)
	switch {
	case kind == refused, kind == subscription:
		return b, false, fmt.Errorf("redisconn: %s is refused: it changes the state of a shared connection", cmd.Name())
	case (kind == txBegin || kind == txEnd) && !inTx:
		return b, false, fmt.Errorf("redisconn: %s is refused outside a Pipeline that holds both MULTI and EXEC", cmd.Name())
	}
	blocking = kind == blocks && !inTx
	if blocking && c.tracking {
		return b, false, fmt.Errorf("redisconn: %s is refused: it would block all reads of a Tracker's connection", cmd.Name())
	}
	a := c.rc.B().Arbitrary(cmd.Args[:max(1, cmd.KeyAt)]...)
	if cmd.KeyAt > 0 {
		a = a.Keys(cmd.Args[cmd.KeyAt]).Args(cmd.Args[cmd.KeyAt+1:]...)
	} else {
		a = a.Args(cmd.Args[1:]...)
	}
	if blocking {
		return a.Blocking(), true, nil
	}
	return a.Build(), false, nil
}

// kind is how a command behaves on a connection that many callers share.
type kind uint8

const (
	plain        kind = iota
	blocks            // keeps its connection busy until something happens
	txBegin           // MULTI
	txEnd             // EXEC, DISCARD
	subscription      // has no ordinary reply
	refused           // changes the connection for all who share it
)

func kindOf(args []string) kind {
	name := strings.ToUpper(args[0])
	switch name {
	case "BLPOP", "BRPOP", "BRPOPLPUSH", "BLMOVE", "BLMPOP", "BZPOPMIN", "BZPOPMAX", "BZMPOP", "WAIT", "WAITAOF":
		return blocks
	case "XREAD", "XREADGROUP":
		for _, a := range args[1:] {
			switch strings.ToUpper(a) {
			case "BLOCK":
				return blocks
			case "STREAMS":
				return plain
			}
		}
	case "MULTI":
		return txBegin
	case "EXEC", "DISCARD":
		return txEnd
	case "WATCH", "UNWATCH", "SELECT", "AUTH", "HELLO", "RESET", "QUIT", "MONITOR", "SYNC", "PSYNC",
		"REPLCONF", "READONLY", "READWRITE", "ASKING":
		return refused
	case "CLIENT":
		if len(args) > 1 {
			switch strings.ToUpper(args[1]) {
			case "REPLY", "TRACKING", "CACHING", "SETNAME", "CAPA":
				return refused
			}
		}
	default:
		if strings.HasSuffix(name, "SUBSCRIBE") {
			return subscription
		}
	}
	return plain
}
