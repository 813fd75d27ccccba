package scripted

import (
	"bufio"
	"errors"
	"io"
	"strconv"
	"strings"

	"github.com/larder-go/larder/conn"
)

// Bounds of what a client may send.
const (
	maxArgs  = 1 << 20
	maxBytes = 64 << 20
)

var errProtocol = errors.New("scripted: the client does not speak RESP")

// readCommand reads one command: an array of bulk strings.
func readCommand(r *bufio.Reader) ([]string, error) {
	n, err := readLength(r, '*', maxArgs)
	if err != nil {
		return nil, err
	}
	args := make([]string, n)
	for i := range args {
		size, err := readLength(r, '$', maxBytes)
		if err != nil {
			return nil, err
		}
		b := make([]byte, size+len("\r\n"))
		if _, err := io.ReadFull(r, b); err != nil {
			return nil, err
		}
		args[i] = string(b[:size])
	}
	return args, nil
}

func readLength(r *bufio.Reader, kind byte, most int) (int, error) {
	line, err := r.ReadString('\n')
	if err != nil {
		return 0, err
	}
	n, err := strconv.Atoi(strings.TrimSuffix(line[1:], "\r\n"))
	if line[0] != kind || err != nil || n < 0 || n > most {
		return 0, errProtocol
	}
	return n, nil
}

// appendValue appends v as RESP3 has it.
func appendValue(b []byte, v conn.Value) []byte {
	switch v.Kind {
	case conn.Nil:
		return append(b, "_\r\n"...)
	case conn.Bulk:
		return appendText(b, '$', v.Str)
	case conn.Verbatim:
		return appendText(b, '=', "txt:"+v.Str)
	case conn.Status:
		return appendLine(b, '+', v.Str)
	case conn.Int:
		return appendLine(b, ':', strconv.FormatInt(v.Int, 10))
	case conn.Float:
		return appendLine(b, ',', v.Str)
	case conn.Bool:
		return appendLine(b, '#', map[bool]string{true: "t", false: "f"}[v.Int != 0])
	case conn.BigNum:
		return appendLine(b, '(', v.Str)
	case conn.Failure:
		return appendLine(b, '-', strings.NewReplacer("\r", " ", "\n", " ").Replace(v.Str))
	case conn.Array:
		return appendList(b, '*', len(v.Elems), v.Elems)
	case conn.Set:
		return appendList(b, '~', len(v.Elems), v.Elems)
	case conn.Map:
		return appendList(b, '%', len(v.Elems)/2, v.Elems)
	}
	panic("scripted: a value of kind " + v.Kind.String())
}

func appendLine(b []byte, kind byte, text string) []byte {
	return append(append(append(b, kind), text...), "\r\n"...)
}

func appendText(b []byte, kind byte, text string) []byte {
	b = appendLine(b, kind, strconv.Itoa(len(text)))
	return append(append(b, text...), "\r\n"...)
}

func appendList(b []byte, kind byte, n int, elems []conn.Value) []byte {
	b = appendLine(b, kind, strconv.Itoa(n))
	for _, e := range elems {
		b = appendValue(b, e)
	}
	return b
}

// appendPush appends the invalidation of keys; nil means all keys.
func appendPush(b []byte, keys []string) []byte {
	b = appendText(append(b, ">2\r\n"...), '$', "invalidate")
	if keys == nil {
		return append(b, "_\r\n"...)
	}
	b = appendLine(b, '*', strconv.Itoa(len(keys)))
	for _, key := range keys {
		b = appendText(b, '$', key)
	}
	return b
}
