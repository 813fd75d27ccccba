package gateway

import (
	"encoding/base64"
	"strconv"
	"unicode/utf8"

	"github.com/larder-go/larder/conn"
)

// appendItem appends {"result":…} or {"error":…}. A result beyond the limit is
// an error.
func (g *Gateway) appendItem(b []byte, r *row, encoded bool) []byte {
	if r.res.Err != nil {
		text, _ := explain(r.res.Err)
		return appendError(b, text)
	}
	start := len(b)
	b = append(b, `{"result":`...)
	b = appendValue(b, r.res.Value, r.shape, encoded, true)
	b = append(b, '}')
	if len(b)-start > g.opts.MaxRequest {
		if n := size(r.res.Value); n > int64(g.opts.MaxRequest) {
			text := (&sizeError{"request", int64(g.opts.MaxRequest), n}).Error()
			r.fail(&conn.ServerError{Text: text})
			return appendError(b[:start], text)
		}
	}
	return b
}

func appendError(b []byte, text string) []byte {
	b = append(b, `{"error":`...)
	b = appendString(b, text)
	return append(b, '}')
}

// appendValue appends a reply in its RESP2 shape. top tells that it is the whole
// result, where clients take OK as it is even if they asked for base64.
func appendValue(b []byte, v conn.Value, s shape, encoded, top bool) []byte {
	switch v.Kind {
	case conn.Int, conn.Bool:
		return strconv.AppendInt(b, v.Int, 10)
	case conn.Status:
		if encoded && (!top || v.Str != "OK") {
			return appendBase64(b, v.Str)
		}
		return appendString(b, v.Str)
	case conn.Bulk, conn.Float, conn.BigNum, conn.Verbatim:
		if encoded {
			return appendBase64(b, v.Str)
		}
		return appendString(b, v.Str)
	case conn.Failure:
		return appendString(b, v.Str)
	case conn.Array, conn.Set, conn.Map:
		b = append(b, '[')
		if s == flat {
			for i := range v.Elems {
				if i > 0 {
					b = append(b, ',')
				}
				b = appendValue(b, v.Elems[i], flat, encoded, false)
			}
			return append(b, ']')
		}
		start := len(b)
		each(v, s, func(e conn.Value, s shape) {
			if len(b) > start {
				b = append(b, ',')
			}
			b = appendValue(b, e, s, encoded, false)
		})
		return append(b, ']')
	}
	return append(b, "null"...)
}

// appendBase64 encodes piece by piece: the encoder wants bytes, and the whole
// string would have to be copied for it.
func appendBase64(b []byte, s string) []byte {
	var piece [768]byte // a multiple of 3, so that only the last one is padded
	b = append(b, '"')
	for len(s) > 0 {
		n := copy(piece[:], s)
		b = base64.StdEncoding.AppendEncode(b, piece[:n])
		s = s[n:]
	}
	return append(b, '"')
}

// plainByte tells which bytes stand for themselves in a JSON string.
var plainByte = func() (t [256]bool) {
	for c := ' '; c < utf8.RuneSelf; c++ {
		t[c] = c != '"' && c != '\\'
	}
	return t
}()

// appendString appends a JSON string; bytes that are not UTF-8 become U+FFFD.
func appendString(b []byte, s string) []byte {
	const hex = "0123456789abcdef"
	b = append(b, '"')
	start := 0
	for i := 0; i < len(s); {
		c := s[i]
		if plainByte[c] {
			i++
			continue
		}
		if c >= utf8.RuneSelf {
			if r, n := utf8.DecodeRuneInString(s[i:]); r != utf8.RuneError || n > 1 {
				i += n
				continue
			}
		}
		b = append(b, s[start:i]...)
		i++
		start = i
		switch {
		case c >= utf8.RuneSelf:
			b = append(b, `\ufffd`...)
		case c == '"', c == '\\':
			b = append(b, '\\', c)
		case c == '\n':
			b = append(b, `\n`...)
		case c == '\r':
			b = append(b, `\r`...)
		case c == '\t':
			b = append(b, `\t`...)
		default:
			b = append(b, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
		}
	}
	b = append(b, s[start:]...)
	return append(b, '"')
}
