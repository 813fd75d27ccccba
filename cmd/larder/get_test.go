package main

import (
	"testing"

	"github.com/larder-go/larder/internal/redistest"
)

func TestGet(t *testing.T) {
	t.Parallel()
	srv := redistest.Shared(t)
	url := srv.URL()
	cached(t, url, "got", "a", "b")
	if out := outcome(t, 0, `"value of a"`, "", "get", "--redis", url, "got:a"); out != `"value of a"` {
		t.Errorf("%q", out)
	}
	if out := outcome(t, 0, `"value of a"`, "", "get", "--pretty", "--redis", url, "got:a"); out != "\"value of a\"\n" {
		t.Errorf("%q", out)
	}
	outcome(t, 1, "", "absent", "get", "--redis", url, "got:none")
	if _, err := srv.Do("APPEND", "got:b", "}"); err != nil {
		t.Fatal(err)
	}
	outcome(t, 0, `"value of b"}`, "not JSON", "get", "--pretty", "--redis", url, "got:b")
	if _, err := srv.Do("DEL", "~tag:got/all"); err != nil {
		t.Fatal(err)
	}
	outcome(t, 1, "", "the generation of tag got/all is missing", "get", "--redis", url, "got:a")
	outcome(t, 0, "personal data", "", "help", "get")
}
