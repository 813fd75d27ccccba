package upstash

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/larder-go/larder/conn"
)

var (
	errTimeout  = errors.New("no answer within Options.Timeout")
	errReply    = errors.New("the answer is not one to the commands that were sent")
	errFormat   = errors.New("the answer is JSON where RESP2 was asked for")
	errResponse = errors.New("the answer is larger than Options.MaxResponse")
)

// statusError is an answer that says nothing but its status.
type statusError int

func (e statusError) Error() string {
	return fmt.Sprintf("the server answered %d %s", int(e), http.StatusText(int(e)))
}

// fail is the error of a call that got no answer. bound is the context that was
// used, made from ctx.
func (c *Conn) fail(ctx, bound context.Context, op string, err error) error {
	switch {
	case c.life.Err() != nil:
		return conn.ErrClosed
	case ctx.Err() != nil:
		err = ctx.Err()
	case errors.Is(bound.Err(), context.DeadlineExceeded):
		err = errTimeout
	}
	if ue, ok := errors.AsType[*url.Error](err); ok {
		err = ue.Err // its text holds the URL, and with it the names of channels
	}
	return &conn.Error{Op: op, Err: err}
}

// refusal is the error of a response whose status is not 200.
func refusal(op string, status int, body string) error {
	text := errorText(body)
	switch {
	case status >= 300 && status < 400:
		return &conn.Error{Op: op, Err: statusError(status), Hint: "redirects are not followed; check the URL"}
	case status < 400 || status >= 500 || status == http.StatusTooManyRequests || text == "":
		return &conn.Error{Op: op, Err: statusError(status)}
	}
	return serverError(op, text)
}

// errorText is the error that body holds, as RESP2 or as JSON, or "".
func errorText(body string) string {
	if text, ok := strings.CutPrefix(body, "-"); ok {
		text, _, _ = strings.Cut(text, "\r\n")
		return text
	}
	var e struct {
		Error string `json:"error"`
	}
	if strings.HasPrefix(body, "{") && json.Unmarshal([]byte(body), &e) == nil {
		return e.Error
	}
	return ""
}

// What the gateway says of a server that it cannot reach. Within a pipeline there
// is no status to tell it from an answer of Redis.
const (
	textUnavailable = "ERR the Redis server is unavailable"
	textTimeout     = "ERR the Redis server did not answer in time"
)

var (
	errUnavailable = errors.New("the gateway cannot reach the server")
	errLate        = errors.New("the gateway got no answer in time")
)

// serverError makes an error of the server's text.
func serverError(op, text string) error {
	switch text {
	case textUnavailable:
		return &conn.Error{Op: op, Err: errUnavailable}
	case textTimeout:
		return &conn.Error{Op: op, Err: errLate}
	}
	return &conn.ServerError{Text: text}
}
