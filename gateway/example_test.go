package gateway_test

import (
	"context"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"

	"github.com/larder-go/larder/embedded"
	"github.com/larder-go/larder/gateway"
)

func Example() {
	ctx := context.Background()
	c, err := embedded.Open(ctx) // or redisconn.Open
	if err != nil {
		log.Fatal(err)
	}
	defer func() { _ = c.Close() }()
	g, err := gateway.New(c, gateway.Options{Token: "secret"})
	if err != nil {
		log.Fatal(err)
	}
	defer func() { _ = g.Close() }()
	srv := httptest.NewServer(g) // in production an http.Server with ReadHeaderTimeout
	defer srv.Close()

	for _, body := range []string{`["SET","greeting","hello","EX",60]`, `["GET","greeting"]`} {
		req, err := http.NewRequestWithContext(ctx, http.MethodPost, srv.URL, strings.NewReader(body))
		if err != nil {
			log.Fatal(err)
		}
		req.Header.Set("Authorization", "Bearer secret")
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			log.Fatal(err)
		}
		answer, err := io.ReadAll(res.Body)
		_ = res.Body.Close()
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(string(answer))
	}
	http.DefaultClient.CloseIdleConnections()
	// Output:
	// {"result":"OK"}
	// {"result":"hello"}
}
