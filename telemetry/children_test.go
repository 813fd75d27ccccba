package telemetry

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"syscall"
	"testing"
	"time"

	"github.com/larder-go/larder"
	"github.com/larder-go/larder/internal/redistest"
	"github.com/larder-go/larder/observe"
	"github.com/larder-go/larder/redisconn"
)

// Two processes and one that is killed: the fleet's figures are what was driven, of the
// killed one what it had flushed. What it did after that is lost: with the default
// interval, up to 5 seconds of it.
func TestKilledProcess(t *testing.T) {
	t.Parallel()
	srv := redistest.Start(t)
	service := unique(t)
	var all []*process
	for i := range 3 {
		spawn := redistest.Spawn
		if i == 2 {
			spawn = redistest.SpawnMortal
		}
		p := &process{t, spawn(t, childRole), nil}
		p.out = bufio.NewReader(p.Out)
		p.say(srv.URL())
		p.say(service)
		all = append(all, p)
	}
	gets := func(p *process, n int) { p.do(fmt.Sprintf("gets %d", n)) }
	gets(all[0], 1000)
	gets(all[1], 200)
	gets(all[2], 30)
	for _, p := range all {
		p.do("flush")
	}
	gets(all[0], 5)
	gets(all[2], 7777) // and never told
	all[0].do("flush")
	all[2].say("die")
	if _, err := all[2].out.ReadString('\n'); err == nil {
		t.Fatal("the process lives on")
	}

	c := open(t, srv.URL())
	f := recent(t, c, service)
	key := func(metric, label string) float64 {
		return f.Total(Key{Kind: observe.Cache, Name: "user", Metric: metric, Label: label})
	}
	const driven = 1000 + 200 + 30 + 5
	if got := key("larder.cache.hits", "") + key("larder.cache.misses", ""); got != driven {
		t.Errorf("%v gets, want %d", got, driven)
	}
	if got := key("larder.cache.loads", ""); got != 1 {
		t.Errorf("%v loads in the fleet, want 1", got)
	}
	if got := f.Distribution(Key{Metric: operationMetric(observe.Cache).Name, Label: "load"}).Count(); got != 1 {
		t.Errorf("%d durations of loads, want 1", got)
	}
	if len(f.Processes) != 3 || f.Incomplete {
		t.Errorf("%+v", f.Processes)
	}
	// One that has ended in order is gone at once, and everything that it did is there.
	gets(all[1], 9)
	all[1].say("end")
	if _, err := all[1].out.ReadString('\n'); err == nil {
		t.Fatal("the process lives on")
	}
	f = recent(t, c, service)
	if got := key("larder.cache.hits", "") + key("larder.cache.misses", ""); got != driven+9 {
		t.Errorf("%v gets, want %d", got, driven+9)
	}
	alive := 0
	for _, p := range f.Processes {
		if p.Alive {
			alive++
		}
	}
	if alive != 2 { // the killed one until its key has expired: nobody has told of its end
		t.Errorf("%d of %+v are alive, want 2", alive, f.Processes)
	}
}

// process is a child and what it says.
type process struct {
	t *testing.T
	*redistest.Process
	out *bufio.Reader
}

func (p *process) say(line string) {
	p.t.Helper()
	if _, err := fmt.Fprintln(p.In, line); err != nil {
		p.t.Fatal(err)
	}
}

func (p *process) do(line string) {
	p.t.Helper()
	p.say(line)
	if answer, err := p.out.ReadString('\n'); err != nil || answer != "ok\n" {
		p.t.Fatalf("%s: %q, %v", line, answer, err)
	}
}

// childRole is that of a process of TestKilledProcess.
const childRole = "telemetry-child"

// child is a process with a cache. The first two lines are the URL of Redis and the
// service; each further one is a command, which is answered with "ok": "gets <n>" or
// "flush". "end" ends it in order, "die" as kill -9 does.
func child(stdin io.Reader, stdout io.Writer) (err error) {
	ctx := context.Background()
	in := bufio.NewScanner(stdin)
	line := func() string { in.Scan(); return in.Text() }
	url, service := line(), line()
	c, err := redisconn.Open(ctx, url, redisconn.Options{})
	if err != nil {
		return err
	}
	defer func() { _ = c.Close() }()
	tel, err := New(c, Options{Service: service, FlushEvery: time.Minute})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, tel.Close(ctx)) }()
	users, err := larder.New(c, larder.Options[int, string]{
		Namespace: "user", TTL: time.Hour, Observer: tel, CacheTimeout: 20 * time.Second,
		Load: func(context.Context, int) (string, error) { return "a user", nil },
	})
	if err != nil {
		return err
	}
	defer func() { _ = users.Close() }()
	for in.Scan() {
		n := 0
		switch words := in.Text(); words {
		case "die":
			_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
			select {}
		case "end":
			return nil
		case "flush":
			err = tel.Flush(ctx)
		default:
			_, err = fmt.Sscanf(words, "gets %d", &n)
		}
		for range n {
			_, gerr := users.Get(ctx, 1)
			err = errors.Join(err, gerr)
		}
		if err != nil {
			return err
		}
		fmt.Fprintln(stdout, "ok")
	}
	return nil
}
