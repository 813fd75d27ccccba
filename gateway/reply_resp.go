package gateway

import (
	"strconv"
	"strings"

	"github.com/larder-go/larder/conn"
)

// appendRESP appends a row's reply in RESP2.
func appendRESP(b []byte, r *row) []byte {
	if r.res.Err != nil {
		text, _ := explain(r.res.Err)
		return appendRESPError(b, text)
	}
	return appendRESPValue(b, r.res.Value, r.shape)
}

func appendRESPError(b []byte, text string) []byte {
	b = append(b, '-')
	b = append(b, oneLine.Replace(text)...)
	return append(b, "\r\n"...)
}

var oneLine = strings.NewReplacer("\r", " ", "\n", " ")

func appendRESPValue(b []byte, v conn.Value, s shape) []byte {
	switch v.Kind {
	case conn.Int, conn.Bool:
		b = append(b, ':')
		b = strconv.AppendInt(b, v.Int, 10)
		return append(b, "\r\n"...)
	case conn.Status:
		b = append(b, '+')
		b = append(b, v.Str...)
		return append(b, "\r\n"...)
	case conn.Failure:
		return appendRESPError(b, v.Str)
	case conn.Bulk, conn.Float, conn.BigNum, conn.Verbatim:
		b = append(b, '$')
		b = strconv.AppendInt(b, int64(len(v.Str)), 10)
		b = append(b, "\r\n"...)
		b = append(b, v.Str...)
		return append(b, "\r\n"...)
	case conn.Array, conn.Set, conn.Map:
		b = append(b, '*')
		b = strconv.AppendInt(b, int64(count(v, s)), 10)
		b = append(b, "\r\n"...)
		each(v, s, func(e conn.Value, s shape) { b = appendRESPValue(b, e, s) })
		return b
	}
	return append(b, "$-1\r\n"...)
}
