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

// longValue is as long as the ones that other servers were measured with; value
// is what the key of a benchmark holds.
var (
	longValue = strings.Repeat("v", 219)
	value     = longValue
)

// BenchmarkGet compares a GET of 64 clients through the gateway with a bare
// net/http handler that answers a constant of the same size, and with the same
// clients on Redis itself: x-bare 1.67 means 0.6 of what is named last. Clients,
// servers and Redis share the machine.
func BenchmarkGet(b *testing.B) {
	path, body := request("GET", "/get/bench", ""), request("POST", "/", `["GET","bench"]`)
	reply := `{"result":"` + value + `"}`
	b.Run("redis/path/handler", func(b *testing.B) {
		c, _ := benchRedis(b)
		ours := dialAll(b, benchGateway(b, c), path)
		theirs := dialAll(b, benchServer(b, bareHandler(reply)), path)
		sidebyside.Run(b, connections, theirs.send, ours.send)
	})
	b.Run("redis/body/handler", func(b *testing.B) {
		c, _ := benchRedis(b)
		ours := dialAll(b, benchGateway(b, c), body)
		theirs := dialAll(b, benchServer(b, bareHandler(reply)), body)
		sidebyside.Run(b, connections, theirs.send, ours.send)
	})
	b.Run("redis/body/redis", func(b *testing.B) {
		c, addr := benchRedis(b)
		ours := dialAll(b, benchGateway(b, c), body)
		theirs := dialAll(b, addr, respGets(1))
		theirs.answer = respValue(1)
		sidebyside.Run(b, connections, theirs.send, ours.send)
	})
	b.Run("embedded/body/handler", func(b *testing.B) {
		c := openEmbedded(b)
		if _, err := c.Do(b.Context(), conn.Key("SET", "bench", value)); err != nil {
			b.Fatal(err)
		}
		ours := dialAll(b, benchGateway(b, c), body)
		theirs := dialAll(b, benchServer(b, bareHandler(reply)), body)
		sidebyside.Run(b, connections, theirs.send, ours.send)
	})
}

// commands is the length of the pipelines in the benchmarks.
const commands = 100

// BenchmarkPipeline sends pipelines of 100 GETs of five bytes and reports
// commands per second, beside a bare handler that reads and drops the same body,
// and beside the same clients on Redis itself.
func BenchmarkPipeline(b *testing.B) {
	value = "value"
	defer func() { value = longValue }()
	raw := request("POST", "/pipeline", "["+strings.Repeat(`["GET","bench"],`, commands-1)+`["GET","bench"]]`)
	b.Run("handler", func(b *testing.B) {
		c, _ := benchRedis(b)
		ours := dialAll(b, benchGateway(b, c), raw)
		reply := "[" + strings.Repeat(`{"result":"value"},`, commands-1) + `{"result":"value"}]`
		theirs := dialAll(b, benchServer(b, bareHandler(reply)), raw)
		sidebyside.Run(b, connections, theirs.send, ours.send)
		b.ReportMetric(float64(b.N)*commands/b.Elapsed().Seconds(), "commands/s")
	})
	b.Run("redis", func(b *testing.B) {
		c, addr := benchRedis(b)
		ours := dialAll(b, benchGateway(b, c), raw)
		theirs := dialAll(b, addr, respGets(commands))
		theirs.answer = respValue(commands)
		sidebyside.Run(b, connections, theirs.send, ours.send)
		b.ReportMetric(float64(b.N)*commands/b.Elapsed().Seconds(), "commands/s")
	})
}

// BenchmarkConn is what the pipelines of BenchmarkPipeline cost without HTTP.
func BenchmarkConn(b *testing.B) {
	c, _ := benchRedis(b)
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

// benchRedis starts a server that holds the value.
func benchRedis(b *testing.B) (conn.Conn, net.Addr) {
	b.Helper()
	s := redistest.Start(b)
	c, err := redisconn.Open(b.Context(), s.URL(), redisconn.Options{})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = c.Close() })
	if _, err := c.Do(b.Context(), conn.Key("SET", "bench", value)); err != nil {
		b.Fatal(err)
	}
	addr, err := net.ResolveTCPAddr("tcp", s.Addr())
	if err != nil {
		b.Fatal(err)
	}
	return c, addr
}

// respGets are n commands as Redis takes them, respValue is its answer.
func respGets(n int) string { return strings.Repeat("*2\r\n$3\r\nGET\r\n$5\r\nbench\r\n", n) }

func respValue(n int) string {
	return strings.Repeat(fmt.Sprintf("$%d\r\n%s\r\n", len(value), value), n)
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
	raw    []byte
	answer string // the whole of it where it is not HTTP
	conns  []net.Conn
	in     []*bufio.Reader
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
	if c.answer != "" {
		_, err := c.in[i].Discard(len(c.answer))
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
