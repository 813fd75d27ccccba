package event_test

import (
	"context"
	"encoding/json"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/larder-go/larder/conn"
	"github.com/larder-go/larder/event"
	"github.com/larder-go/larder/internal/redistest"
	"github.com/larder-go/larder/internal/sidebyside"
)

// BenchmarkPublish compares publishing, at 64 goroutines, with the bare commands
// that a program would send otherwise: PUBLISH, and a pipeline of XADD, EXPIRE and
// PUBLISH.
func BenchmarkPublish(b *testing.B) {
	for name, durable := range map[string]bool{"fire-and-forget": false, "durable": true} {
		b.Run(name, func(b *testing.B) {
			c, ctx := dial(b, redistest.Shared(b).URL()), context.Background()
			to := topic[order](b, c, "orders-"+name, event.Options{Durable: durable})
			sidebyside.Run(b, 64, func(i int) error {
				data, err := json.Marshal(order{N: i})
				if err != nil || !durable {
					_, err = c.Do(ctx, conn.Cmd("PUBLISH", "bare", string(data)))
					return err
				}
				results := c.Pipeline(ctx, conn.Key("XADD", "bare", "MAXLEN", "=", strconv.Itoa(event.DefaultMaxLen), "*", "data", string(data)),
					conn.Key("EXPIRE", "bare", "3600"), conn.Cmd("PUBLISH", "bare", string(data)))
				return results[0].Err
			}, func(i int) error {
				_, err := to.Publish(ctx, order{N: i})
				return err
			})
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "messages/s")
		})
	}
}

// BenchmarkFanOut publishes one message after the other to 1,000 subscribers of one
// process and reports the time from before Publish until each has it, decoded.
func BenchmarkFanOut(b *testing.B) {
	const subscribers = 1000
	for name, durable := range map[string]bool{"fire-and-forget": false, "durable": true} {
		b.Run(name, func(b *testing.B) {
			c := dial(b, redistest.Shared(b).URL())
			to := topic[order](b, c, "fan-"+name, event.Options{Durable: durable})
			ctx, cancel := context.WithCancel(context.Background())
			defer cancel()
			var start atomic.Int64 // uptime at which the present message was published
			latencies := make([][]time.Duration, subscribers)
			var got sync.WaitGroup // all have the present message
			var ended sync.WaitGroup
			for i := range subscribers {
				s := subscribe(b, to)
				ended.Go(func() {
					for {
						if _, err := s.Next(ctx); err != nil {
							return
						}
						latencies[i] = append(latencies[i], conn.Uptime()-time.Duration(start.Load()))
						got.Done()
					}
				})
			}
			n := 0
			for b.Loop() {
				got.Add(subscribers)
				start.Store(int64(conn.Uptime()))
				publish(b, to, order{N: n})
				n++
				got.Wait()
			}
			cancel()
			ended.Wait()
			all := slices.Sorted(slices.Values(slices.Concat(latencies...)))
			b.ReportMetric(float64(all[len(all)/2].Microseconds()), "p50-µs")
			b.ReportMetric(float64(all[len(all)*99/100].Microseconds()), "p99-µs")
			b.ReportMetric(float64(n*subscribers)/b.Elapsed().Seconds(), "deliveries/s")
		})
	}
}
