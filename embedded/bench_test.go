package embedded

import (
	"context"
	"strconv"
	"testing"
	"time"

	"github.com/larder-go/larder/conn"
)

func BenchmarkGet(b *testing.B) {
	c := open(b, Options{})
	do(b, c, "SET", "key", "value", "EX", "600")
	cmd := conn.Key("GET", "key")
	b.ReportAllocs()
	for b.Loop() {
		if _, err := c.Do(context.Background(), cmd); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkTrackedGet(b *testing.B) {
	c := open(b, Options{})
	do(b, c, "SET", "key", "value", "EX", "600")
	tr, _ := c.Tracker()
	cmd := conn.Key("GET", "key")
	b.ReportAllocs()
	for b.Loop() {
		if _, err := tr.Do(context.Background(), cmd); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkSetEX(b *testing.B) {
	c := open(b, Options{})
	b.ReportAllocs()
	i := 0
	for b.Loop() {
		i++
		if _, err := c.Do(context.Background(), conn.Key("SET", "key"+strconv.Itoa(i%10_000), "value", "EX", "600")); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkEval(b *testing.B) {
	for name, text := range map[string]string{
		"trivial": "return 1",
		"small": `
local n = redis.call('INCR', KEYS[1])
if n == 1 then redis.call('PEXPIRE', KEYS[1], ARGV[1]) end
return {n, redis.call('PTTL', KEYS[1]), 'a' .. n}`,
	} {
		b.Run(name, func(b *testing.B) {
			c := open(b, Options{})
			script := conn.NewScript(text)
			keys, args := []string{"key"}, []string{"600000"}
			b.ReportAllocs()
			for b.Loop() {
				if _, err := c.Eval(context.Background(), script, keys, args); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkClock reports what the clock costs with 100,000 keys: the share of a
// core while keys expire evenly over 100 seconds, and per command that looks at
// the deadlines. Nothing is spent while nothing expires.
func BenchmarkClock(b *testing.B) {
	const keys = 100_000
	now := time.Now()
	c := open(b, Options{Now: func() time.Time { return now }})
	fill := func() {
		for i := range keys {
			do(b, c, "SET", strconv.Itoa(i), "value", "PX", strconv.Itoa(1000+i))
		}
	}
	fill()
	var busy, lived time.Duration
	for b.Loop() {
		if c.engine.deadlines.len() == 0 {
			b.StopTimer()
			fill()
			b.StartTimer()
		}
		now = now.Add(clockGrain)
		start := time.Now()
		if _, running := c.engine.expireBatch(); !running {
			b.Fatal("the engine is closed")
		}
		busy += time.Since(start)
		lived += clockGrain
	}
	b.ReportMetric(100*busy.Seconds()/lived.Seconds(), "%core")
}
