package embedded

import (
	"strings"
	"time"

	"github.com/larder-go/larder/conn"
)

// fieldOptions are what HGETEX and HSETEX say about lives.
type fieldOptions struct {
	at        int // index of FIELDS
	condition string
	given     bool  // a point in time
	ms        int64 // it, in Unix milliseconds
	persist   bool
	keep      bool
}

// fieldOptionsIn reads what stands between the key and FIELDS. set tells that it
// is HSETEX, which knows other words.
func (e *Engine) fieldOptionsIn(args []string, set bool) (o fieldOptions, why string) {
	name, chosen := strings.ToLower(args[0]), 0
	for o.at = 2; o.at < len(args) && !strings.EqualFold(args[o.at], "FIELDS"); o.at++ {
		word := strings.ToUpper(args[o.at])
		switch {
		case set && (word == "FNX" || word == "FXX"):
			if o.condition != "" {
				return o, errSyntax
			}
			o.condition = word
			continue
		case set && word == "KEEPTTL":
			o.keep = true
		case !set && word == "PERSIST":
			o.persist = true
		case word == "EX" || word == "PX" || word == "EXAT" || word == "PXAT":
			if o.at++; o.at >= len(args) {
				return o, errSyntax
			}
			unit := time.Second
			if word[0] == 'P' {
				unit = time.Millisecond
			}
			o.given = true
			if o.ms, why = e.moment(name, args[o.at], unit, len(word) == 4); why != "" {
				return o, why
			}
		default:
			return o, errSyntax
		}
		if chosen++; chosen > 1 {
			return o, errSyntax
		}
	}
	return o, ""
}

func runHGetEx(e *Engine, _ *call, args []string) reply {
	key := args[1]
	o, why := e.fieldOptionsIn(args, false)
	if why != "" {
		return failure(why)
	}
	fields, why := fieldsIn(args, o.at, 1)
	if why != "" {
		return failure(why)
	}
	e.expireLocked([]string{key})
	values, failed := e.hashFieldsLocked(key, fields)
	if values == nil {
		return failed
	}
	changed := false
	for i, field := range fields {
		switch {
		case values[i].IsNil():
		case o.persist:
			changed = e.fields.clear(key, field) || changed
		case o.given && e.hasFieldLocked(key, field):
			e.endFieldLocked(key, field, o.ms)
			changed = true
		}
	}
	if changed {
		e.invalidateLocked(key)
	}
	return conn.Value{Kind: conn.Array, Elems: values}
}

func runHGetDel(e *Engine, _ *call, args []string) reply {
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
	found := []string{"HDEL", key}
	for i, field := range fields {
		if values[i].IsNil() {
			continue
		}
		for j := range i { // named twice: the first one has taken it
			if fields[j] == field {
				values[i] = conn.Value{}
			}
		}
		found = append(found, field)
	}
	if len(found) > 2 {
		e.deleteFieldsLocked(found)
	}
	return conn.Value{Kind: conn.Array, Elems: values}
}

func runHSetEx(e *Engine, x *call, args []string) reply {
	key := args[1]
	o, why := e.fieldOptionsIn(args, true)
	if why != "" {
		return failure(why)
	}
	pairs, why := fieldsIn(args, o.at, 2)
	if why != "" {
		return failure(why)
	}
	if why := e.tooLargeLocked(lookup("HSETEX"), args); why != "" {
		return failure(why)
	}
	e.expireLocked([]string{key})
	fields := make([]string, 0, len(pairs)/2)
	for i := 0; i < len(pairs); i += 2 {
		fields = append(fields, pairs[i])
	}
	values, failed := e.hashFieldsLocked(key, fields)
	if values == nil {
		return failed
	}
	for _, v := range values {
		if o.condition == "FNX" && !v.IsNil() || o.condition == "FXX" && v.IsNil() {
			return integer(0)
		}
	}
	if !x.permit.AllowOOM && e.fullLocked([]string{key}) {
		return failure(e.fullText())
	}
	e.wire.call(append([]string{"HSET", key}, pairs...), true)
	for _, field := range fields {
		switch {
		case o.given && e.hasFieldLocked(key, field):
			e.endFieldLocked(key, field, o.ms)
		case !o.given && !o.keep:
			e.fields.clear(key, field)
		}
	}
	e.invalidateLocked(key)
	return integer(1)
}
