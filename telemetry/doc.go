// Package telemetry watches what Larder's features do: in the process, for OpenTelemetry
// and Prometheus, and over the whole fleet, through Redis.
//
//	tel, err := telemetry.New(c, telemetry.Options{Service: "shop"})
//	…
//	users, err := larder.New(c, larder.Options[int64, User]{…, Observer: tel})
//	http.Handle("/metrics", tel.Handler())
//	…
//	err = tel.Close(ctx)
//
// A [Telemetry] is an observe.Observer. What features count it reads from them when
// somebody asks: a scrape, an OpenTelemetry reader, a flush. Work that leaves the process
// gets a span and a duration.
//
// Each process writes what it counted to Redis, one small record for each minute, which
// expires after Options.Retention. A [Reader] adds the records of all processes up to a
// [Fleet]; larder top and the dashboard stand on it.
//
// # Minutes
//
// Minutes are those of each process's own clock. What was counted between two samples
// belongs to the minute that holds the middle of the time between them; a sample is taken
// at the end of every minute, so figures are in their minute but for a few milliseconds.
// A record holds absolute contents, so writing it twice does not count twice.
//
// # Concurrency
//
// All methods are safe for concurrent use. A Telemetry owns one goroutine; Close ends it.
//
// # Failure
//
// Nothing that features call waits for Redis. While Redis does not answer, records of up
// to MaxPending minutes are kept and written later. What a process counted after its last
// flush is lost with it when it is killed: Options.FlushEvery at most.
package telemetry
