package redisserver

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"time"
)

// answerTimeout bounds one command.
const answerTimeout = 5 * time.Second

// Do sends one command over a connection of its own and returns the reply as text:
// arrays one element a line, nil as "".
func (s *Server) Do(args ...string) (string, error) { return Ask(s.Addr(), args...) }

// Ask is Do of whatever listens at an address.
func Ask(addr string, args ...string) (string, error) {
	c, err := (&net.Dialer{Timeout: time.Second}).DialContext(context.Background(), "tcp", addr)
	if err != nil {
		return "", err
	}
	defer func() { _ = c.Close() }()
	_ = c.SetDeadline(time.Now().Add(answerTimeout))
	var b strings.Builder
	fmt.Fprintf(&b, "*%d\r\n", len(args))
	for _, a := range args {
		fmt.Fprintf(&b, "$%d\r\n%s\r\n", len(a), a)
	}
	if _, err := io.WriteString(c, b.String()); err != nil {
		return "", err
	}
	return readReply(bufio.NewReader(c))
}

func readReply(r *bufio.Reader) (string, error) {
	line, err := r.ReadString('\n')
	if err != nil {
		return "", err
	}
	line = strings.TrimRight(line, "\r\n")
	if line == "" {
		return "", fmt.Errorf("redisserver: an empty reply")
	}
	rest := line[1:]
	n, _ := strconv.Atoi(rest)
	switch line[0] {
	case '+', ':':
		return rest, nil
	case '-':
		return "", replyError(rest)
	case '$':
		if n < 0 {
			return "", nil
		}
		buf := make([]byte, n+2)
		_, err := io.ReadFull(r, buf)
		return string(buf[:n]), err
	case '*':
		var lines []string
		for range n {
			text, err := readReply(r)
			if err != nil {
				return "", err
			}
			lines = append(lines, text)
		}
		return strings.Join(lines, "\n"), nil
	}
	return "", fmt.Errorf("redisserver: a reply of unknown type %q", line[0])
}

// replyError is an error reply: the server is there, and said no.
type replyError string

func (e replyError) Error() string { return string(e) }
