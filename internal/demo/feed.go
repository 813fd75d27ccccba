package demo

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"
)

// change is what the feed tells of an edit.
type change struct {
	Package string `json:"package"`
	Version int64  `json:"version"`
	By      string `json:"by,omitempty"` // who was logged in
	// At is when it was published, in Unix microseconds: the instances and the
	// load generator share a clock.
	At int64 `json:"at"`
}

// feedPatience is how long the feeds may take for what is under way at the end.
const feedPatience = 15 * time.Second

// feeds is what the load generator hears, as a browser does, of all instances.
type feeds struct {
	stop    context.CancelFunc
	running sync.WaitGroup
	grown   chan struct{} // holds one token when there is something new

	// mu protects the following.
	mu   sync.Mutex
	told [][]string // ids of changes, by instance
	took []time.Duration
}

// follow subscribes to the changes of the instances.
func follow(ctx context.Context, transport http.RoundTripper, urls []string) (_ *feeds, err error) {
	ctx, stop := context.WithCancel(ctx)
	f := &feeds{stop: stop, grown: make(chan struct{}, 1), told: make([][]string, len(urls))}
	defer func() {
		if err != nil {
			f.close()
		}
	}()
	// A feed does not end, so its client has no timeout.
	client := &http.Client{Transport: transport}
	for i, url := range urls {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, url+"/changes", nil)
		if err != nil {
			return nil, fmt.Errorf("demo: follow the changes: %w", err)
		}
		res, err := client.Do(req)
		if err != nil {
			return nil, fmt.Errorf("demo: follow the changes: %w", err)
		}
		f.running.Go(func() {
			defer res.Body.Close()
			f.read(i, bufio.NewScanner(res.Body))
		})
		if res.StatusCode != http.StatusOK {
			return nil, fmt.Errorf("demo: follow the changes: %s", res.Status)
		}
	}
	return f, nil
}

// read notes the events of one instance until they end.
func (f *feeds) read(instance int, lines *bufio.Scanner) {
	id := ""
	for lines.Scan() {
		field, value, _ := strings.Cut(lines.Text(), ": ")
		switch field {
		case "id":
			id = value
		case "data":
			var c change
			_ = json.Unmarshal([]byte(value), &c) // what it is not has no id that is waited for
			f.note(instance, id, time.Since(time.UnixMicro(c.At)))
		}
	}
}

func (f *feeds) note(instance int, id string, took time.Duration) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.told[instance] = append(f.told[instance], id)
	f.took = append(f.took, took)
	select {
	case f.grown <- struct{}{}:
	default:
	}
}

// await waits until each feed has told of n changes, or patience has ended.
func (f *feeds) await(ctx context.Context, n int) {
	ctx, cancel := context.WithTimeout(ctx, feedPatience)
	defer cancel()
	for {
		f.mu.Lock()
		behind := slices.ContainsFunc(f.told, func(told []string) bool { return len(told) < n })
		f.mu.Unlock()
		if !behind {
			return
		}
		select {
		case <-f.grown:
		case <-ctx.Done():
			return
		}
	}
}

// close ends the subscriptions. What was told stays.
func (f *feeds) close() {
	f.stop()
	f.running.Wait()
}

// misled counts what is wrong with a feed that should have told of want, in that
// order and each once: what is missing, and what is there besides.
func misled(told, want []string) int {
	next := 0
	for _, id := range told {
		if next < len(want) && id == want[next] {
			next++
		}
	}
	return len(told) - next + len(want) - next
}
