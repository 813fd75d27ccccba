package dashboard_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"

	"github.com/larder-go/larder/dashboard"
	"github.com/larder-go/larder/embedded"
)

// A dashboard in a service that knows its users: below any prefix, without a log-in of
// its own.
func ExampleNew() {
	ctx := context.Background()
	c, err := embedded.Open(ctx) // or redisconn.Open(ctx, url, redisconn.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer c.Close()
	d, err := dashboard.New(c, dashboard.Options{
		Authenticate: func(r *http.Request) bool { return r.Header.Get("X-User") == "ada" },
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer d.Close()
	mux := http.NewServeMux()
	mux.Handle("/ops/cache/", http.StripPrefix("/ops/cache", d))
	srv := httptest.NewServer(mux)
	defer srv.Close()

	for _, user := range []string{"ada", "eve"} {
		r, err := http.NewRequestWithContext(ctx, http.MethodGet, srv.URL+"/ops/cache/namespaces", http.NoBody)
		if err != nil {
			fmt.Println(err)
			return
		}
		r.Header.Set("X-User", user)
		res, err := srv.Client().Do(r)
		if err != nil {
			fmt.Println(err)
			return
		}
		_, _ = io.Copy(io.Discard, res.Body)
		_ = res.Body.Close()
		fmt.Println(user, res.StatusCode)
	}
	// Output:
	// ada 200
	// eve 403
}
