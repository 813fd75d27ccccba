package dashboard

import (
	"bufio"
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/larder-go/larder/conn"
	"github.com/larder-go/larder/internal/redistest"
	"github.com/larder-go/larder/redisconn"
)

// follow opens the stream of a page. It ends with the test.
func (b *browser) follow(view, query string) (*http.Response, *bufio.Reader) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 2*patience)
	b.t.Cleanup(cancel)
	at, err := b.base.Parse("live?" + url.Values{"view": {view}, "query": {query}}.Encode())
	if err != nil {
		b.t.Fatal(err)
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, at.String(), nil)
	if err != nil {
		b.t.Fatal(err)
	}
	res, err := b.http.Do(r)
	if err != nil {
		b.t.Fatal(err)
	}
	b.t.Cleanup(func() { _ = res.Body.Close() })
	return res, bufio.NewReader(res.Body)
}

// next reads events until one satisfies.
func next(t *testing.T, in *bufio.Reader, want func(news) bool) news {
	t.Helper()
	for {
		line, err := in.ReadString('\n')
		if err != nil {
			t.Fatalf("the stream ended: %v", err)
		}
		data, ok := strings.CutPrefix(line, "data: ")
		if !ok {
			continue
		}
		var n news
		if err := json.Unmarshal([]byte(data), &n); err != nil {
			t.Fatal(err)
		}
		if want(n) {
			return n
		}
	}
}

func TestOpenPagesFollowTheFigures(t *testing.T) {
	t.Parallel()
	c := engine(t).Connect()
	w := newWorld(t, c)
	_, b := open(t, c, Options{Refresh: 100 * time.Millisecond})
	res, in := b.signIn().follow("", "")
	if res.StatusCode != http.StatusOK || res.Header.Get("Content-Type") != "text/event-stream" {
		t.Fatalf("%s, %s", res.Status, res.Header.Get("Content-Type"))
	}
	first := next(t, in, func(n news) bool { return n.Panels["tiles"] != "" })
	for range 77 {
		if _, err := w.users.Get(t.Context(), 1); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.tel.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	then := next(t, in, func(n news) bool { return n.Panels["tiles"] != "" && n.Panels["tiles"] != first.Panels["tiles"] })
	contains(t, then.Panels["tiles"], "198 in the last hour") // 121 before
	if then.Panels["state"] != "" || then.Anew {
		t.Errorf("what did not change was sent: %+v", then)
	}
}

func TestAStreamEndsWithItsVisit(t *testing.T) {
	t.Parallel()
	d, b := open(t, engine(t).Connect(), Options{Refresh: 100 * time.Millisecond, MaxViewers: 1})
	b.signIn()
	csrf := b.csrf("./")
	_, in := b.follow("events", "")
	next(t, in, func(news) bool { return true })
	if res, _ := b.follow("events", ""); res.StatusCode != http.StatusServiceUnavailable {
		t.Errorf("a viewer too many: %s", res.Status)
	}
	for _, view := range []string{"no-such", "keys"} {
		if res, _ := b.follow(view, ""); res.StatusCode != http.StatusNotFound {
			t.Errorf("the stream of %s: %s", view, res.Status)
		}
	}
	if a := b.do(http.MethodPost, "logout", url.Values{"csrf": {csrf}}); a.StatusCode != http.StatusSeeOther {
		t.Fatal(a.Status)
	}
	for {
		line, err := in.ReadString('\n')
		if err != nil {
			t.Fatalf("the stream ended without a word: %v", err)
		}
		if line == "event: over\n" {
			break
		}
	}
	_ = d.Close()
	_ = d.Close()
	if a := b.do(http.MethodGet, "login", nil); a.StatusCode != http.StatusServiceUnavailable {
		t.Errorf("after Close: %s", a.Status)
	}
}

func TestCloseEndsStreams(t *testing.T) {
	t.Parallel()
	d, b := open(t, engine(t).Connect(), Options{Refresh: time.Minute})
	_, in := b.signIn().follow("events", "")
	next(t, in, func(news) bool { return true })
	if err := d.Close(); err != nil { // waits for the stream
		t.Error(err)
	}
}

func TestMessagesOfATopicAppear(t *testing.T) {
	t.Parallel()
	for _, values := range []bool{false, true} {
		e := engine(t)
		_, b := open(t, e.Connect(), Options{Refresh: 100 * time.Millisecond, Topics: []string{"news"}, ShowValues: values})
		_, in := b.signIn().follow("events", "")
		c := e.Connect()
		for { // until the dashboard listens
			v, err := c.Do(t.Context(), conn.Cmd("PUBLISH", "news", secretValue))
			if err != nil {
				t.Fatal(err)
			}
			if v.Int > 0 {
				break
			}
		}
		n := next(t, in, func(n news) bool { return strings.Contains(n.Panels["events"], "16 B on") })
		if shown := strings.Contains(n.Panels["events"], secretValue); shown != values {
			t.Errorf("the text is shown: %v, allowed: %v", shown, values)
		}
	}
}

// Redis may go away and come back: pages say so, keep what they knew, and answer.
func TestRedisAway(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("short tests start no server")
	}
	srv := redistest.Start(t)
	c, err := redisconn.Open(t.Context(), srv.URL(), redisconn.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	newWorld(t, c)
	_, b := open(t, c, Options{Refresh: 100 * time.Millisecond, Timeout: 5 * time.Second})
	b.signIn()
	res, in := b.follow("", "")
	if res.StatusCode != http.StatusOK {
		t.Fatal(res.Status)
	}
	next(t, in, func(n news) bool { return strings.Contains(n.Panels["tiles"], "121 in the last hour") })

	srv.Pause()
	next(t, in, func(n news) bool {
		return strings.Contains(n.Panels["state"], "Redis is away")
	})
	for _, page := range everyPage {
		if a := b.do(http.MethodGet, page, nil); a.StatusCode >= 500 && a.StatusCode != http.StatusServiceUnavailable {
			t.Errorf("%s: %s", page, a.Status)
		}
	}
	contains(t, b.get("./"), "Redis is away", "121 in the last hour", "does not answer")
	if a := b.do(http.MethodPost, "invalidate?what=tag&name=users", url.Values{"csrf": {b.csrf("./")}}); a.StatusCode != http.StatusServiceUnavailable {
		t.Errorf("an invalidation meanwhile: %s", a.Status)
	}
	srv.Resume()
	next(t, in, func(n news) bool {
		return n.Panels["state"] != "" && !strings.Contains(n.Panels["state"], "Redis is away")
	})
	contains(t, b.get("events"), "answers again")
}
