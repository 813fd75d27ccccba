package embedded

import (
	"strconv"
	"strings"

	"github.com/larder-go/larder/conn"
	"github.com/larder-go/larder/embedded/internal/sandbox"
)

// maxScripts bounds the compiled scripts; any may be forgotten beyond it.
const maxScripts = 1000

// evalLocked runs a script whose text is known.
func (e *Engine) evalLocked(x *call, s *conn.Script, keys, args []string, readOnly bool) reply {
	p, why := e.compileLocked(s)
	if p == nil {
		return why
	}
	return e.runLocked(x, p, keys, args, readOnly)
}

func (e *Engine) compileLocked(s *conn.Script) (*sandbox.Program, reply) {
	if p := e.scripts[s.Digest()]; p != nil {
		return p, reply{}
	}
	p, err := sandbox.Compile(s)
	if err != nil {
		return nil, failure(err.Error())
	}
	if len(e.scripts) >= maxScripts {
		for digest := range e.scripts {
			delete(e.scripts, digest)
			break
		}
	}
	e.scripts[s.Digest()] = p
	return p, reply{}
}

func (e *Engine) runLocked(x *call, p *sandbox.Program, keys, args []string, readOnly bool) reply {
	h := scriptHost{e: e, x: call{ctx: x.ctx, tracker: x.tracker, script: true}}
	v, err := e.lua.Run(x.ctx, p, sandbox.Run{
		Keys: keys, Args: args, Host: &h, ReadOnly: readOnly,
		Limit: e.opts.ScriptTimeout, End: e.done,
	})
	x.stopped = err
	return v
}

// scriptHost executes the commands of one script.
type scriptHost struct {
	e *Engine
	x call
}

// Command implements sandbox.Host.
func (h *scriptHost) Command(args []string, resp3 bool, permit sandbox.Permit) conn.Value {
	h.e.stats.commands++
	c := lookup(args[0])
	switch {
	case c == nil:
		return failure("ERR Unknown Redis command called from script")
	case c.is(noScript):
		return failure("ERR This Redis command is not allowed from script")
	case !c.arityOK(len(args)):
		return failure("ERR Wrong number of args calling Redis command from script")
	case permit.NoWrites && (c.is(write) || c.is(publish)):
		return failure("ERR Write commands are not allowed from read-only scripts.")
	}
	if c.is(write) || c.is(publish) {
		h.e.lua.Wrote()
	}
	h.x.resp2, h.x.permit = !resp3, permit
	return h.e.executeKnownLocked(&h.x, c, args)
}

// Log implements sandbox.Host. Nobody reads the log of an embedded engine.
func (h *scriptHost) Log(int, string) {}

func runEval(e *Engine, x *call, args []string) reply   { return e.runTextLocked(x, args, false) }
func runEvalRO(e *Engine, x *call, args []string) reply { return e.runTextLocked(x, args, true) }

func runEvalSHA(e *Engine, x *call, args []string) reply { return e.runDigestLocked(x, args, false) }

func runEvalSHARO(e *Engine, x *call, args []string) reply { return e.runDigestLocked(x, args, true) }

func (e *Engine) runTextLocked(x *call, args []string, readOnly bool) reply {
	keys, rest, why := scriptArguments(args)
	if why != "" {
		return failure(why)
	}
	return e.evalLocked(x, conn.NewScript(args[1]), keys, rest, readOnly)
}

func (e *Engine) runDigestLocked(x *call, args []string, readOnly bool) reply {
	keys, rest, why := scriptArguments(args)
	if why != "" {
		return failure(why)
	}
	p := e.scripts[strings.ToLower(args[1])]
	if p == nil {
		return failure("NOSCRIPT No matching script. Please use EVAL.")
	}
	return e.runLocked(x, p, keys, rest, readOnly)
}

func scriptArguments(args []string) (keys, rest []string, why string) {
	n, err := strconv.Atoi(args[2])
	switch {
	case err != nil:
		return nil, nil, "ERR value is not an integer or out of range"
	case n < 0:
		return nil, nil, "ERR Number of keys can't be negative"
	case n > len(args)-3:
		return nil, nil, "ERR Number of keys can't be greater than number of args"
	}
	return args[3 : 3+n], args[3+n:], ""
}

func runScript(e *Engine, _ *call, args []string) reply {
	switch sub := strings.ToUpper(args[1]); {
	case sub == "LOAD" && len(args) == 3:
		p, why := e.compileLocked(conn.NewScript(args[2]))
		if p == nil {
			return why
		}
		return bulk(p.Digest())
	case sub == "EXISTS" && len(args) > 2:
		list := conn.Value{Kind: conn.Array}
		for _, digest := range args[2:] {
			known := 0
			if e.scripts[strings.ToLower(digest)] != nil {
				known = 1
			}
			list.Elems = append(list.Elems, integer(known))
		}
		return list
	case sub == "FLUSH" && len(args) <= 3:
		clear(e.scripts)
		return ok()
	}
	return failure("ERR unknown subcommand or wrong number of arguments for 'script'; LOAD, EXISTS and FLUSH are known")
}
