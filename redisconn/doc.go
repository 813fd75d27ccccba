// Package redisconn implements package conn's contract on Redis and Valkey:
// one server, a unix socket, a cluster, or a master behind sentinels.
//
//	c, err := redisconn.Open(ctx, os.Getenv("REDIS_URL"), redisconn.Options{})
//	if err != nil {
//		return err
//	}
//	defer c.Close()
//	v, err := c.Do(ctx, conn.Key("GET", "greeting"))
//
// # URLs
//
//	redis://[user:password@]host[:6379][/database]        one server
//	rediss://…                                            the same over TLS
//	unix://[user:password@]/path/to/redis.sock[?db=1]     one server, by its socket
//	redis+cluster://[user:password@]host:port,host:port   a cluster, by some of its nodes
//	redis+cluster://host:port?addr=host:port&addr=…       the same
//	rediss+cluster://…                                    the same over TLS
//	redis+sentinel://[user:password@]host[:26379],host/master[/database]
//	rediss+sentinel://…                                   the same over TLS, sentinels included
//
// valkey stands for redis everywhere. User and password are percent-encoded and
// go to the servers, not to sentinels. Unknown parameters, several hosts for one
// server, a scheme that does not fit the server: all are errors. An empty URL is
// an error too; nothing is ever used in its place.
//
// # Connections
//
// A Conn holds one connection per node that all commands share (they are
// pipelined), [Options].ReadWires connections per node with CLIENT TRACKING for
// its [conn.Tracker], one per running blocking command, one per Subscribe, and one
// per node for each Monitor. In a cluster a channel is listened to at the node of
// its slot, and PUBLISH with the channel as its key goes there too.
// Each key has its tracking connection. Commands that change the state of a
// connection (SELECT, AUTH, MULTI without EXEC …) are refused.
//
// Open connects and fails if it cannot. From then on no caller connects a shared
// connection: each has a goroutine that does, after 10 ms and then at growing
// intervals of up to a second. Blocking commands and subscriptions wait for a
// connection of their own, at most until their context ends.
//
// Every shared connection is asked each [Options].Heartbeat who the server is
// (INFO server, INFO replication, in a cluster also CLUSTER SLOTS); the user needs
// the right to. This is what [conn.Epoch].Heard and [conn.Conn].Incarnation tell:
//
//   - a server that is another than before, or not a master, ends the epoch at
//     the next heartbeat even if the connection stands;
//   - in a cluster a slot that has moved ends all epochs, and an epoch was heard
//     of when the least recently heard master was;
//   - the incarnation is unknown from the loss of a connection to the first
//     heartbeat over the next, of a replica, and where the nodes of a cluster
//     disagree about the slot.
//
// # Concurrency
//
// All methods are safe for concurrent use. Listeners of the Tracker run on the
// goroutines that read the connections.
//
// # Failure
//
// Nothing is retried here: the first error is returned. Redirections of a
// cluster are followed, to nodes with a connection.
//
// Without a connection calls fail at once, with the reason why there is none. So
// they do where the server has owed an answer for [Options].SilenceTimeout without
// sending a byte; the first byte lets calls pass again. Those on their way wait
// as their contexts say, at most until the connection is cut after
// [Options].CutTimeout. A script that blocks the server for as long has the same
// effect, so keep scripts short or the timeouts long. Of calls that were given up
// at most 960 stay behind per connection; when as many are on their way, others
// wait outside until their contexts end.
//
// When a tracking connection is lost its epoch advances before anything else can
// be read over its successor, and listeners are called with nil.
//
// Errors name hosts and commands, never arguments, values or passwords.
package redisconn
