package embedded

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/larder-go/larder/conn"
)

const maxReplyDepth = 64

var errReplyEnd = errors.New("it ends too early")

// parseReply reads one reply in RESP2 or RESP3. Its strings share s.
func parseReply(s string) (conn.Value, error) {
	p := respParser{rest: s}
	v, err := p.value(0)
	if err != nil {
		return conn.Value{}, err
	}
	if p.rest != "" {
		return conn.Value{}, fmt.Errorf("%d bytes follow it", len(p.rest))
	}
	return v, nil
}

type respParser struct{ rest string }

func (p *respParser) line() (string, error) {
	i := strings.Index(p.rest, "\r\n")
	if i < 0 {
		return "", errReplyEnd
	}
	line := p.rest[:i]
	p.rest = p.rest[i+2:]
	return line, nil
}

func (p *respParser) value(depth int) (conn.Value, error) {
	if depth > maxReplyDepth {
		return conn.Value{}, fmt.Errorf("it is nested more than %d levels", maxReplyDepth)
	}
	line, err := p.line()
	if err != nil {
		return conn.Value{}, err
	}
	if line == "" {
		return conn.Value{}, errors.New("its type is missing")
	}
	kind, line := line[0], line[1:]
	switch kind {
	case '+':
		return conn.Value{Kind: conn.Status, Str: line}, nil
	case '-':
		return failure(line), nil
	case ',':
		return conn.Value{Kind: conn.Float, Str: line}, nil
	case '(':
		return conn.Value{Kind: conn.BigNum, Str: line}, nil
	case '_':
		return conn.Value{}, nil
	case '#':
		switch line {
		case "t":
			return conn.Value{Kind: conn.Bool, Int: 1}, nil
		case "f":
			return conn.Value{Kind: conn.Bool}, nil
		}
		return conn.Value{}, errors.New("a boolean is neither t nor f")
	}
	n, err := strconv.ParseInt(line, 10, 64)
	if err != nil {
		return conn.Value{}, errors.New("a number is malformed")
	}
	switch kind {
	case ':':
		return conn.Value{Kind: conn.Int, Int: n}, nil
	case '$':
		return p.bulk(conn.Bulk, n)
	case '=':
		return p.bulk(conn.Verbatim, n)
	case '*', '>':
		return p.aggregate(conn.Array, n, depth)
	case '~':
		return p.aggregate(conn.Set, n, depth)
	case '%':
		if n < 0 || n > int64(len(p.rest)) {
			return conn.Value{}, errReplyEnd
		}
		return p.aggregate(conn.Map, 2*n, depth)
	}
	return conn.Value{}, fmt.Errorf("its type %q is unknown", kind)
}

func (p *respParser) bulk(kind conn.Kind, n int64) (conn.Value, error) {
	if n == -1 {
		return conn.Value{}, nil
	}
	if n < 0 || n > int64(len(p.rest))-2 || p.rest[n:n+2] != "\r\n" {
		return conn.Value{}, errReplyEnd
	}
	str := p.rest[:n]
	p.rest = p.rest[n+2:]
	if kind == conn.Verbatim {
		if n < 4 || str[3] != ':' {
			return conn.Value{}, errors.New("a verbatim string has no format")
		}
		str = str[4:]
	}
	return conn.Value{Kind: kind, Str: str}, nil
}

func (p *respParser) aggregate(kind conn.Kind, n int64, depth int) (conn.Value, error) {
	if n == -1 {
		return conn.Value{}, nil
	}
	// The shortest element, a null, has three bytes.
	if n < 0 || n > int64(len(p.rest)/3) {
		return conn.Value{}, errReplyEnd
	}
	v := conn.Value{Kind: kind, Elems: make([]conn.Value, n)}
	for i := range v.Elems {
		var err error
		if v.Elems[i], err = p.value(depth + 1); err != nil {
			return conn.Value{}, err
		}
	}
	return v, nil
}
