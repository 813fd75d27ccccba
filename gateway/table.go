package gateway

import (
	"context"
	"strings"
	"time"

	"github.com/larder-go/larder/conn"
)

const (
	// maxName bounds what may be a command's name, in bytes.
	maxName = 64
	// tableAge is how old the table is when an unknown name makes it be read
	// again: a server may have been upgraded, or a module loaded.
	tableAge = 10 * time.Second
)

// command is what the gateway knows about one command of the server.
type command struct {
	name  string // lower case
	upper string
	// arity counts the name too; negative means at least.
	arity  int
	flags  flags
	family family
	// first, last and step are positions of keys; a negative last counts from
	// the end. No keys if first is 0.
	first, last, step int
	keys              keyFinder // of those whose positions depend on the arguments
	subs              map[string]*command
	dialect           *dialect // nil for most
	shape             shape
	// refused and readable are what permission.go decides for the command, or
	// for the subcommand where this is one.
	refused, readable bool
}

// flags are the ones of COMMAND that matter here.
type flags uint8

const (
	readonly flags = 1 << iota
	blocking
	admin
	pubsub
	movable // its keys are found by a keyFinder, or by asking the server
)

var flagNames = map[string]flags{
	"readonly": readonly, "blocking": blocking, "admin": admin, "pubsub": pubsub, "movablekeys": movable,
}

// table is what the server's COMMAND says.
type table struct {
	commands map[string]*command // by name in lower and in upper case
	read     time.Time
}

func (t *table) lookup(name string) *command {
	if c := t.commands[name]; c != nil || len(name) > maxName {
		return c
	}
	return t.commands[strings.ToLower(name)]
}

// commands returns the table, which the first request reads.
func (g *Gateway) commands(ctx context.Context) (*table, error) {
	if t := g.table.Load(); t != nil {
		return t, nil
	}
	return g.readTable(ctx, nil)
}

// readTable replaces the table old, unless somebody else just has.
func (g *Gateway) readTable(ctx context.Context, old *table) (*table, error) {
	select {
	case g.reading <- struct{}{}:
		defer func() { <-g.reading }()
	case <-ctx.Done():
		return nil, &conn.Error{Op: "COMMAND", Err: ctx.Err()}
	}
	if t := g.table.Load(); t != old {
		return t, nil
	}
	v, err := g.c.Do(ctx, conn.Cmd("COMMAND"))
	if err != nil {
		return nil, err
	}
	t := newTable(v)
	g.table.Store(t)
	return t, nil
}

// find looks a command up. Unknown names make an old table be read again.
func (g *Gateway) find(ctx context.Context, name string) (*command, error) {
	t, err := g.commands(ctx)
	if err != nil {
		return nil, err
	}
	c := t.lookup(name)
	if c == nil && len(name) <= maxName && time.Since(t.read) > tableAge {
		if t, err = g.readTable(ctx, t); err != nil {
			return nil, err
		}
		c = t.lookup(name)
	}
	return c, nil
}

func newTable(v conn.Value) *table {
	t := &table{commands: make(map[string]*command, 2*len(v.Elems)), read: time.Now()}
	for _, e := range v.Elems {
		if c := newCommand(e); c != nil {
			t.add(c)
		}
	}
	// Answered by the gateway whether the server has them or not.
	for name, d := range dialects {
		if d.local && t.commands[name] == nil {
			t.add(&command{name: name, upper: strings.ToUpper(name), arity: -1, dialect: d, readable: harmless[name]})
		}
	}
	return t
}

func (t *table) add(c *command) {
	t.commands[c.name], t.commands[c.upper] = c, c
}

// newCommand reads a row of COMMAND; one that makes no sense is left out.
func newCommand(v conn.Value) *command {
	if len(v.Elems) < 6 {
		return nil
	}
	name, err := v.Elems[0].Text()
	if err != nil || name == "" {
		return nil
	}
	name = strings.ToLower(name)
	c := &command{
		name: name, upper: strings.ToUpper(name),
		arity: int(v.Elems[1].Int),
		first: int(v.Elems[3].Int), last: int(v.Elems[4].Int), step: max(1, int(v.Elems[5].Int)),
		family: familyOf(name),
		keys:   keyFinders[name], dialect: dialects[name], shape: shapes[name],
	}
	for _, f := range v.Elems[2].Elems {
		c.flags |= flagNames[f.Str]
	}
	if len(v.Elems) > 9 {
		for _, e := range v.Elems[9].Elems {
			sub := newCommand(e)
			if sub == nil {
				continue
			}
			if c.subs == nil {
				c.subs = make(map[string]*command)
			}
			_, short, _ := strings.Cut(sub.name, "|")
			sub.refused, sub.readable = refused(c, sub, c.dialect), readable(c, sub)
			c.subs[short] = sub
		}
	}
	c.refused, c.readable = refused(c, c, c.dialect), readable(c, c)
	return c
}

func (c *command) arityOK(n int) bool {
	if c.arity < 0 {
		return n >= -c.arity
	}
	return n == c.arity
}

// sub is the subcommand that args name, or c itself where there are none.
func (c *command) sub(args []string) *command {
	if len(c.subs) == 0 || len(args) < 2 || len(args[1]) > maxName {
		return c
	}
	if s := c.subs[strings.ToLower(args[1])]; s != nil {
		return s
	}
	return c
}
