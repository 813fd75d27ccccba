package embedded

import (
	"maps"
	"time"

	"github.com/larder-go/larder/conn"
)

// fieldLives knows when fields of hashes expire, which miniredis does not. Every
// command looks at the hashes it names before it is executed, and is looked at
// afterwards for what it has made of them.
type fieldLives struct {
	byKey map[string]map[string]int64 // Unix milliseconds, by key and field
	// queue has each key's earliest field, or a moment before it.
	queue deadlines
}

// at returns when a field expires, in Unix milliseconds.
func (l *fieldLives) at(key, field string) (ms int64, ok bool) {
	ms, ok = l.byKey[key][field]
	return ms, ok
}

func (l *fieldLives) forget(key string) {
	if l.byKey[key] != nil {
		delete(l.byKey, key)
		l.queue.remove(key)
	}
}

// clear takes a field's deadline away and tells whether it had one. The queue
// may now be too early, which costs one look.
func (l *fieldLives) clear(key, field string) bool {
	fields := l.byKey[key]
	if _, ok := fields[field]; !ok {
		return false
	}
	if delete(fields, field); len(fields) == 0 {
		l.forget(key)
	}
	return true
}

// setFieldDeadlineLocked lets a field expire at ms.
func (e *Engine) setFieldDeadlineLocked(key, field string, ms int64) {
	l := &e.fields
	if l.byKey == nil {
		l.byKey = map[string]map[string]int64{}
	}
	fields := l.byKey[key]
	if fields == nil {
		fields = map[string]int64{}
		l.byKey[key] = fields
	}
	fields[field] = ms
	e.queueFieldsLocked(key)
}

// queueFieldsLocked puts a key where its earliest field belongs.
func (e *Engine) queueFieldsLocked(key string) {
	first := int64(0)
	for _, ms := range e.fields.byKey[key] {
		if first == 0 || ms < first {
			first = ms
		}
	}
	if first == 0 {
		e.fields.forget(key)
		return
	}
	at := time.UnixMilli(first)
	e.fields.queue.set(key, at)
	e.wakeAtLocked(at)
}

// expireFieldsLocked removes the fields of keys that are due.
func (e *Engine) expireFieldsLocked(keys []string) {
	if e.fields.queue.len() == 0 {
		return
	}
	for _, k := range keys {
		if left, ok := e.fields.queue.left(k, e.now); ok && left <= 0 {
			e.removeFieldsLocked(k)
		}
	}
}

// expireAllFieldsLocked removes due fields of up to most keys and returns of how many.
func (e *Engine) expireAllFieldsLocked(most int) int {
	for n := range most {
		key, at, ok := e.fields.queue.next()
		if !ok || at > e.now.UnixNano() {
			return n
		}
		e.removeFieldsLocked(key)
	}
	return most
}

// removeFieldsLocked removes the due fields of one key.
func (e *Engine) removeFieldsLocked(key string) {
	now := e.now.UnixMilli()
	due := []string{"HDEL", key}
	for field, ms := range e.fields.byKey[key] {
		if ms <= now {
			due = append(due, field)
		}
	}
	if len(due) > 2 {
		e.deleteFieldsLocked(due)
		e.stats.expired += uint64(len(due) - 2)
	}
	e.queueFieldsLocked(key)
}

// deleteFieldsLocked executes an HDEL; the key goes with its last field.
func (e *Engine) deleteFieldsLocked(hdel []string) {
	key := hdel[1]
	for _, field := range hdel[2:] {
		e.fields.clear(key, field)
	}
	e.wire.call(hdel, true)
	if !e.db.Exists(key) {
		e.deadlines.remove(key)
	}
	e.invalidateLocked(key)
}

// settleFieldsLocked records what a write has made of the fields' lives.
func (e *Engine) settleFieldsLocked(c *command, args, changed []string) {
	if len(e.fields.byKey) == 0 {
		return
	}
	switch c.name {
	case "rename", "renamenx":
		if args[1] != args[2] {
			e.passFieldsOnLocked(args[1], args[2], true)
		}
		return
	case "copy":
		e.passFieldsOnLocked(args[1], args[2], false)
		return
	}
	for _, k := range changed {
		fields := e.fields.byKey[k]
		if fields == nil {
			continue
		}
		if c.name == "restore" || e.db.Type(k) != "hash" {
			e.fields.forget(k)
			continue
		}
		switch c.name {
		case "hset", "hmset":
			for i := 2; i < len(args); i += 2 {
				e.fields.clear(k, args[i])
			}
		case "hdel":
			for _, field := range args[2:] {
				e.fields.clear(k, field)
			}
		}
	}
}

// passFieldsOnLocked gives the lives of one key's fields to another key.
func (e *Engine) passFieldsOnLocked(from, to string, move bool) {
	fields := e.fields.byKey[from]
	e.fields.forget(to)
	if fields == nil {
		return
	}
	if move {
		e.fields.forget(from)
	} else {
		fields = maps.Clone(fields)
	}
	e.fields.byKey[to] = fields
	e.queueFieldsLocked(to)
}

// hashFieldsLocked reads fields for a command of our own: their values, or the
// failure if key holds no hash. Absent fields and keys give nil values.
func (e *Engine) hashFieldsLocked(key string, fields []string) (values []conn.Value, failed reply) {
	v := e.wire.call(append([]string{"HMGET", key}, fields...), true)
	if v.Kind == conn.Failure {
		return nil, v
	}
	return v.Elems, reply{}
}
