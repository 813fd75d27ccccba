// Package redisserver starts real Redis servers for tools that torture them: one, a
// cluster of masters and replicas, or a master with replicas and sentinels, on free
// ports of the loopback interface. Each process is ended by its own id.
//
//	set, err := redisserver.StartCluster(ctx, 3, 3)
//	defer set.Close()
//
// Tests have package redistest, which ends the test where something goes wrong.
//
// # Concurrency
//
// A Server's methods may be called from several goroutines; they wait for each other.
//
// # Failure
//
// Every wait is bounded. An error has the last lines of the server's log.
package redisserver
