package ratelimit

import (
	"errors"
	"fmt"
)

var (
	// ErrIdentifier is in the chain of the error for an identifier that is empty,
	// longer than MaxIdentifierBytes, or would name a key of another kind.
	ErrIdentifier = errors.New("ratelimit: bad identifier")
	// ErrCost is in the chain of the error for a cost that is beyond the limit, so
	// that no waiting would help, or out of range. Nothing has been counted.
	ErrCost = errors.New("ratelimit: bad cost")
	// ErrDenied is in the chain of the error of Wait for an identifier, or a client,
	// that a deny list names.
	ErrDenied = errors.New("ratelimit: denied by a deny list")
	// ErrClosed is in the chain of the error of every method of a closed Limiter.
	ErrClosed = errors.New("ratelimit: the limiter is closed")
)

// Error is a failed operation of a Limiter. It names no identifier: that may be
// personal data.
type Error struct {
	// Op is the method: "limit", "remaining", "reset" …
	Op string
	// Err is the cause.
	Err error
}

// Error names the operation and the cause.
func (e *Error) Error() string { return "ratelimit: " + e.Op + ": " + e.Err.Error() }

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// failed wraps err, unless there is none.
func failed(op string, err error) error {
	if err == nil {
		return nil
	}
	return &Error{Op: op, Err: err}
}

// badInput is the error for an argument, with the sentinel it belongs to.
func badInput(sentinel error, format string, args ...any) error {
	return fmt.Errorf("%w: %s", sentinel, fmt.Sprintf(format, args...))
}

func optionError(field string, value any, allowed string) error {
	if s, ok := value.(fmt.Stringer); ok {
		value = s.String()
	}
	return fmt.Errorf("ratelimit: Options.%s is %v; allowed: %s", field, value, allowed)
}
