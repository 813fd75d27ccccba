package embedded

import (
	"strconv"
	"strings"
	"time"

	"github.com/larder-go/larder/conn"
)

// The commands about the expiry of hash fields, of Redis 7.4 and 8.0. They are
// executed here: see fieldLives.
var fieldCommands = []command{
	{name: "hexpire", arity: -6, flags: write, first: 1, last: 1, run: expireFields(time.Second, false)},
	{name: "hexpireat", arity: -6, flags: write, first: 1, last: 1, run: expireFields(time.Second, true)},
	{name: "hexpiretime", arity: -5, flags: read, first: 1, last: 1, run: fieldLife(func(_, at int64) int64 { return (at + 999) / 1000 })},
	{name: "hgetdel", arity: -5, flags: write, first: 1, last: 1, run: runHGetDel},
	{name: "hgetex", arity: -5, flags: write, first: 1, last: 1, run: runHGetEx},
	{name: "hpersist", arity: -5, flags: write, first: 1, last: 1, run: runHPersist},
	{name: "hpexpire", arity: -6, flags: write, first: 1, last: 1, run: expireFields(time.Millisecond, false)},
	{name: "hpexpireat", arity: -6, flags: write, first: 1, last: 1, run: expireFields(time.Millisecond, true)},
	{name: "hpexpiretime", arity: -5, flags: read, first: 1, last: 1, run: fieldLife(func(_, at int64) int64 { return at })},
	{name: "hpttl", arity: -5, flags: read, first: 1, last: 1, run: fieldLife(func(now, at int64) int64 { return at - now })},
	{name: "hsetex", arity: -6, flags: write | grow, first: 1, last: 1, run: runHSetEx},
	{name: "httl", arity: -5, flags: read, first: 1, last: 1, run: fieldLife(func(now, at int64) int64 { return (at - now + 999) / 1000 })},
}

// What these commands answer for a field.
const (
	fieldMissing   = -2
	fieldForever   = -1
	fieldUntouched = 0
	fieldChanged   = 1
	fieldDeleted   = 2
)

// maxFieldLife is the largest point in time that Redis accepts, in Unix
// milliseconds.
const maxFieldLife = 1<<48 - 2

const errSyntax = "ERR syntax error"

// fieldsIn reads FIELDS, their number and the fields, which begin at args[at],
// each of width arguments.
func fieldsIn(args []string, at, width int) (fields []string, why string) {
	if at+1 >= len(args) || !strings.EqualFold(args[at], "FIELDS") {
		return nil, "ERR Mandatory argument FIELDS is missing or not at the right position"
	}
	n, err := strconv.Atoi(args[at+1])
	switch {
	case err != nil || n <= 0:
		return nil, "ERR Parameter `numFields` should be greater than 0"
	case n != (len(args)-at-2)/width || (len(args)-at-2)%width != 0:
		return nil, "ERR The `numfields` parameter must match the number of arguments"
	}
	return args[at+2:], ""
}

// moment reads a lifetime or point in time and returns it in Unix milliseconds.
func (e *Engine) moment(name, arg string, unit time.Duration, absolute bool) (ms int64, why string) {
	n, err := strconv.ParseInt(arg, 10, 64)
	per := int64(unit / time.Millisecond)
	switch {
	case err != nil:
		return 0, "ERR value is not an integer or out of range"
	case n < 0:
		return 0, "ERR invalid expire time, must be >= 0"
	case n > maxFieldLife/per:
		return 0, "ERR invalid expire time in '" + name + "' command"
	}
	if ms = n * per; !absolute {
		ms += e.now.UnixMilli()
	}
	if ms > maxFieldLife {
		return 0, "ERR invalid expire time in '" + name + "' command"
	}
	return ms, ""
}

// numbers is a reply of one number for each field.
func numbers(n int) conn.Value {
	v := conn.Value{Kind: conn.Array, Elems: make([]conn.Value, n)}
	for i := range v.Elems {
		v.Elems[i].Kind = conn.Int
	}
	return v
}

