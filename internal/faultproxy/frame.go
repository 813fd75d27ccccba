package faultproxy

import (
	"bufio"
	"errors"
	"io"
	"slices"
	"strconv"
)

// Bounds of what a server may send in one frame.
const (
	maxFrame = 512 << 20
	maxDepth = 32
	maxLine  = 64 << 10
)

var errProtocol = errors.New("faultproxy: the server does not speak RESP")

// frame is one reply or push, as it was sent.
type frame struct {
	bytes []byte
	// push tells an invalidation or a published message. Confirmations of
	// subscriptions, which are pushes too, count as replies: they answer a command.
	push bool
}

// readFrame reads one whole reply or push.
func readFrame(r *bufio.Reader) (frame, error) {
	b, err := appendFrame(nil, r, 0)
	if err != nil {
		return frame{}, err
	}
	return frame{b, b[0] == '>' && isNews(b)}, nil
}

// appendFrame appends a value of RESP3 and all that it holds.
func appendFrame(b []byte, r *bufio.Reader, depth int) ([]byte, error) {
	line, err := readLine(r)
	if err != nil {
		return nil, err
	}
	if b = append(b, line...); depth > maxDepth || len(b) > maxFrame {
		return nil, errProtocol
	}
	kind, rest := line[0], string(line[1:len(line)-2])
	values := 0
	switch kind {
	case '+', '-', ':', '_', ',', '#', '(':
		return b, nil
	case '$', '=', '!', '*', '~', '>', '%', '|':
		if values, err = strconv.Atoi(rest); err != nil || values > maxFrame {
			return nil, errProtocol
		}
	default:
		return nil, errProtocol
	}
	if values < 0 { // nil, as RESP2 has it
		return b, nil
	}
	switch kind {
	case '$', '=', '!':
		return appendBytes(b, r, values+len("\r\n"))
	case '%':
		values *= 2
	case '|': // attributes stand before the value that they describe
		values = 2*values + 1
	}
	for range values {
		if b, err = appendFrame(b, r, depth+1); err != nil {
			return nil, err
		}
	}
	return b, nil
}

// appendBytes appends so many bytes, and allocates as they come: the number is what
// the server claims.
func appendBytes(b []byte, r *bufio.Reader, size int) ([]byte, error) {
	for size > 0 {
		at, n := len(b), min(size, 1<<20)
		b = slices.Grow(b, n)[:at+n]
		if _, err := io.ReadFull(r, b[at:]); err != nil {
			return nil, err
		}
		size -= n
	}
	return b, nil
}

// readLine reads up to CRLF, which it includes.
func readLine(r *bufio.Reader) ([]byte, error) {
	line, err := r.ReadSlice('\n')
	if errors.Is(err, bufio.ErrBufferFull) || err == nil && (len(line) < 3 || line[len(line)-2] != '\r') {
		return nil, errProtocol
	}
	return line, err
}

// isNews tells whether a push is an invalidation or a message.
func isNews(b []byte) bool {
	for _, name := range []string{"invalidate", "message", "pmessage", "smessage"} {
		text := "\r\n$" + strconv.Itoa(len(name)) + "\r\n" + name + "\r\n"
		// ">2\r\n$10\r\ninvalidate\r\n": the count has one digit.
		if len(b) > 2+len(text) && string(b[2:2+len(text)]) == text {
			return true
		}
	}
	return false
}
