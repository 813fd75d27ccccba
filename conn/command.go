package conn

// Command is one Redis command. Arguments are binary-safe.
type Command struct {
	// Args holds the command's name and its arguments.
	Args []string
	// KeyAt is the index in Args of a key that decides which node of a cluster
	// executes the command; 0 means that any node will do.
	KeyAt int
}

// Key is a Command whose first argument is its key: Key("GET", "a").
func Key(name, key string, args ...string) Command {
	a := make([]string, 0, 2+len(args))
	a = append(a, name, key)
	return Command{Args: append(a, args...), KeyAt: 1}
}

// Cmd is a Command without a key: Cmd("PING").
func Cmd(name string, args ...string) Command {
	a := make([]string, 0, 1+len(args))
	a = append(a, name)
	return Command{Args: append(a, args...)}
}

// Name is the command's name as given, or "" for an empty command.
func (c Command) Name() string {
	if len(c.Args) == 0 {
		return ""
	}
	return c.Args[0]
}

// Key is the key that KeyAt points to, and whether there is one.
func (c Command) Key() (string, bool) {
	if c.KeyAt <= 0 || c.KeyAt >= len(c.Args) {
		return "", false
	}
	return c.Args[c.KeyAt], true
}

// Result is the outcome of one command of a pipeline.
type Result struct {
	Value Value
	Err   error
}
