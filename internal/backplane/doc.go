// Package backplane stands in for client tracking where a server has none: the
// processes tell each other by publish/subscribe which Redis keys they have
// changed.
//
// [Join] makes a [Link] over a connection: a [conn.Conn] whose Tracker gets its
// pushes from the backplane, and publishes what is announced to it. All links over
// one connection share one subscription, which ends with the last of them.
// [Writer] is for those who invalidate and remember nothing.
//
// A message may be lost without a sign: its publisher dies before it is sent, or
// the bus of a cluster drops it. Its epoch says so ([conn.Epoch.Lossy]), and who
// reads over a Link uses what was read for a bounded time only, from the moment the
// read was sent. The backplane makes that bound the exception and a few
// milliseconds the rule; it is not what the promise rests on. Nobody waits for
// it, and a message that cannot be sent fails nothing: it is counted.
//
// What is announced is collected for [linger] and sent together, so that a
// process publishes a bounded number of messages a second. Beyond [maxKeys] keys
// "all keys" takes their place: the contract of a Tracker knows nothing in between,
// and the values themselves are still in Redis.
//
// Heartbeats go over the same subscription, on a channel of the process' own. While
// none comes back, [conn.Epoch.Heard] stands still and nothing that was remembered
// is used; after a while the subscription is given up and made anew.
package backplane
