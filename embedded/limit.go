package embedded

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/larder-go/larder/conn"
)

// maxLifetime is what time.Duration can hold, with a margin for arithmetic;
// miniredis' multiplication would overflow beyond it.
const maxLifetime = 200 * 365 * 24 * time.Hour

func (e *Engine) fullText() string {
	return fmt.Sprintf("OOM the embedded engine holds %d keys, the most that Options.MaxKeys allows. It is for one machine and for tests; open a real Redis instead (redis://…)", e.opts.MaxKeys)
}

// fullLocked tells whether one of keys is new and there is no room for it.
func (e *Engine) fullLocked(keys []string) bool {
	if e.room >= len(keys) {
		e.room -= len(keys)
		return false
	}
	size := e.sizeLocked()
	created := 0
	for _, k := range keys {
		if !e.db.Exists(k) {
			created++
		}
	}
	e.room = max(0, e.opts.MaxKeys-size-created)
	return created > 0 && size+created > e.opts.MaxKeys
}

func (e *Engine) sizeLocked() int {
	e.expireEverythingLocked()
	n, _ := e.wire.call([]string{"DBSIZE"}, true).Int64()
	return int(n)
}

// tooLargeLocked refuses what would make a value too large. Offsets matter as
// much as arguments: they allocate everything before them.
func (e *Engine) tooLargeLocked(c *command, args []string) string {
	most := e.opts.MaxValueBytes
	for i, a := range args {
		if len(a) > most {
			return fmt.Sprintf("ERR argument %d of '%s' has %d bytes, Options.MaxValueBytes allows %d", i, c.name, len(a), most)
		}
	}
	size := 0
	switch c.name {
	case "append":
		if old, err := e.db.Get(args[1]); err == nil {
			size = len(old) + len(args[2])
		}
	case "setrange":
		size = saturated(args[2], len(args[3]))
	case "setbit":
		size = saturated(args[2], 0) / 8
	}
	if size > most {
		return fmt.Sprintf("ERR string exceeds maximum allowed size: Options.MaxValueBytes allows %d bytes", most)
	}
	return ""
}

func saturated(offset string, more int) int {
	n, err := strconv.Atoi(offset)
	if err != nil || n < 0 {
		return 0 // miniredis refuses it
	}
	if n > math.MaxInt-more {
		return math.MaxInt
	}
	return n + more
}

// normalizedLocked returns args with a lifetime that miniredis can calculate
// with: no longer than maxLifetime, and no point in time that is exactly now,
// which miniredis takes for "without end".
func (e *Engine) normalizedLocked(c *command, args []string) []string {
	at, unit, absolute := lifetimeAt(c.name, args)
	if at == 0 || at >= len(args) {
		return args
	}
	n, err := strconv.ParseInt(args[at], 10, 64)
	if err != nil {
		return args
	}
	perUnit := int64(unit / time.Millisecond)
	most := maxLifetime.Milliseconds() / perUnit
	now := int64(0)
	if absolute {
		now = e.now.UnixMilli() / perUnit
	}
	fixed := n
	switch {
	case n > now+most:
		fixed = now + most
	case n < now-most:
		fixed = now - most
	case absolute && time.UnixMilli(n*perUnit).Equal(e.now):
		fixed = n - 1
	}
	if fixed == n {
		return args
	}
	out := append([]string(nil), args...)
	out[at] = strconv.FormatInt(fixed, 10)
	return out
}

// lifetimeAt finds the argument that is a lifetime or a point in time.
func lifetimeAt(name string, args []string) (at int, unit time.Duration, absolute bool) {
	switch name {
	case "expire", "setex":
		return 2, time.Second, false
	case "pexpire", "psetex":
		return 2, time.Millisecond, false
	case "expireat":
		return 2, time.Second, true
	case "pexpireat":
		return 2, time.Millisecond, true
	case "restore":
		for _, a := range args[4:] {
			absolute = absolute || strings.EqualFold(a, "ABSTTL")
		}
		if args[2] == "0" {
			return 0, 0, false
		}
		return 2, time.Millisecond, absolute
	case "set", "getex":
		from := 2
		if name == "set" {
			from = 3
		}
		for i := from; i < len(args); i++ {
			switch a := args[i]; {
			case strings.EqualFold(a, "EX"):
				return i + 1, time.Second, false
			case strings.EqualFold(a, "PX"):
				return i + 1, time.Millisecond, false
			case strings.EqualFold(a, "EXAT"):
				return i + 1, time.Second, true
			case strings.EqualFold(a, "PXAT"):
				return i + 1, time.Millisecond, true
			}
		}
	}
	return 0, 0, false
}

func ok() reply { return conn.Value{Kind: conn.Status, Str: "OK"} }
