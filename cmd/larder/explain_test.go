package main

import (
	"encoding/json"
	"fmt"
	"os"
	"testing"

	"github.com/larder-go/larder/internal/redistest"
)

func TestExplain(t *testing.T) {
	t.Parallel()
	url := redistest.Shared(t).URL()
	cached(t, url, "explained", "a", "b:c")
	outcome(t, 0, "tag          explained/all  current", "", "explain", "--redis", url, "explained:a")
	outcome(t, 0, "served fresh", "", "explain", "explained:b:c", "--redis", url)
	outcome(t, 0, "served fresh", "", "explain", "--namespace", "explained", "b:c", "--redis", url)
	outcome(t, 0, "absent: the next Get loads", "", "explain", "--redis", url, "explained:none")
	outcome(t, 2, "", "0 keys given", "explain", "--redis", url)
	outcome(t, 2, "", "2 keys given", "explain", "--redis", url, "a:b", "c:d")
	outcome(t, 2, "", "bad key; allowed: namespace:key", "explain", "--redis", url, "explained")
	outcome(t, 2, "", "bad namespace", "explain", "--redis", url, "~tag:users")

	out := outcome(t, 0, `"state":"fresh"`, "", "explain", "--json", "--redis", url, "explained:a")
	var got struct {
		Exists bool
		Entry  struct {
			Age *float64 `json:"age_ms"`
		}
	}
	if err := json.Unmarshal([]byte(out), &got); err != nil || !got.Exists || got.Entry.Age == nil {
		t.Errorf("%v: %s", err, out)
	}
}

// It says who has invalidated: here, the process of the test.
func TestExplainWho(t *testing.T) {
	t.Parallel()
	url := redistest.Shared(t).URL()
	cached(t, url, "explained-who", "a")
	outcome(t, 0, "current, made", "", "explain", "--redis", url, "explained-who:a")
	outcome(t, 0, "invalidated 1 tag", "", "invalidate", "--redis", url, "--tag", "explained-who/all")
	outcome(t, 0, fmt.Sprintf("/%d\n", os.Getpid()), "", "explain", "--redis", url, "explained-who:a")
}

func TestExplainCluster(t *testing.T) {
	t.Parallel()
	cluster := redistest.SharedCluster(t)
	cached(t, cluster.URL(), "explained", "a")
	outcome(t, 0, "cluster slot", "", "explain", "--redis", cluster.URL(), "explained:a")
}
