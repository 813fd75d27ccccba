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
// A Conn holds a few connections per node that all commands share (they are
// pipelined), [Options].ReadWires connections per node with CLIENT TRACKING for
// its [conn.Tracker], one per running blocking command and one per Subscribe.
// Each key has its tracking connection. Commands that change the state of a
// connection (SELECT, AUTH, MULTI without EXEC …) are refused.
//
// # Concurrency
//
// All methods are safe for concurrent use. Listeners of the Tracker run on the
// goroutines that read the connections.
//
// # Failure
//
// Nothing is retried here: the first error is returned, and the next call uses a
// new connection. Redirections of a cluster are followed. When a tracking
// connection is lost its epoch advances before anything else can be read over its
// successor, and listeners are called with nil.
//
// Errors name hosts and commands, never arguments, values or passwords.
package redisconn
