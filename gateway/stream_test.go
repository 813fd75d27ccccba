package gateway_test

import (
	"bufio"
	"context"
	"io"
	"net"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/larder-go/larder/conn"
	"github.com/larder-go/larder/gateway"
	"github.com/larder-go/larder/internal/redistest"
)

// eventually waits for a condition that nothing announces.
func eventually(t testing.TB, what string, ok func() bool) {
	t.Helper()
	deadline := time.NewTimer(patience)
	defer deadline.Stop()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for !ok() {
		select {
		case <-tick.C:
		case <-deadline.C:
			t.Fatalf("waited %v for %s", patience, what)
		}
	}
}

func subscribers(t testing.TB, c conn.Conn, channel string) int64 {
	t.Helper()
	v, err := c.Do(bg, conn.Cmd("PUBSUB", "NUMSUB", channel))
	if err != nil || len(v.Elems) != 2 {
		t.Fatalf("PUBSUB NUMSUB: %+v, %v", v, err)
	}
	return v.Elems[1].Int
}

// TestManyStreams: 5,000 clients on one channel cost one subscription, and
// bounded memory.
func TestManyStreams(t *testing.T) {
	const streams = 5000
	c := openEmbedded(t)
	g, err := gateway.New(c, gateway.Options{Token: token, BodyTimeout: time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	l := servePipe(t, g)
	before := memory()
	conns := make([]net.Conn, streams)
	readers := make([]*bufio.Reader, streams)
	each := func(fn func(i int) error) {
		t.Helper()
		var wg sync.WaitGroup
		for w := range 16 {
			wg.Go(func() {
				for i := w; i < streams; i += 16 {
					if err := fn(i); err != nil {
						t.Error(err)
						return
					}
				}
			})
		}
		wg.Wait()
		if t.Failed() {
			t.FailNow()
		}
	}
	each(func(i int) (err error) {
		if conns[i], readers[i], err = l.subscribe("crowd"); err == nil {
			err = conns[i].SetDeadline(time.Now().Add(4 * patience)) // there are many
		}
		return err
	})
	if n := subscribers(t, c, "crowd"); n != 1 {
		t.Errorf("%d subscriptions, want 1", n)
	}
	// Client and server together.
	if per := (memory() - before) / streams; per > 64<<10 {
		t.Errorf("%d bytes for each stream", per)
	}
	if n := g.Stats().OpenStreams; n != streams {
		t.Errorf("%d streams are open", n)
	}
	if _, err := c.Do(bg, conn.Cmd("PUBLISH", "crowd", "hello")); err != nil {
		t.Fatal(err)
	}
	each(func(i int) error { return await(readers[i], "data: message,crowd,hello") })
	each(func(i int) error { return conns[i].Close() })
	eventually(t, "the streams to end", func() bool { return g.Stats().OpenStreams == 0 })
	eventually(t, "the subscription to end", func() bool { return subscribers(t, c, "crowd") == 0 })
}

func memory() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapInuse + m.StackInuse)
}

// TestSlowReader: one that does not read is cut off and counted; the others get
// everything.
func TestSlowReader(t *testing.T) {
	t.Parallel()
	c := openEmbedded(t)
	g, err := gateway.New(c, gateway.Options{Token: token, MaxLag: 64 << 10})
	if err != nil {
		t.Fatal(err)
	}
	l := servePipe(t, g)
	slow, _, err := l.subscribe("flood")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = slow.Close() }()
	quick, r, err := l.subscribe("flood")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = quick.Close() }()
	payload := strings.Repeat("x", 4<<10)
	for i := range 200 {
		message := strconv.Itoa(i) + payload
		if _, err := c.Do(bg, conn.Cmd("PUBLISH", "flood", message)); err != nil {
			t.Fatal(err)
		}
		if err := await(r, "data: message,flood,"+message); err != nil {
			t.Fatal(err)
		}
	}
	eventually(t, "the slow reader to be cut off", func() bool { s := g.Stats(); return s.SlowReaders == 1 && s.OpenStreams == 1 })
}

func TestStreamNames(t *testing.T) {
	t.Parallel()
	cl := serve(t, openEmbedded(t), gateway.Options{})
	for _, tt := range []struct{ path, ack, channel, event string }{
		{"/subscribe/a/b", "data: subscribe,a/b,1", "a/b", "data: message,a/b,x"},
		{"/subscribe/a%2Cb?_token=" + token, "data: subscribe,a,b,1", "a,b", "data: message,a,b,x"},
		{"/psubscribe/u?er:*", "data: psubscribe,u?er:*,1", "user:1", "data: pmessage,u?er:*,user:1,x"},
		{"/psubscribe/u?er:?&_token=" + token, "data: psubscribe,u?er:?,1", "uXer:1", "data: pmessage,u?er:?,uXer:1,x"},
		{"/subscribe/gr%C3%BC%C3%9Fe", "data: subscribe,grüße,1", "grüße", "data: message,grüße,x"},
	} {
		l := cl.listen(tt.path)
		l.want(tt.ack)
		cl.do(`["PUBLISH","` + tt.channel + `","x"]`)
		l.want(tt.event)
	}
	for path, want := range map[string]int{"/subscribe": 400, "/subscribe/": 400, "/psubscribe/": 400, "/monitor/x": 400, "/subscribe/a%00b": 200} {
		res := cl.open(t.Context(), "GET", path, "")
		if _ = res.Body.Close(); res.StatusCode != want {
			t.Errorf("%s: %d, want %d", path, res.StatusCode, want)
		}
	}
}