// expireFields makes HEXPIRE and its kind.
func expireFields(unit time.Duration, absolute bool) func(*Engine, *call, []string) reply {
	return func(e *Engine, _ *call, args []string) reply {
		key, condition, at := args[1], "", 3
		switch word := strings.ToUpper(args[3]); word {
		case "NX", "XX", "GT", "LT":
			condition, at = word, 4
		}
		fields, why := fieldsIn(args, at, 1)
		if why != "" {
			return failure(why)
		}
		ms, why := e.moment(strings.ToLower(args[0]), args[2], unit, absolute)
		if why != "" {
			return failure(why)
		}
		e.expireLocked([]string{key})
		values, failed := e.hashFieldsLocked(key, fields)
		if values == nil {
			return failed
		}
		out, changed := numbers(len(fields)), false
		for i, field := range fields {
			switch {
			case values[i].IsNil() || !e.hasFieldLocked(key, field):
				out.Elems[i].Int = fieldMissing
			case !e.conditionHolds(condition, key, field, ms):
				out.Elems[i].Int = fieldUntouched
			default:
				out.Elems[i].Int = e.endFieldLocked(key, field, ms)
				changed = true
			}
		}
		if changed {
			e.invalidateLocked(key)
		}
		return out
	}
}

// hasFieldLocked tells whether the field is still there: one command may name it
// twice.
func (e *Engine) hasFieldLocked(key, field string) bool {
	return e.wire.call([]string{"HEXISTS", key, field}, true).Int == 1
}

func (e *Engine) conditionHolds(condition, key, field string, ms int64) bool {
	old, ok := e.fields.at(key, field)
	switch condition {
	case "NX":
		return !ok
	case "XX":
		return ok
	case "GT":
		return ok && ms > old
	case "LT":
		return !ok || ms < old
	}
	return true
}

// endFieldLocked sets a field's deadline, or deletes the field if that is past.
func (e *Engine) endFieldLocked(key, field string, ms int64) int64 {
	if ms <= e.now.UnixMilli() {
		e.deleteFieldsLocked([]string{"HDEL", key, field})
		return fieldDeleted
	}
	e.setFieldDeadlineLocked(key, field, ms)
	return fieldChanged
}

// fieldLife makes HTTL and its kind; of tells what to answer for a deadline.
func fieldLife(of func(now, at int64) int64) func(*Engine, *call, []string) reply {
	return func(e *Engine, x *call, args []string) reply {
		key := args[1]
		fields, why := fieldsIn(args, 2, 1)
		if why != "" {
			return failure(why)
		}
		e.expireLocked([]string{key})
		if x.tracker != nil {
			e.trackLocked(x.tracker, []string{key})
		}
		values, failed := e.hashFieldsLocked(key, fields)
		if values == nil {
			return failed
		}
		out := numbers(len(fields))
		for i, field := range fields {
			at, ok := e.fields.at(key, field)
			switch {
			case values[i].IsNil():
				out.Elems[i].Int = fieldMissing
			case !ok:
				out.Elems[i].Int = fieldForever
			default:
				out.Elems[i].Int = of(e.now.UnixMilli(), at)
			}
		}
		return out
	}
}

func runHPersist(e *Engine, _ *call, args []string) reply {
	key := args[1]
	fields, why := fieldsIn(args, 2, 1)
	if why != "" {
		return failure(why)
	}
	e.expireLocked([]string{key})
	values, failed := e.hashFieldsLocked(key, fields)
	if values == nil {
		return failed
	}
	out, changed := numbers(len(fields)), false
	for i, field := range fields {
		switch {
		case values[i].IsNil():
			out.Elems[i].Int = fieldMissing
		case e.fields.clear(key, field):
			out.Elems[i].Int = fieldChanged
			changed = true
		default:
			out.Elems[i].Int = fieldForever
		}
	}
	if changed {
		e.invalidateLocked(key)
	}
	return out
}
