package gateway

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync"
	"time"

	"github.com/larder-go/larder/conn"
)

// keepBuffer is how large a buffer is kept for another request.
const keepBuffer = 1 << 20

// scratch is what a request needs and the next one can use again.
type scratch struct {
	body   []byte
	out    []byte
	parser parser
	rows   []row
	cmds   []conn.Command
	result [1]conn.Result // of a command that is sent by itself
}

var scratches = sync.Pool{New: func() any { return new(scratch) }}

func borrow() *scratch {
	s, _ := scratches.Get().(*scratch)
	return s
}

// giveBack keeps s unless it has grown large. What points to a request's data
// is cleared: it would be kept alive.
func (s *scratch) giveBack() {
	if cap(s.body) > keepBuffer || cap(s.out) > keepBuffer || cap(s.parser.text) > keepBuffer || cap(s.rows) > keepBuffer/256 {
		return
	}
	clear(s.rows)
	clear(s.cmds[:cap(s.cmds)])
	s.result[0] = conn.Result{}
	s.parser.src = nil
	scratches.Put(s)
}

// sizeError is a request or result beyond a limit.
type sizeError struct {
	what          string // as in "max request size"
	limit, actual int64
}

func (e *sizeError) Error() string {
	return fmt.Sprintf("ERR max %s size exceeded. Limit: %d bytes, Actual: %d bytes", e.what, e.limit, e.actual)
}

var errBody = errors.New("ERR failed to read the request body")

// limitBody bounds how long the body may take. It counts for bodies that are
// refused too: net/http reads on for a while before it answers.
func (x *exchange) limitBody() {
	if x.r.ContentLength != 0 {
		// An error means that the connection knows no deadlines, as in tests.
		_ = http.NewResponseController(x.w).SetReadDeadline(time.Now().Add(x.g.opts.BodyTimeout))
	}
}

// readBody reads a request's body into s.body, within the limit of size.
func (g *Gateway) readBody(w http.ResponseWriter, r *http.Request, s *scratch) error {
	s.body = s.body[:0]
	limit := int64(g.opts.MaxRequest)
	switch {
	case r.ContentLength == 0 || r.Body == nil || r.Body == http.NoBody:
		return nil
	case r.ContentLength > limit:
		return &sizeError{"request", limit, r.ContentLength}
	}
	if n := int(r.ContentLength); n > 0 {
		// What a client announces is not believed before it is there.
		s.body = grow(s.body, min(n, keepBuffer)+1)
	}
	for {
		if len(s.body) == cap(s.body) {
			s.body = grow(s.body, 512)
		}
		n, err := r.Body.Read(s.body[len(s.body):cap(s.body)])
		s.body = s.body[:len(s.body)+n]
		switch {
		case int64(len(s.body)) > limit:
			return &sizeError{"request", limit, int64(len(s.body))}
		case errors.Is(err, io.EOF):
			_ = http.NewResponseController(w).SetReadDeadline(time.Time{})
			return nil
		case err != nil:
			return errBody
		}
	}
}

// grow makes room for n more bytes.
func grow(b []byte, n int) []byte {
	if cap(b)-len(b) >= n {
		return b
	}
	bigger := make([]byte, len(b), max(2*cap(b), len(b)+n))
	copy(bigger, b)
	return bigger
}

// size is the number of bytes in the strings of a reply.
func size(v conn.Value) (n int64) {
	n = int64(len(v.Str))
	for _, e := range v.Elems {
		n += size(e)
	}
	return n
}
