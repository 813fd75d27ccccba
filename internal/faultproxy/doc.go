// Package faultproxy stands between a Redis client and a real server and does what
// networks do: it delays, cuts half-way through a reply, carries one direction only,
// loses pushes.
//
//	p, err := faultproxy.Open(ctx, faultproxy.Options{Target: "127.0.0.1:6379", Seed: 7})
//	defer p.Close()
//	// the client connects to p.Addr()
//	heal := p.Inject(faultproxy.Fault{Kind: faultproxy.HoldReplies, ThenCut: true})
//	…
//	heal()
//
// It reads the frames of RESP3 that the server sends, so it tells replies from pushes.
// Redis keeps both of a connection in one order, and so does the proxy: what is
// delayed or held keeps back everything behind it. A push that is dropped is the
// exception; since no client can notice the loss of one from a stream that lives on,
// its connection is cut when the fault ends, as a network does that loses packets
// for good.
//
// Which frames a fault befalls, and for how long, is drawn from the seed: the same
// traffic meets the same faults.
//
// # Concurrency
//
// All methods may be called from several goroutines.
//
// # Failure
//
// A server that cannot be reached, or does not speak RESP, costs the client its
// connection. What is held is bounded: a few hundred frames per direction, and the
// kernel's buffers; then the sender waits. Close ends all connections and waits for
// the goroutines of the proxy.
package faultproxy
