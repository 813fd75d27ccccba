// Package gateway serves Redis over HTTP as Upstash does, so that services which
// use @upstash/redis and the libraries above it run against any server that
// package conn reaches: the embedded engine, one Redis or Valkey, a cluster.
//
//	c, err := redisconn.Open(ctx, os.Getenv("REDIS_URL"), redisconn.Options{})
//	if err != nil {
//		return err
//	}
//	g, err := gateway.New(c, gateway.Options{Token: os.Getenv("LARDER_TOKEN")})
//	if err != nil {
//		return err
//	}
//	srv := &http.Server{Addr: "127.0.0.1:8079", Handler: g, ReadHeaderTimeout: 5 * time.Second}
//
// Do not mount a Gateway below http.ServeMux without StripPrefix: it answers
// paths with empty and dotted segments, which ServeMux redirects.
//
// # Endpoints
//
//	POST /                     one command as a JSON array
//	GET  /get/name             the same as path segments; a body is the next
//	                           argument, query parameters follow it
//	POST /pipeline             an array of commands, answered one by one
//	POST /multi-exec           the same as one transaction
//	GET  /subscribe/channel    messages as server-sent events
//	GET  /psubscribe/pattern   the same for a pattern
//	GET  /monitor              every command that the server executes
//	GET  /healthz, /readyz     without a token: the process lives; Redis answers
//
// A token is given as "Authorization: Bearer …" or as the parameter _token. With
// [Options].ReadOnlyToken one can read, as the server's own COMMAND flags
// define it, but not enumerate keys, run scripts, watch patterns or monitor.
//
// # What is not Redis' own answer
//
// Commands that block, that change the state of a connection or that administer
// the server are not available, nor are those that the server behind does not
// have; docs/compatibility.md lists them, and where the answers differ from
// Upstash's. In a cluster the commands of a pipeline go to their nodes; MGET,
// MSET, DEL, UNLINK, EXISTS, TOUCH, SCAN, KEYS, DBSIZE, FLUSHDB and FLUSHALL are
// put together from all; anything else whose keys lie in several slots is
// refused.
//
// Redis must let the user of the connection use COMMAND, which is asked once.
//
// # Concurrency
//
// A Gateway is an http.Handler for any number of requests. It owns a goroutine
// for each channel and pattern that somebody listens to, and for the monitor;
// Close ends them.
//
// # Failure
//
// Errors are JSON objects with the single key "error": 400 for what the client
// or the command did wrong, 401 without a valid token, 405 for other methods,
// 413 for a body beyond [Options].MaxRequest, 503 if Redis cannot be reached or
// a limit of the gateway is exhausted. In a pipeline each command has its own
// error. Nothing is retried: a command that failed with 503 may have been
// executed. Streams survive the loss of Redis; messages in between are missed.
// Neither tokens nor arguments nor values are logged.
package gateway
