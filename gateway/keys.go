package gateway

import (
	"strconv"
	"strings"
)

// keyFinder appends the indexes of the keys in args to at.
type keyFinder func(at []int, args []string) []int

// keyFinders are for commands of whose keys COMMAND tells only that they move.
var keyFinders = map[string]keyFinder{
	"eval": counted(0, 2), "eval_ro": counted(0, 2), "evalsha": counted(0, 2), "evalsha_ro": counted(0, 2),
	"fcall": counted(0, 2), "fcall_ro": counted(0, 2),
	"zunion": counted(0, 1), "zinter": counted(0, 1), "zdiff": counted(0, 1),
	"zintercard": counted(0, 1), "sintercard": counted(0, 1), "lmpop": counted(0, 1), "zmpop": counted(0, 1),
	"zunionstore": counted(1, 2), "zinterstore": counted(1, 2), "zdiffstore": counted(1, 2),
	"xread": streams, "xreadgroup": streams,
	"sort": stored(2, "STORE"), "sort_ro": stored(2),
	"georadius": stored(4, "STORE", "STOREDIST"), "georadiusbymember": stored(4, "STORE", "STOREDIST"),
	"object": second, "xgroup": second, "xinfo": second, "memory": second,
}

// counted finds keys after their number at args[count]; target, if not 0, is the
// index of one more.
func counted(target, count int) keyFinder {
	return func(at []int, args []string) []int {
		if target > 0 && target < len(args) {
			at = append(at, target)
		}
		if count >= len(args) {
			return at
		}
		n, err := strconv.Atoi(args[count])
		if err != nil || n < 0 {
			return at // the server says what is wrong
		}
		for i := count + 1; i < len(args) && n > 0; i, n = i+1, n-1 {
			at = append(at, i)
		}
		return at
	}
}

// stored finds the key at args[1] and those that follow one of the options,
// which begin at args[from].
func stored(from int, options ...string) keyFinder {
	return func(at []int, args []string) []int {
		if len(args) > 1 {
			at = append(at, 1)
		}
		for i := from; i+1 < len(args); i++ {
			for _, o := range options {
				if strings.EqualFold(args[i], o) {
					at = append(at, i+1)
				}
			}
		}
		return at
	}
}

// streams finds the first half of what follows STREAMS.
func streams(at []int, args []string) []int {
	for i := 1; i < len(args); i++ {
		if strings.EqualFold(args[i], "STREAMS") {
			for n := (len(args) - i - 1) / 2; n > 0; n-- {
				i++
				at = append(at, i)
			}
			break
		}
	}
	return at
}

// second is for commands with a subcommand before the key.
func second(at []int, args []string) []int {
	if len(args) > 2 {
		at = append(at, 2)
	}
	return at
}

// keysOf appends the indexes of the keys in args, and tells whether that is all
// there is to know without the server.
func (c *command) keysOf(at []int, args []string) ([]int, bool) {
	switch {
	case c.keys != nil:
		return c.keys(at, args), true
	case c.first == 0 || c.first >= len(args):
		return at, c.flags&movable == 0
	}
	last := c.last
	if last < 0 {
		last += len(args)
	}
	last = min(last, len(args)-1)
	for i := c.first; i <= last; i += c.step {
		at = append(at, i)
	}
	return at, c.flags&movable == 0
}
