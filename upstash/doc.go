// Package upstash is a conn.Conn over the REST API of Upstash, for Go functions
// that cannot open TCP connections. It speaks to the hosted service and to
// Larder's own gateway (larder serve), needs nothing but net/http, and keeps no
// state on the server.
//
//	c, err := upstash.FromEnv(ctx, upstash.Options{})
//	if err != nil {
//		return err
//	}
//	defer c.Close()
//	v, err := c.Do(ctx, conn.Key("GET", "greeting"))
//
// # What differs from TCP
//
//   - There is no tracking and nothing blocks: see [Conn.Capabilities].
//   - A transaction of a Pipeline is one request of its own (/multi-exec). Its
//     replies come as JSON, which does not tell an error within an array, nor a
//     status other than OK, from a string.
//   - A Pipeline is cut into requests of at most [MaxBatch] commands and
//     [Options].MaxRequest bytes, which are sent one after the other.
//   - A Subscription takes one stream per channel or pattern, so that messages of
//     two channels may overtake each other. The protocol knows no line ends
//     within a payload (the gateway makes them spaces), nor where the name of a
//     channel with a comma ends that a pattern has matched. There are no sharded
//     channels.
//   - Arguments are sent as JSON. Open asks whether the server takes bytes there
//     that are not UTF-8 as they are; where it does not, commands with such
//     arguments are refused before anything is sent.
//   - The name of the node's life ([Conn.Incarnation]) is asked for every
//     [Options].Heartbeat, so that a restart is noticed that much later. Where
//     INFO hides run_id or master_replid a value is derived from the URL and the
//     parts that are shown; restarts are then not noticed. Where the gateway stands
//     in front of a cluster it is not known at all, as INFO tells of any node:
//     package larder then takes nothing from there for current.
//
// # Concurrency
//
// All methods may be called by any number of goroutines. A Conn owns one
// goroutine, for the heartbeat, and those of its subscriptions; Close ends them
// and waits.
//
// # Failure
//
// An error of the server is a conn.ServerError, with the text that Redis or
// Upstash gave; no or a garbled answer, a redirect, a status of 5xx or 429 and
// the gateway's word that Redis is unavailable are conn.Error. A request that
// holds nothing but reads is sent again when the way failed, at most
// [Options].Retries times; one that may write never is, since it may have been
// executed. Neither tokens nor arguments stand in errors or logs.
package upstash
