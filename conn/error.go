package conn

import (
	"errors"
	"strings"
)

var (
	// ErrUnavailable is in the chain of every error that is not the server's
	// answer: no connection, a cut connection, a passed deadline.
	ErrUnavailable = errors.New("conn: server unavailable")
	// ErrClosed is returned by calls on a closed Conn; it is ErrUnavailable too.
	ErrClosed = &Error{Op: "use", Err: errClosed}

	errClosed = errors.New("the connection is closed")
)

// Error is a failure on the way to the server.
// errors.Is(err, ErrUnavailable) holds for every Error.
type Error struct {
	// Op is what was tried: a command's name, "eval", "subscribe", "open" …
	Op string
	// Err is the cause. Its text holds no values and no credentials.
	Err error
	// Hint, if any, says what to do about it.
	Hint string
}

// Error says what was tried, why it failed and what to do.
func (e *Error) Error() string {
	s := "conn: " + e.Op + ": " + e.Err.Error()
	if e.Hint != "" {
		s += " (" + e.Hint + ")"
	}
	return s
}

// Unwrap gives errors.Is and errors.As both the cause and ErrUnavailable.
func (e *Error) Unwrap() []error { return []error{e.Err, ErrUnavailable} }

// ServerError is an error reply of the server.
type ServerError struct {
	// Text is the whole reply, for example "WRONGTYPE Operation against …".
	Text string
}

// Error is the server's text.
func (e *ServerError) Error() string { return "conn: the server answered: " + e.Text }

// Code is the first word of the reply: "ERR", "WRONGTYPE", "NOSCRIPT", "OOM" …
func (e *ServerError) Code() string {
	code, _, _ := strings.Cut(e.Text, " ")
	return code
}

// Code returns the code of a *ServerError in err's chain, or "".
func Code(err error) string {
	if se, ok := errors.AsType[*ServerError](err); ok {
		return se.Code()
	}
	return ""
}
