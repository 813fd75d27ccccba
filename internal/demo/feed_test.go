package demo

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"testing"
)

func TestMisled(t *testing.T) {
	t.Parallel()
	list := func(ids string) (out []string) {
		for _, r := range ids {
			out = append(out, string(r))
		}
		return out
	}
	for _, tt := range []struct {
		told, want string
		misled     int
	}{
		{"", "", 0},
		{"abc", "abc", 0},
		{"ab", "abc", 1},
		{"", "abc", 3},
		{"abbc", "abc", 1},
		{"abcx", "abc", 1},
		{"acb", "abc", 2}, // c is early, and then missing
		{"x", "", 1},
	} {
		if got := misled(list(tt.told), list(tt.want)); got != tt.misled {
			t.Errorf("told %q of %q: %d, want %d", tt.told, tt.want, got, tt.misled)
		}
	}
}

// Every instance tells of what any has written.
func TestFeedsTellOfEveryWrite(t *testing.T) {
	t.Parallel()
	apps := testApps(t, 2)
	urls := make([]string, len(apps))
	for i, a := range apps {
		server := httptest.NewServer(a.handler())
		t.Cleanup(server.Close)
		urls[i] = server.URL
	}
	transport := &http.Transport{}
	t.Cleanup(transport.CloseIdleConnections)
	live, err := follow(t.Context(), transport, urls)
	if err != nil {
		t.Fatal(err)
	}
	defer live.close()
	var want []string
	for i := range 10 {
		var reply struct{ Change string }
		w := ask(t, apps[i%len(apps)], "POST", "/package/p00")
		if err := json.Unmarshal(w.Body.Bytes(), &reply); err != nil || reply.Change == "" {
			t.Fatalf("%s, %v", w.Body, err)
		}
		want = append(want, reply.Change)
	}
	live.await(t.Context(), len(want))
	live.close()
	for i, told := range live.told {
		if n := misled(told, want); n != 0 {
			t.Errorf("instance %d told of %q, want %q", i, told, want)
		}
	}
	if len(live.took) != len(want)*len(apps) || live.took[0] <= 0 {
		t.Errorf("latencies %v", live.took)
	}
}

func TestFollowRefuses(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.NotFoundHandler())
	t.Cleanup(server.Close)
	transport := &http.Transport{}
	t.Cleanup(transport.CloseIdleConnections)
	if _, err := follow(context.Background(), transport, []string{server.URL}); err == nil {
		t.Error("an instance without a feed was followed")
	}
}
