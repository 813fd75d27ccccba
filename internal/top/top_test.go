package top

import (
	"bytes"
	"context"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/larder-go/larder"
	"github.com/larder-go/larder/embedded"
	"github.com/larder-go/larder/observe"
	"github.com/larder-go/larder/telemetry"
)

// A real fleet of one process: what is shown is what was done.
func TestSummarize(t *testing.T) {
	t.Parallel()
	c, err := embedded.Open(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	tel, err := telemetry.New(c, telemetry.Options{Service: "shop", Instance: "shop\x1b[31m-1", FlushEvery: time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = tel.Close(context.Background()) })
	users, err := larder.New(c, larder.Options[int, string]{
		Namespace: "user", TTL: time.Hour, Observer: tel, CacheTimeout: 20 * time.Second,
		Load: func(_ context.Context, id int) (string, error) {
			if id == 0 {
				return "", errors.New("secret")
			}
			return "a user", nil
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = users.Close() })
	for id := range 5 {
		for range 4 {
			if _, err := users.Get(t.Context(), id); (err == nil) != (id > 0) {
				t.Fatal(err)
			}
		}
	}
	gauge := &observe.Metric{Name: shut, Unit: "{connection}", Instrument: observe.Gauge, Label: "larder.state"}
	tel.Register(observe.Source{
		Subject: observe.Subject{Kind: observe.Redis, Name: "127.0.0.1:6379"}, Metrics: []*observe.Metric{gauge},
		Read: func(yield observe.Yield) { yield(gauge, "silent", 2) },
	})
	_, end := tel.Begin(t.Context(), observe.Operation{Kind: observe.Limiter, Name: "login", Verb: "decide"})
	end(errors.New("secret"))
	if err := tel.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	f, err := telemetry.ReadFleet(t.Context(), c, now.Add(-4*time.Minute), now)
	if err != nil {
		t.Fatal(err)
	}
	s := Summarize(f, now)
	seconds := s.Window.Seconds()
	is := func(name string, got, want float64) {
		t.Helper()
		if got < want*0.999 || got > want*1.001 {
			t.Errorf("%s is %g, want %g", name, got, want)
		}
	}
	if len(s.Caches) != 1 || len(s.Others) != 1 || len(s.Processes) != 1 || s.Alive != 1 {
		t.Fatalf("%+v", s)
	}
	user := s.Caches[0]
	is("gets", user.Gets*seconds, 20)
	is("hits", user.HitRatio, 12.0/20)
	is("L1 hits", user.L1Ratio, 12.0/20)
	is("loads", user.Loads*seconds, 8)
	is("errors", user.Errors*seconds, 4)
	is("entries", user.Entries, 4)
	is("all hits", s.HitRatio, 12.0/20)
	is("calls", s.Others[0].Calls*seconds, 1)
	is("failed calls", s.Others[0].Errors*seconds, 1)
	if user.LoadP99 == 0 || user.ReadP50 == 0 || s.Others[0].P99 == 0 {
		t.Errorf("no durations: %+v", s)
	}
	var b strings.Builder
	if err := s.WriteText(&b); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"1 alive, 0 gone", "hit ratio 60.0%", "connections shut 2", "not probed", "NAMESPACE", "\nuser ", "\nlimiter", "shop?[31m-1"} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("no %q in\n%s", want, b.String())
		}
	}
	if strings.Contains(b.String(), "\x1b") || strings.Contains(b.String(), "secret") {
		t.Errorf("%q", b.String())
	}
}

func TestSummarizeNothing(t *testing.T) {
	t.Parallel()
	now := time.Now()
	s := Summarize(&telemetry.Fleet{Start: now.Truncate(time.Minute), Minutes: 1}, now)
	var b strings.Builder
	if err := s.WriteText(&b); err != nil || !strings.Contains(b.String(), "No process") || s.HitRatio != -1 {
		t.Errorf("%v %+v\n%s", err, s, b.String())
	}
}

func TestNumbers(t *testing.T) {
	t.Parallel()
	for got, want := range map[string]string{
		rate(0): "0", rate(0.123): "0.12", rate(12345): "12k", count(9999): "9999", count(12_300_000): "12M",
		percent(-1): "-", percent(0.5): "50.0%", took(0): "-", took(1500 * time.Nanosecond): "1µs",
		took(2500 * time.Microsecond): "2.5ms", took(3 * time.Second): "3s", brief(3 * time.Hour): "3h", brief(72 * time.Hour): "3d",
		clean(strings.Repeat("n", 50)): strings.Repeat("n", 39) + "…",
	} {
		if got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
}

// The screen shows errors and goes on, and leaves the terminal as it was.
func TestScreen(t *testing.T) {
	t.Parallel()
	for name, end := range map[string]func(cancel func(), keys chan<- byte){
		"q":       func(_ func(), keys chan<- byte) { keys <- 'x'; keys <- 'q' },
		"context": func(cancel func(), _ chan<- byte) { cancel() },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			keys := make(chan byte)
			painted := make(chan int)
			var out bytes.Buffer
			done := make(chan error, 1)
			s := Screen{Out: &out, Size: func() int { return 4 }, Keys: keys, Every: time.Millisecond}
			n := 0
			go func() {
				done <- s.Run(ctx, func(ctx context.Context, w io.Writer) error {
					if n++; n > 2 {
						return nil
					}
					select {
					case painted <- n:
					case <-ctx.Done():
					}
					if n == 1 {
						return errors.New("out of order")
					}
					_, err := io.WriteString(w, "one\ntwo\nthree\nfour\nfive\n")
					return err
				})
			}()
			<-painted
			<-painted
			end(cancel, keys)
			if err := <-done; err != nil {
				t.Error(err)
			}
			text := out.String()
			if !strings.HasPrefix(text, enter) || !strings.HasSuffix(text, leave) || !strings.Contains(text, "larder top: out of order") {
				t.Errorf("%q", text)
			}
			if name == "q" && (!strings.Contains(text, "three") || strings.Contains(text, "four")) {
				t.Errorf("4 lines hold %q", text)
			}
		})
	}
}
