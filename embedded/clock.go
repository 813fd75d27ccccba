package embedded

import (
	"context"
	"time"
)

const (
	// clockGrain is how late the background may be. Commands are never late:
	// they look at the deadlines of their keys.
	clockGrain = 10 * time.Millisecond
	// clockBatch is how many keys the background removes without letting
	// commands in between.
	clockBatch = 256
)

// alarm tells the background that a deadline has come before the one it waits
// for. Its field is protected by the engine's lock.
type alarm struct {
	c  chan struct{}
	at int64 // when the background wakes up, in Unix nanoseconds
}

func newAlarm() alarm { return alarm{c: make(chan struct{}, 1)} }

// setDeadlineLocked lets key expire at the given time.
func (e *Engine) setDeadlineLocked(key string, at time.Time) {
	e.deadlines.set(key, at)
	e.wakeAtLocked(at)
}

// wakeAtLocked makes the background look at the given time, if not before.
func (e *Engine) wakeAtLocked(at time.Time) {
	if at.UnixNano() < e.alarm.at {
		e.alarm.at = at.UnixNano()
		select {
		case e.alarm.c <- struct{}{}:
		default:
		}
	}
}

// expireLocked removes those of keys that are due, and due fields of the others.
func (e *Engine) expireLocked(keys []string) {
	e.expireFieldsLocked(keys)
	if e.deadlines.len() == 0 {
		return
	}
	for _, k := range keys {
		if left, ok := e.deadlines.left(k, e.now); ok && left <= 0 {
			e.removeLocked(k)
		}
	}
}

// expireAllLocked removes up to most keys that are due and returns how many.
func (e *Engine) expireAllLocked(most int) int {
	now := e.now.UnixNano()
	for n := range most {
		key, at, ok := e.deadlines.next()
		if !ok || at > now {
			return n
		}
		e.removeLocked(key)
	}
	return most
}

// expireEverythingLocked removes all keys and fields that are due.
func (e *Engine) expireEverythingLocked() {
	e.expireAllLocked(e.deadlines.len())
	e.expireAllFieldsLocked(e.fields.queue.len())
}

func (e *Engine) removeLocked(key string) {
	e.deadlines.remove(key)
	e.fields.forget(key)
	e.db.Del(key)
	e.stats.expired++
	e.invalidateLocked(key)
}

// lendLocked gives miniredis the rest of the keys' lives, from which commands
// that read, keep or compare them calculate.
func (e *Engine) lendLocked(keys []string) {
	if e.deadlines.len() == 0 {
		return
	}
	for _, k := range keys {
		if left, ok := e.deadlines.left(k, e.now); ok {
			e.db.SetTTL(k, left)
		}
	}
}

// settleLocked records what a command has made of the keys' lives.
func (e *Engine) settleLocked(keys []string) {
	for _, k := range keys {
		ttl := e.db.TTL(k)
		switch {
		case ttl == 0:
			e.deadlines.remove(k)
		case ttl < 0 || !e.db.Exists(k):
			// miniredis keeps the lifetime of a key that was set to a time in
			// the past; only deleting an existing key clears it.
			e.deadlines.remove(k)
			e.db.Del(k)
			_ = e.db.Set(k, "")
			e.db.Del(k)
		default:
			e.setDeadlineLocked(k, e.now.Add(ttl))
		}
	}
}

// expireInBackground removes keys that nobody asks for, so that their memory is
// freed and their trackers are told.
func (e *Engine) expireInBackground() {
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	for {
		wait, ok := e.expireBatch()
		if !ok {
			return
		}
		timer.Reset(wait)
		select {
		case <-timer.C:
		case <-e.alarm.c:
			// A deadline that was set a moment ago is seldom due at once.
			timer.Reset(clockGrain)
			select {
			case <-timer.C:
			case <-e.done:
				return
			}
		case <-e.done:
			return
		}
	}
}

// expireBatch returns how long there is nothing to do.
func (e *Engine) expireBatch() (time.Duration, bool) {
	if e.begin(context.Background()) != nil {
		return 0, false
	}
	defer e.end()
	e.alarm.at = 0
	if e.expireAllLocked(clockBatch) == clockBatch || e.expireAllFieldsLocked(clockBatch) == clockBatch {
		return 0, true
	}
	wait := time.Hour
	for _, d := range []*deadlines{&e.deadlines, &e.fields.queue} {
		if _, at, ok := d.next(); ok {
			wait = min(wait, max(clockGrain, time.Duration(at-e.now.UnixNano())))
		}
	}
	e.alarm.at = e.now.Add(wait).UnixNano()
	return wait, true
}
