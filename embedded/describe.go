package embedded

import (
	"slices"
	"strings"

	"github.com/larder-go/larder/conn"
)

// runCommand answers COMMAND as Redis 7 does, about the commands that the
// engine executes. Categories, tips and key specifications are left empty.
func runCommand(_ *Engine, _ *call, args []string) reply {
	sub := ""
	if len(args) > 1 {
		sub = strings.ToUpper(args[1])
	}
	known := offered()
	switch {
	case sub == "" || sub == "INFO" && len(args) == 2:
		list := conn.Value{Kind: conn.Array, Elems: make([]conn.Value, len(known))}
		for i, c := range known {
			list.Elems[i] = described(c)
		}
		return list
	case sub == "INFO":
		list := conn.Value{Kind: conn.Array, Elems: make([]conn.Value, len(args)-2)}
		for i, name := range args[2:] {
			if c := lookup(name); c != nil && slices.Contains(known, c) {
				list.Elems[i] = described(c)
			}
		}
		return list
	case sub == "COUNT" && len(args) == 2:
		return integer(len(known))
	case sub == "LIST" && len(args) == 2:
		list := conn.Value{Kind: conn.Array, Elems: make([]conn.Value, len(known))}
		for i, c := range known {
			list.Elems[i] = bulk(c.name)
		}
		return list
	case sub == "GETKEYS" && len(args) > 2:
		c := lookup(args[2])
		switch {
		case c == nil:
			return failure("ERR Invalid command specified")
		case !c.arityOK(len(args) - 2):
			return failure("ERR Invalid number of arguments specified for command")
		}
		keys := c.keysOf(args[2:])
		if len(keys) == 0 {
			return failure("ERR The command has no key arguments")
		}
		list := conn.Value{Kind: conn.Array, Elems: make([]conn.Value, len(keys))}
		for i, k := range keys {
			list.Elems[i] = bulk(k)
		}
		return list
	}
	return failure("ERR unknown subcommand or wrong number of arguments for 'command'; COUNT, GETKEYS, INFO and LIST are known")
}

// offered are the commands that are not refused whatever their arguments, in
// alphabetical order.
func offered() []*command {
	list := make([]*command, 0, len(commands))
	for _, c := range commands {
		if !c.is(noQueue) {
			list = append(list, c)
		}
	}
	slices.SortFunc(list, func(a, b *command) int { return strings.Compare(a.name, b.name) })
	return list
}

// described is a command's row in the reply to COMMAND.
func described(c *command) conn.Value {
	set := func(words ...string) conn.Value {
		v := conn.Value{Kind: conn.Set}
		for _, w := range words {
			v.Elems = append(v.Elems, conn.Value{Kind: conn.Status, Str: w})
		}
		return v
	}
	var words []string
	for _, f := range []struct {
		is   bool
		word string
	}{
		{c.is(write), "write"},
		{c.is(read) || strings.HasSuffix(c.name, "_ro"), "readonly"},
		{c.is(grow), "denyoom"},
		{c.is(publish), "pubsub"},
		{c.is(noScript), "noscript"},
		{c.keys != nil, "movablekeys"},
	} {
		if f.is {
			words = append(words, f.word)
		}
	}
	step := c.step
	if c.first > 0 && step == 0 {
		step = 1
	}
	none := conn.Value{Kind: conn.Array}
	return conn.Value{Kind: conn.Array, Elems: []conn.Value{
		bulk(c.name), integer(c.arity), set(words...), integer(c.first), integer(c.last), integer(step),
		set(), none, none, none,
	}}
}
