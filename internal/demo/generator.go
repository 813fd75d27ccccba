package demo

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// requestTimeout bounds one request of the load generator.
const requestTimeout = 10 * time.Second

// maxErrorSamples is how many errors a report quotes.
const maxErrorSamples = 3

// generator sends workloads to the instances and checks the answers.
type generator struct {
	client  *http.Client
	nobody  *sender
	urls    []string
	workers int
	check   *checker

	// mu protects the following.
	mu       sync.Mutex
	errors   int
	samples  []string
	sessions sessionTally
	changes  []string // the ids of what the feeds have to tell of, in order
}

func newGenerator(urls []string, workers int) *generator {
	return &generator{
		// No proxy: the instances are on this machine.
		client: &http.Client{
			Transport: &http.Transport{MaxIdleConnsPerHost: workers + instances + 1, DisableCompression: true},
			Timeout:   requestTimeout,
		},
		nobody: &sender{}, urls: urls, workers: workers, check: newChecker(),
	}
}

func (g *generator) close() { g.client.CloseIdleConnections() }

// run sends all requests of w and makes its writes, and returns how long the
// application took to get each value. Worker i sends the requests i, i+workers …
// in that order; one writer, who is logged in, makes the writes in theirs.
func (g *generator) run(ctx context.Context, w workload, cached bool, progress func()) []time.Duration {
	suffix := ""
	if !cached {
		suffix = "nocache=1"
	}
	due := make(chan write, len(w.writes))
	at := make(map[int]write, len(w.writes))
	for _, wr := range w.writes {
		at[wr.after] = wr
	}
	took := make([][]time.Duration, g.workers+1)
	var readers, writer sync.WaitGroup
	writer.Go(func() {
		const user = "editor"
		who := g.logIn(ctx, user, 0)
		for wr := range due {
			took[g.workers] = append(took[g.workers], g.write(ctx, who, wr, suffix)...)
		}
		g.logOut(ctx, who, user, len(g.urls)-1)
	})
	for i := range g.workers {
		readers.Go(func() {
			for j := i; j < len(w.requests) && ctx.Err() == nil; j += g.workers {
				if d, ok := g.get(ctx, g.nobody, w.requests[j], suffix); ok {
					took[i] = append(took[i], d)
				}
				if wr, ok := at[j]; ok {
					due <- wr
				}
				progress()
			}
		})
	}
	readers.Wait()
	close(due)
	writer.Wait()
	return slices.Concat(took...)
}

// get sends one request, checks the answer and returns how long the value took.
func (g *generator) get(ctx context.Context, who *sender, q request, suffix string) (time.Duration, bool) {
	m := g.check.begin(q.thing, time.Now)
	header, err := g.send(ctx, who, http.MethodGet, g.urls[q.instance]+join(q.target, suffix), io.Discard)
	if err != nil {
		g.failed(ctx, err)
		return 0, false
	}
	who.views.Add(1)
	version, err1 := strconv.ParseInt(header.Get(versionHeader), 10, 64)
	took, err2 := strconv.ParseInt(header.Get(tookHeader), 10, 64)
	if err := errors.Join(err1, err2); err != nil {
		g.failed(ctx, fmt.Errorf("GET %s: %w", q.target, err))
		return 0, false
	}
	g.check.answered(m, q.instance, version)
	return time.Duration(took), true
}

// write makes one edit, notes what its invalidation promises, and reads it back
// through all instances at once.
func (g *generator) write(ctx context.Context, who *sender, wr write, suffix string) []time.Duration {
	var reply struct {
		Written []revision `json:"written"`
		Change  string     `json:"change"`
	}
	var body bytes.Buffer
	_, err := g.send(ctx, who, http.MethodPost, g.urls[wr.instance]+wr.target, &body)
	returned := time.Now()
	if err == nil {
		err = json.Unmarshal(body.Bytes(), &reply)
	}
	if err == nil && len(reply.Written) == 0 {
		err = errors.New("the answer names nothing that was written")
	}
	if err == nil && reply.Change == "" {
		err = errors.New("the answer names no change")
	}
	if err != nil {
		g.failed(ctx, fmt.Errorf("write: %w", err))
		return nil
	}
	who.edits.Add(1)
	g.expect(reply.Change)
	for _, r := range reply.Written {
		if !g.check.invalidated(r.Thing, r.Version, wr.instance, returned) {
			g.failed(ctx, fmt.Errorf("write: version %d of %s does not rise", r.Version, r.Thing))
		}
	}
	took := make([][]time.Duration, instances)
	var wg sync.WaitGroup
	for i := range took {
		wg.Go(func() {
			for _, q := range wr.readBack {
				if q.instance != i {
					continue
				}
				if d, ok := g.get(ctx, who, q, suffix); ok {
					took[i] = append(took[i], d)
				}
			}
		})
	}
	wg.Wait()
	return slices.Concat(took...)
}

func (g *generator) send(ctx context.Context, who *sender, method, url string, body io.Writer) (http.Header, error) {
	req, err := http.NewRequestWithContext(ctx, method, url, nil)
	if err != nil {
		return nil, err
	}
	if who.cookie != nil {
		req.AddCookie(who.cookie)
	}
	res, err := g.client.Do(req)
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		text, _ := io.ReadAll(io.LimitReader(res.Body, 300))
		return nil, fmt.Errorf("%s %s: %s: %s", method, req.URL.Path, res.Status, text)
	}
	if _, err := io.Copy(body, res.Body); err != nil {
		return nil, fmt.Errorf("%s %s: %w", method, req.URL.Path, err)
	}
	return res.Header, nil
}

// counters adds up what all instances have done.
func (g *generator) counters(ctx context.Context) (sum counters, err error) {
	for _, url := range g.urls {
		var body bytes.Buffer
		var c counters
		_, err := g.send(ctx, g.nobody, http.MethodGet, url+"/counters", &body)
		if err == nil {
			err = json.Unmarshal(body.Bytes(), &c)
		}
		if err != nil {
			return sum, fmt.Errorf("demo: read the counters: %w", err)
		}
		sum = sum.plus(c)
	}
	return sum, nil
}

// expect notes a change that every feed has to tell of.
func (g *generator) expect(change string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.changes = append(g.changes, change)
}

// failed counts an error, unless the run has been given up.
func (g *generator) failed(ctx context.Context, err error) {
	if ctx.Err() != nil {
		return
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.errors++
	if len(g.samples) < maxErrorSamples {
		g.samples = append(g.samples, err.Error())
	}
}

// failures are the errors so far and some of their texts.
func (g *generator) failures() (int, []string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.errors, g.samples
}

func join(target, query string) string {
	if query == "" {
		return target
	}
	if strings.ContainsRune(target, '?') {
		return target + "&" + query
	}
	return target + "?" + query
}
