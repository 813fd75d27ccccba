package main

import (
	"bytes"
	"context"
	"errors"
	"io"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/larder-go/larder/internal/redistest"
)

func TestInvalidate(t *testing.T) {
	t.Parallel()
	url := redistest.Shared(t).URL()
	state := func(want string, key string) {
		t.Helper()
		outcome(t, 0, want, "", "explain", "--redis", url, key)
	}
	invalidate := func(args ...string) []string { return append([]string{"invalidate", "--redis", url}, args...) }

	cached(t, url, "gone", "a", "b", "c:d", "e")
	outcome(t, 0, "invalidated 2 keys, of which 1 had an entry\n", "", invalidate("gone:a", "gone:none")...)
	state("absent", "gone:a")
	outcome(t, 0, "invalidated 1 key, of which 1 had an entry\n", "", invalidate("--namespace", "gone", "c:d")...)
	state("served fresh", "gone:b")

	outcome(t, 0, "invalidated 2 tags: \"gone/all\", \"x\"\n", "", invalidate("--tag", "gone/all", "--tag=x")...)
	state("a miss: tag gone/all was invalidated", "gone:b")

	cached(t, url, "cleared", "a")
	outcome(t, 1, "", "--yes", invalidate("--namespace", "cleared")...)
	state("served fresh", "cleared:a")
	outcome(t, 0, "invalidated namespace \"cleared\"\n", "", invalidate("--namespace", "cleared", "--yes")...)
	state("a miss: namespace cleared was invalidated", "cleared:a")

	for _, tt := range []struct{ args, why string }{
		{"", "nothing to invalidate"},
		{"gone", "namespace:key"},
		{"--tag a b", "--tag goes with neither"},
		{"--tag a --namespace b", "--tag goes with neither"},
		{"--pattern a*", "needs --namespace"},
		{"--pattern a* --namespace ok b", "quotes"},
		{"--namespace a:b --yes", "bad namespace"},
		{"--tag=", "bad tag"},
	} {
		outcome(t, 2, "", tt.why, invalidate(strings.Fields(tt.args)...)...)
	}
}

func TestInvalidatePattern(t *testing.T) {
	t.Parallel()
	for name, server := range map[string]func(testing.TB) string{
		"redis":   func(tb testing.TB) string { return redistest.Shared(tb).URL() },
		"cluster": func(tb testing.TB) string { return redistest.SharedCluster(tb).URL() },
	} {
		t.Run(name, func(t *testing.T) {
			url := server(t)
			cached(t, url, "glob", "10", "11", "12", "20")
			cached(t, url, "glob2", "10")
			outcome(t, 1, "", "not confirmed", "invalidate", "--redis", url, "--namespace", "glob", "--pattern", "1*")
			outcome(t, 0, "removed 3 entries of namespace \"glob\"\n", "", "invalidate", "--redis", url, "--namespace", "glob", "--pattern", "1*", "--yes")
			outcome(t, 0, "removed 1 entry of namespace \"glob\"\n", "", "invalidate", "--redis", url, "--namespace", "glob", "--pattern", "*", "--yes")
			outcome(t, 0, "removed 1 entry of", "", "invalidate", "--redis", url, "--namespace", "glob2", "--pattern", "*", "--yes")
		})
	}
}

func TestConfirm(t *testing.T) {
	t.Parallel()
	for answer, want := range map[string]error{
		"y\n": nil, " YES \n": nil, "y": nil,
		"\n": errNotConfirmed, "n\n": errNotConfirmed, "": errNotConfirmed, "yep\n": errNotConfirmed,
	} {
		var errs bytes.Buffer
		err := confirm(t.Context(), stdio{in: strings.NewReader(answer), err: &errs}, true, "Sure?")
		if !errors.Is(err, want) || errs.String() != "Sure? [y/N] " {
			t.Errorf("%q: %v, %q", answer, err, errs.String())
		}
	}
	if err := confirm(t.Context(), stdio{in: strings.NewReader("y\n")}, false, "Sure?"); !errors.Is(err, errNotConfirmed) {
		t.Errorf("without a terminal: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	r, w := io.Pipe()
	if err := confirm(ctx, stdio{in: r, err: io.Discard}, true, "Sure?"); !errors.Is(err, context.Canceled) {
		t.Errorf("interrupted: %v", err)
	}
	_ = w.Close()
}

func TestWatch(t *testing.T) {
	t.Parallel()
	for _, takes := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			var b bytes.Buffer
			var n atomic.Int64
			stop := watch(&progress{w: &b, terminal: true}, "removed", &n)
			want := ""
			if n.Store(7); takes {
				time.Sleep(progressAfter + progressEvery/2)
				want = "\r\x1b[Kremoved: 7\r\x1b[K"
			}
			stop()
			if b.String() != want {
				t.Errorf("%q, want %q", b.String(), want)
			}
		})
	}
}
