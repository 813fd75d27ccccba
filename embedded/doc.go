// Package embedded is a Redis inside the process: for a laptop, for tests and
// for trying Larder out. It implements conn.Conn on miniredis, which it hardens.
// It keeps its data in memory only, is bounded by a number of keys, and serves
// one process. Anything that lasts needs a real Redis, whose URL is then given
// to redisconn.
//
//	c, err := embedded.Open(ctx)
//	if err != nil {
//		return err
//	}
//	defer c.Close()
//	_, err = c.Do(ctx, conn.Key("SET", "greeting", "hello", "EX", "60"))
//
// Several connections to one engine behave like several processes on one Redis;
// each has its own invalidation pushes and subscriptions:
//
//	engine, err := embedded.New(embedded.Options{})
//	a, b := engine.Connect(), engine.Connect()
//
// # What is ours and what is miniredis'
//
// miniredis executes the data commands, called in process: there is no socket.
// Expiry (of hash fields too, as Redis 8.0), scripts, publish/subscribe, MULTI,
// INFO, COMMAND, monitors and invalidation pushes are this package's own. Time in miniredis never advances by itself: this package
// keeps every key's deadline, removes keys when they are due and hands the rest
// of a lifetime back to miniredis before each command that depends on it.
//
// # What is missing
//
// Blocking commands, databases other than 0, WATCH, CLIENT, CONFIG, ACL and
// FUNCTION are refused with an error that says so; MONITOR is the method Monitor. MULTI and EXEC work within one Pipeline call. Scripts run in a sandbox
// that has no coroutines, cmsgpack or struct. miniredis remembers a version
// number for every key name it has ever seen; a process that writes ever new
// names for weeks grows by that.
//
// # Concurrency
//
// All methods are safe for concurrent use. One command, script or transaction
// executes at a time. Listeners of invalidation pushes are called by the
// goroutine that wrote, after the engine is unlocked and before the write
// returns; replies of a Tracker wait for the pushes that precede them.
// An engine owns one goroutine, which removes expired keys; Close waits for it.
//
// # Failure
//
// Nothing is retried, since there is no network: an error reply arrives as
// *conn.ServerError, an ended context or a closed engine as an error that is
// conn.ErrUnavailable. A full engine refuses writes that create keys with the
// code OOM. A script that exceeds its time limit is stopped even if it has
// written, unlike in Redis, which would stop answering.
package embedded
