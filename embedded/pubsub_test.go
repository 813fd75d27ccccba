package embedded

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"testing"

	"github.com/larder-go/larder/conn"
)

func TestMatches(t *testing.T) {
	for _, tc := range []struct {
		pattern, s string
		want       bool
	}{
		{"*", "", true},
		{"*", "a\nb", true},
		{"a*c", "abc", true},
		{"a*c", "ab", false},
		{"a**c", "ac", true},
		{"*a*b*", "xaxbx", true},
		{"?", "a", true},
		{"?", "", false},
		{"h[ae]llo", "hello", true},
		{"h[^e]llo", "hello", false},
		{"h[a-c]llo", "hbllo", true},
		{"h[c-a]llo", "hbllo", true},
		{`\*`, "*", true},
		{`\*`, "a", false},
		{`[\]]`, "]", true},
		{"[]", "a", false},
		{"[a", "a", true},
		{"", "", true},
		{"", "a", false},
		{"a", "A", false},
		{"\xff*", "\xff\xfe", true},
		{`a\`, `a\`, true},
	} {
		if got := matches(tc.pattern, tc.s); got != tc.want {
			t.Errorf("%q on %q: %v", tc.pattern, tc.s, got)
		}
	}
}

func TestPublishReachesTheRightSubscribers(t *testing.T) {
	c := open(t, Options{})
	got := make(chan string, 100)
	var done []chan error
	for name, s := range map[string]conn.Subscription{
		"exact":   {Channels: []string{"news", "news", "other"}},
		"pattern": {Patterns: []string{"n*", "*s"}},
		"shard":   {Sharded: []string{"news"}},
	} {
		ready, end := make(chan struct{}), make(chan error, 1)
		s.Ready = func() { close(ready) }
		go func() {
			end <- c.Subscribe(t.Context(), s, func(m conn.Message) { got <- name + " " + m.Pattern + " " + m.Channel + " " + m.Payload })
		}()
		<-ready
		done = append(done, end)
	}
	if v := do(t, c.engine.Connect(), "PUBLISH", "news", "1"); v.Int != 3 {
		t.Errorf("%d receivers", v.Int)
	}
	if v := eval(t, c, "return redis.call('SPUBLISH', 'news', '2')", nil); v.Int != 1 {
		t.Errorf("%d receivers", v.Int)
	}
	var all []string
	for range 4 {
		all = append(all, <-got)
	}
	slices.Sort(all)
	if want := []string{"exact  news 1", "pattern *s news 1", "pattern n* news 1", "shard  news 2"}; !slices.Equal(all, want) {
		t.Errorf("got %q", all)
	}
	if v := do(t, c, "PUBSUB", "NUMSUB", "news", "none"); v.Elems[1].Int != 1 || v.Elems[3].Int != 0 {
		t.Errorf("NUMSUB: %+v", v)
	}
	if v := do(t, c, "PUBSUB", "CHANNELS", "n*"); len(v.Elems) != 1 || v.Elems[0].Str != "news" {
		t.Errorf("CHANNELS: %+v", v)
	}
	if v := do(t, c, "PUBSUB", "NUMPAT"); v.Int != 2 {
		t.Errorf("NUMPAT: %+v", v)
	}
	if err := c.Close(); err != nil {
		t.Error(err)
	}
	for _, end := range done {
		if err := <-end; !errors.Is(err, conn.ErrClosed) {
			t.Errorf("got %v", err)
		}
	}
}

func TestSlowSubscriberIsCutOff(t *testing.T) {
	c := open(t, Options{})
	first, goOn := make(chan struct{}), make(chan struct{})
	end := make(chan error, 1)
	n := 0
	go func() {
		end <- c.Subscribe(t.Context(), conn.Subscription{Channels: []string{"c"}, Ready: func() { close(first) }}, func(conn.Message) {
			if n++; n == 1 {
				<-goOn
			}
		})
	}()
	<-first
	for i := range maxQueued + 10 {
		do(t, c, "PUBLISH", "c", strconv.Itoa(i))
	}
	for range maxQueued + 10 {
		do(t, c, "PUBLISH", "c", "")
	}
	close(goOn)
	if err := <-end; !errors.Is(err, conn.ErrUnavailable) || errors.Is(err, conn.ErrClosed) {
		t.Errorf("got %v", err)
	}
}

func TestSubscriptionMistakes(t *testing.T) {
	c := open(t, Options{})
	for _, s := range []conn.Subscription{{}, {Channels: []string{"a"}, Patterns: []string{"b"}}} {
		if err := c.Subscribe(t.Context(), s, func(conn.Message) {}); err == nil || errors.Is(err, conn.ErrUnavailable) {
			t.Errorf("%+v: %v", s, err)
		}
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if err := c.Subscribe(ended, conn.Subscription{Channels: []string{"a"}}, func(conn.Message) {}); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}
