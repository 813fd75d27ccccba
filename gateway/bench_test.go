package gateway_test

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"testing"

	"github.com/larder-go/larder/conn"
	"github.com/larder-go/larder/gateway"
	"github.com/larder-go/larder/internal/redistest"
	"github.com/larder-go/larder/internal/sidebyside"
	"github.com/larder-go/larder/redisconn"
)

// connections is the number of clients in the benchmarks.
const connections = 64

// value is as long as the ones that other servers were measured with.
var value = strings.Repeat("v", 219)

// BenchmarkGet compares a GET through the gateway and a real Redis with a bare
// net/http handler that answers a constant of the same size: x-bare 1.67 means
// 0.6 of its requests per second. Clients, servers and Redis share the machine.
func BenchmarkGet(b *testing.B) {
	for name, backend := range map[string]func(b *testing.B) conn.Conn{
		"redis":    func(b *testing.B) conn.Conn { b.Helper(); return benchRedis(b) },
		"embedded": func(b *testing.B) conn.Conn { b.Helper(); return openEmbedded(b) },
	} {
		for form, raw := range map[string]string{
			"path": request("GET", "/get/bench", ""),
			"body": request("POST", "/", `["GET","bench"]`),
		} {
			b.Run(name+"/"+form, func(b *testing.B) {
				c := backend(b)
				if _, err := c.Do(b.Context(), conn.Key("SET", "bench", value)); err != nil {
					b.Fatal(err)
				}
				ours := dialAll(b, benchGateway(b, c), raw)
				theirs := dialAll(b, benchServer(b, bareHandler(`{"result":"`+value+`"}`)), raw)
				sidebyside.Run(b, connections, theirs.send, ours.send)
			})
		}
	}
}

// BenchmarkPipeline sends pipelines of 100 GETs and reports commands per second,
// beside a bare handler that reads and drops the same body.
func BenchmarkPipeline(b *testing.B) {
	const commands = 100
	c := benchRedis(b)
	if _, err := c.Do(b.Context(), conn.Key("SET", "bench", "value")); err != nil {
		b.Fatal(err)
	}
	body := "[" + strings.Repeat(`["GET","bench"],`, commands-1) + `["GET","bench"]]`
	reply := "[" + strings.Repeat(`{"result":"value"},`, commands-1) + `{"result":"value"}]`
	raw := request("POST", "/pipeline", body)
	ours := dialAll(b, benchGateway(b, c), raw)
	theirs := dialAll(b, benchServer(b, bareHandler(reply)), raw)
	sidebyside.Run(b, connections, theirs.send, ours.send)
	b.ReportMetric(float64(b.N)*commands/b.Elapsed().Seconds(), "commands/s")
}

// BenchmarkConn is what the pipelines of BenchmarkPipeline cost without HTTP.
func BenchmarkConn(b *testing.B) {
	const commands = 100
	c := benchRedis(b)
	if _, err := c.Do(b.Context(), conn.Key("SET", "bench", "value")); err != nil {
		b.Fatal(err)
	}
	cmds := make([]conn.Command, commands)
	for i := range cmds {
		cmds[i] = conn.Key("GET", "bench")
	}
	b.ReportAllocs()
	b.SetParallelism(connections / 2)
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			for _, r := range c.Pipeline(b.Context(), cmds...) {
				if r.Err != nil {
					b.Error(r.Err)
					return
				}
			}
		}
	})
	b.ReportMetric(float64(b.N)*commands/b.Elapsed().Seconds(), "commands/s")
}

func benchRedis(b *testing.B) conn.Conn {
	b.Helper()
	c, err := redisconn.Open(b.Context(), redistest.Start(b).URL(), redisconn.Options{})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = c.Close() })
	return c
}

func benchGateway(b *testing.B, c conn.Conn) net.Addr {
	b.Helper()
	g, err := gateway.New(c, gateway.Options{Token: token})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = g.Close() })
	return benchServer(b, g)
}

func benchServer(b *testing.B, h http.Handler) net.Addr {
	b.Helper()
	ln, err := (&net.ListenConfig{}).Listen(b.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	srv := &http.Server{Handler: h, ReadHeaderTimeout: patience}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = srv.Serve(ln)
	}()
	b.Cleanup(func() {
		_ = srv.Close()
		<-ended
	})
	return ln.Addr()
}

func bareHandler(reply string) http.Handler {
	answer := []byte(reply)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		w.Header()["Content-Type"] = []string{"application/json"}
		w.Header()["Content-Length"] = []string{strconv.Itoa(len(answer))}
		_, _ = w.Write(answer)
	})
}

// clients are connections that send the same request again and again. They do
// as little as possible, so that the servers are what is measured.
type clients struct {
	raw   []byte
	conns []net.Conn
	in    []*bufio.Reader
}

func dialAll(b *testing.B, addr net.Addr, raw string) *clients {
	b.Helper()
	c := &clients{raw: []byte(raw)}
	for range connections {
		nc, err := (&net.Dialer{}).DialContext(b.Context(), "tcp", addr.String())
		if err != nil {
			b.Fatal(err)
		}
		b.Cleanup(func() { _ = nc.Close() })
		c.conns, c.in = append(c.conns, nc), append(c.in, bufio.NewReaderSize(nc, 16<<10))
	}
	return c
}

var lengthHeader = []byte("Content-Length: ")

func (c *clients) send(i int) error {
	i %= connections
	if _, err := c.conns[i].Write(c.raw); err != nil {
		return err
	}
	in, length, first := c.in[i], -1, true
	for {
		line, err := in.ReadSlice('\n')
		if err != nil {
			return err
		}
		if first && !bytes.HasPrefix(line, []byte("HTTP/1.1 200")) {
			return fmt.Errorf("got %s", line)
		}
		first = false
		if len(line) <= 2 {
			break
		}
		if text, ok := bytes.CutPrefix(line, lengthHeader); ok {
			length = 0
			for _, d := range bytes.TrimSpace(text) {
				length = length*10 + int(d-'0')
			}
		}
	}
	if length < 0 {
		return errors.New("no Content-Length")
	}
	_, err := in.Discard(length)
	return err
}
