package upstash

import (
	"strconv"
	"strings"

	"github.com/larder-go/larder/conn"
)

// maxDepth bounds the nesting of a reply.
const maxDepth = 128

// parser reads replies in RESP2. Strings share the memory of src.
type parser struct {
	src string
}

// next reads one reply; an error of the server is a Failure. ok is false where
// src is not RESP2, or ends too soon.
func (p *parser) next(depth int) (v conn.Value, ok bool) {
	line, rest, found := strings.Cut(p.src, "\r\n")
	if !found || line == "" || depth > maxDepth {
		return v, false
	}
	p.src = rest
	kind, line := line[0], line[1:]
	switch kind {
	case '+':
		return conn.Value{Kind: conn.Status, Str: line}, true
	case '-':
		return conn.Value{Kind: conn.Failure, Str: line}, true
	}
	n, err := strconv.ParseInt(line, 10, 64)
	if err != nil {
		return v, false
	}
	switch {
	case kind == ':':
		return conn.Value{Kind: conn.Int, Int: n}, true
	case n == -1 && (kind == '$' || kind == '*'):
		return v, true
	case n < 0:
		return v, false
	case kind == '$':
		return p.bulk(n)
	case kind == '*':
		return p.array(n, depth)
	}
	return v, false
}

func (p *parser) bulk(n int64) (v conn.Value, ok bool) {
	if n > int64(len(p.src))-2 || p.src[n:n+2] != "\r\n" {
		return v, false
	}
	v = conn.Value{Kind: conn.Bulk, Str: p.src[:n]}
	p.src = p.src[n+2:]
	return v, true
}

func (p *parser) array(n int64, depth int) (v conn.Value, ok bool) {
	const least = int64(len("+\r\n"))
	if n > int64(len(p.src))/least {
		return v, false
	}
	v = conn.Value{Kind: conn.Array, Elems: make([]conn.Value, 0, min(n, 64))}
	for range n {
		e, ok := p.next(depth + 1)
		if !ok {
			return conn.Value{}, false
		}
		v.Elems = append(v.Elems, e)
	}
	return v, true
}

// parseRESP reads exactly n replies.
func parseRESP(body string, n int) ([]conn.Value, error) {
	p := parser{src: body}
	values := make([]conn.Value, n)
	for i := range values {
		v, ok := p.next(0)
		if !ok {
			if strings.HasPrefix(body, "[") || strings.HasPrefix(body, "{") {
				return nil, errFormat
			}
			return nil, errReply
		}
		values[i] = v
	}
	if p.src != "" {
		return nil, errReply
	}
	return values, nil
}
