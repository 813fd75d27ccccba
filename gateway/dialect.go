package gateway

import (
	"strings"

	"github.com/larder-go/larder/conn"
)

// dialect is where a command is not simply sent to the server.
type dialect struct {
	// local commands are answered by prepare, whether the server has them or not.
	local bool
	// guarded commands are an administrator's, but prepare lets only harmless
	// forms pass.
	guarded bool
	// anyArity commands may have fewer arguments than the server asks for.
	anyArity bool
	// prepare looks at a row before it is placed.
	prepare func(p *planner, r *row)
	// spread makes several commands of one whose keys lie in several slots.
	spread func(r *row)
}

// dialects are by lower-case name.
var dialects map[string]*dialect

func init() {
	// Assigned here because preparing looks commands up.
	dialects = map[string]*dialect{
		"select":  {local: true, prepare: prepareSelect},
		"command": {local: true, anyArity: true, prepare: prepareCommand},
		"client":  {local: true, anyArity: true, prepare: prepareClient},
		"config":  {guarded: true, prepare: prepareConfig},
		"memory":  {guarded: true, prepare: prepareMemory},

		"script":     {guarded: true, anyArity: true, prepare: prepareScript},
		"function":   {guarded: true, prepare: prepareFunction},
		"eval":       {prepare: prepareEval},
		"eval_ro":    {prepare: prepareEval},
		"evalsha":    {prepare: prepareEvalSHA},
		"evalsha_ro": {prepare: prepareEvalSHA},

		"xread":      {prepare: refuseBlock},
		"xreadgroup": {prepare: refuseBlock},
		"copy":       {prepare: prepareCopy},
		"zrange":     {prepare: prepareZRange},
		"publish":    {prepare: preparePublish},

		"scan":     {prepare: prepareScan},
		"keys":     {prepare: prepareKeys},
		"dbsize":   {prepare: prepareSum},
		"flushdb":  {prepare: prepareFlush},
		"flushall": {prepare: prepareFlush},
		"mget":     {spread: spreadMGet},
		"mset":     {spread: spreadMSet},
		"del":      {spread: spreadSum},
		"unlink":   {anyArity: true, prepare: prepareUnlink, spread: spreadSum},
		"exists":   {spread: spreadSum},
		"touch":    {spread: spreadSum},
	}
}

func okay() conn.Value { return conn.Value{Kind: conn.Status, Str: "OK"} }

func prepareSelect(_ *planner, r *row) {
	switch {
	case len(r.args) != 2:
		r.fail(wrongArity("select"))
	case r.args[1] != "0":
		r.fail(&conn.ServerError{Text: "ERR Only 0th database is supported!"})
	default:
		r.settle(okay(), nil)
	}
}

func prepareCommand(_ *planner, r *row) { r.settle(conn.Value{Kind: conn.Array}, nil) }

// prepareClient accepts what SDKs tell about themselves and forgets it: the
// connection to the server is not theirs.
func prepareClient(_ *planner, r *row) {
	if len(r.args) == 4 && strings.EqualFold(r.args[1], "SETINFO") {
		r.settle(okay(), nil)
		return
	}
	r.fail(notAvailable("CLIENT"))
}

const (
	eventsParameter = "notify-keyspace-events"
	eventsFlags     = "KEg$lshzxtedmnA"
)

func prepareConfig(p *planner, r *row) {
	if len(r.args) < 3 || !strings.EqualFold(r.args[2], eventsParameter) {
		r.fail(notAvailable("CONFIG"))
		return
	}
	switch {
	case strings.EqualFold(r.args[1], "GET") && len(r.args) == 3:
	case strings.EqualFold(r.args[1], "SET") && len(r.args) == 4:
		if strings.Trim(r.args[3], eventsFlags) != "" {
			r.fail(&conn.ServerError{Text: "ERR CONFIG SET failed: " + eventsParameter + " may consist of " + eventsFlags})
			return
		}
		p.everywhere(r, sameEverywhere)
	default:
		r.fail(notAvailable("CONFIG"))
	}
}

func prepareMemory(_ *planner, r *row) {
	if !strings.EqualFold(r.args[1], "USAGE") {
		r.fail(notAvailable("MEMORY"))
	}
}

func refuseBlock(_ *planner, r *row) {
	for _, a := range r.args[1:] {
		if strings.EqualFold(a, "STREAMS") {
			return
		}
		if strings.EqualFold(a, "BLOCK") {
			r.fail(notAvailable(r.args[0] + " BLOCK"))
			return
		}
	}
}

// prepareCopy answers a copy onto the same key with 0, where Redis fails.
func prepareCopy(_ *planner, r *row) {
	if r.args[1] == r.args[2] {
		r.settle(conn.Value{Kind: conn.Int}, nil)
	}
}

// preparePublish sends a message to the node that holds the channel's slot, where
// subscriptions to it are: the reply then counts them.
func preparePublish(p *planner, r *row) {
	if !p.atomic {
		r.keyAt = 1
	}
}

func prepareUnlink(_ *planner, r *row) {
	if len(r.args) == 1 {
		r.settle(conn.Value{Kind: conn.Int}, nil)
	}
}