// A payload cannot end an event and forge another.
func TestStreamLineEnds(t *testing.T) {
	t.Parallel()
	cl := serve(t, openEmbedded(t), gateway.Options{})
	l := cl.listen("/subscribe/c")
	l.want("data: subscribe,c,1")
	cl.do(`["PUBLISH","c","a\n\ndata: message,other,forged\r\nb"]`)
	l.want("data: message,c,a  data: message,other,forged  b")
	if len(l.lines) > 0 {
		t.Errorf("unexpected %q", l.next())
	}
}

func TestHeartbeat(t *testing.T) {
	t.Parallel()
	cl := serve(t, openEmbedded(t), gateway.Options{Heartbeat: 10 * time.Millisecond})
	res := cl.open(t.Context(), "GET", "/subscribe/c", "")
	defer func() { _ = res.Body.Close() }()
	r := bufio.NewReader(res.Body)
	for range 3 {
		if err := await(r, ": ping"); err != nil {
			t.Fatal(err)
		}
	}
}

func TestStreamLimits(t *testing.T) {
	t.Parallel()
	cl := serve(t, openEmbedded(t), gateway.Options{MaxStreams: 3, MaxTopics: 2})
	first := cl.listen("/subscribe/a")
	first.want("data: subscribe,a,1")
	cl.listen("/subscribe/b").want("data: subscribe,b,1")
	refused := func(path string) {
		t.Helper()
		if a := cl.send("GET", path, ""); a.status != 503 || !strings.HasPrefix(a.body, `{"error":"ERR too many`) {
			t.Errorf("%s: %d %s", path, a.status, a.body)
		}
	}
	refused("/subscribe/c")
	cl.listen("/subscribe/a").want("data: subscribe,a,1")
	refused("/subscribe/a")
	first.cancel()
	eventually(t, "the stream to end", func() bool { return cl.g.Stats().OpenStreams == 2 })
	cl.listen("/subscribe/b").want("data: subscribe,b,1")
}

// TestCloseDrains: what waits for a stream is sent before it ends; commands go on.
func TestCloseDrains(t *testing.T) {
	t.Parallel()
	c := openEmbedded(t)
	cl := serve(t, c, gateway.Options{})
	var streams []*listener
	for range 20 {
		l := cl.listen("/subscribe/c")
		l.want("data: subscribe,c,1")
		streams = append(streams, l)
	}
	const messages = 50
	for i := range messages {
		cl.do(`["PUBLISH","c",` + strconv.Itoa(i) + `]`)
	}
	eventually(t, "the messages to be handed over", func() bool { return streams[0].seen(messages) })
	if err := cl.g.Close(); err != nil {
		t.Fatal(err)
	}
	for _, l := range streams {
		for i := range messages {
			l.want("data: message,c," + strconv.Itoa(i))
		}
		if _, more := <-l.lines; more {
			t.Error("more than was published")
		}
	}
	if a := cl.send("GET", "/subscribe/c", ""); a.status != 503 {
		t.Errorf("a stream after Close: %d %s", a.status, a.body)
	}
	if a := cl.send("GET", "/readyz", ""); a.status != 503 {
		t.Errorf("ready after Close: %d", a.status)
	}
	cl.do(`["PING"]`)
}

// seen tells whether so many events have arrived and not been read yet.
func (l *listener) seen(n int) bool { return len(l.lines) >= n }

// TestStreamsOutliveRedis: the clients never come back by themselves.
func TestStreamsOutliveRedis(t *testing.T) {
	t.Parallel()
	s := redistest.Start(t)
	c := openRedis(t, s.URL())
	cl := serve(t, c, gateway.Options{})
	chat, users, monitor := cl.listen("/subscribe/chat"), cl.listen("/psubscribe/user:*"), cl.listen("/monitor")
	chat.want("data: subscribe,chat,1")
	users.want("data: psubscribe,user:*,1")
	monitor.want(`data: "OK"`)
	s.Restart()
	reached := func(channel, payload string) func() bool {
		return func() bool {
			v, err := c.Do(bg, conn.Key("PUBLISH", channel, payload))
			return err == nil && v.Int > 0
		}
	}
	eventually(t, "the channel to be listened to again", reached("chat", "again"))
	eventually(t, "the pattern to be listened to again", reached("user:1", "again"))
	chat.want("data: message,chat,again")
	users.want("data: pmessage,user:*,user:1,again")
	eventually(t, "the monitor", func() bool {
		_, err := c.Do(bg, conn.Key("GET", "watched"))
		return err == nil && len(monitor.lines) > 0
	})
	if cl.g.Stats().LostSubscriptions < 2 {
		t.Errorf("%+v", cl.g.Stats())
	}
	s.Stop()
	eventually(t, "the loss", func() bool { return cl.g.Stats().LostSubscriptions >= 4 })
	if a := cl.send("GET", "/subscribe/other", ""); a.status != 503 {
		t.Errorf("a new stream without Redis: %d %s", a.status, a.body)
	}
}

// A client that goes ends its stream, whatever it was waiting for.
func TestStreamCancelled(t *testing.T) {
	t.Parallel()
	c := openEmbedded(t)
	cl := serve(t, c, gateway.Options{})
	for range 50 {
		ctx, cancel := context.WithCancel(t.Context())
		res := cl.open(ctx, "POST", "/subscribe/c", "[]")
		cancel()
		_, _ = io.Copy(io.Discard, res.Body)
		_ = res.Body.Close()
	}
	eventually(t, "the streams to end", func() bool { return cl.g.Stats().OpenStreams == 0 })
	eventually(t, "the subscription to end", func() bool { return subscribers(t, c, "c") == 0 })
}
