package embedded

import "strings"

// flag tells what a command is and does.
type flag uint16

const (
	read     flag = 1 << iota // it reads keys and changes nothing
	write                     // it may change keys
	grow                      // it may create keys: refused when the engine is full
	lifetime                  // a read that depends on the rest of a key's life
	keyspace                  // it looks at all keys
	flush                     // it removes all keys
	unless                    // a reply of 0 or nil means that nothing was changed
	publish                   // refused in read-only scripts although no write
	noScript                  // refused in scripts
	noQueue                   // refused between MULTI and EXEC
)

// written says which of a write command's keys it changes.
type written uint8

const (
	writesAll written = iota
	writesFirst
	writesLast
)

// command describes one Redis command, in the terms of Redis' COMMAND.
type command struct {
	name string // lower case
	// arity counts the name too; negative means at least.
	arity int
	flags flag
	// first, last and step are positions of keys in the arguments; a negative
	// last counts from the end. No keys if first is 0.
	first, last, step int
	changes           written
	// keys, if set, finds keys whose positions depend on the arguments.
	keys func(args []string) []string
	// run, if set, executes the command instead of miniredis.
	run func(e *Engine, x *call, args []string) reply
	// args, if set, replaces the arguments of a read for miniredis.
	args func(args []string) []string
	// shape, if set, completes miniredis' reply to what Redis answers.
	shape func(e *Engine, x *call, args []string, v reply) reply
	// refuse, if set, is why the command is not executed; it may depend on the
	// arguments, in which case it returns "" to allow it.
	refuse func(args []string) string
}

func (c *command) is(f flag) bool { return c.flags&f != 0 }

func (c *command) arityOK(n int) bool {
	if c.arity < 0 {
		return n >= -c.arity
	}
	return n == c.arity
}

// keysOf returns the keys in args. It shares args where it can.
func (c *command) keysOf(args []string) []string {
	if c.keys != nil {
		return c.keys(args)
	}
	if c.first == 0 || c.first >= len(args) {
		return nil
	}
	last := c.last
	if last < 0 {
		last += len(args)
	}
	last = min(last, len(args)-1)
	if last < c.first {
		return nil
	}
	if c.step <= 1 {
		return args[c.first : last+1]
	}
	keys := make([]string, 0, (last-c.first)/c.step+1)
	for i := c.first; i <= last; i += c.step {
		keys = append(keys, args[i])
	}
	return keys
}

// changed returns those of keys that the command may have changed.
func (c *command) changed(keys []string) []string {
	if len(keys) > 1 {
		switch c.changes {
		case writesFirst:
			return keys[:1]
		case writesLast:
			return keys[len(keys)-1:]
		}
	}
	return keys
}

// lookup finds a command by its name in any case.
func lookup(name string) *command {
	if c := commands[name]; c != nil {
		return c
	}
	if len(name) > maxName {
		return nil
	}
	return commands[strings.ToUpper(name)]
}

const maxName = 32

func unknown(name string) reply {
	if len(name) > maxName {
		name = name[:maxName]
	}
	return failure("ERR unknown command '" + name + "' (the embedded engine knows fewer commands than Redis)")
}

func wrongArity(c *command) reply {
	return failure("ERR wrong number of arguments for '" + c.name + "' command")
}
