package event

import (
	"errors"
	"fmt"
)

var (
	// ErrUnavailable is in the chain of errors of calls that Redis did not answer,
	// or refused.
	ErrUnavailable = errors.New("event: the server is unavailable")
	// ErrClosed is returned by everything that belongs to a closed Topic, and by a
	// closed Subscription.
	ErrClosed = errors.New("event: closed")
	// ErrTooLarge says that a message is encoded to more than Options.MaxBytes. It
	// was not published.
	ErrTooLarge = errors.New("event: the message is too large")
)

// Error is a failed operation. It prints neither topics nor payloads.
type Error struct {
	// Op is "publish" or "subscribe".
	Op string
	// Err is the cause.
	Err error
}

// Error names the operation and the cause.
func (e *Error) Error() string { return "event: " + e.Op + ": " + e.Err.Error() }

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// away is the cause of an operation that Redis did not answer.
type away struct{ err error }

func (a away) Error() string   { return a.err.Error() }
func (a away) Unwrap() []error { return []error{a.err, ErrUnavailable} }

func failed(op string, err error) error { return &Error{Op: op, Err: away{err}} }

// Reason says why messages may be missing.
type Reason string

// The reasons of a GapError.
const (
	// Disconnected: the connection was lost; what was published until it was back
	// is missing. Only where the topic is not durable.
	Disconnected Reason = "disconnected"
	// Slow: the subscriber's buffer was full, see Options.Overflow.
	Slow Reason = "slow"
	// Trimmed: the message after which the subscriber wanted to go on is no longer
	// in the stream, so further ones may be missing too. Only where the topic is
	// durable.
	Trimmed Reason = "trimmed"
)

// GapError says that messages may be missing between the one that was received
// before and the next one. The subscription goes on.
type GapError struct {
	Reason Reason
	// Missed is how many messages are known to be missing: all of them where the
	// Reason is Slow. Otherwise there may be more.
	Missed int
}

// Error says why, and how many are missing if that is known.
func (g *GapError) Error() string {
	if g.Missed > 0 {
		return fmt.Sprintf("event: %d messages are known to be missing: %s", g.Missed, g.Reason)
	}
	return "event: messages may be missing: " + string(g.Reason)
}

// DecodeError is a message that is not of the topic's type. The subscription goes
// on.
type DecodeError struct {
	// ID and Channel are those of the message.
	ID, Channel string
	// Payload is what was received. Error does not print it.
	Payload string
	// Err is the decoder's, which may quote the payload. Error does not print it.
	Err error
}

// Error says that a message cannot be decoded.
func (e *DecodeError) Error() string { return "event: a message cannot be decoded" }

// GoString is Error.
func (e *DecodeError) GoString() string { return e.Error() }

// Unwrap returns the decoder's error.
func (e *DecodeError) Unwrap() error { return e.Err }

// OptionError says which field of Options, or which argument, is wrong.
type OptionError struct {
	Field   string
	Value   any
	Allowed string
}

// Error names the field, its value and what is allowed.
func (e *OptionError) Error() string {
	return fmt.Sprintf("event: %s is %#v; allowed: %s", e.Field, e.Value, e.Allowed)
}

func optionError(field string, value any, allowed string) error {
	if s, ok := value.(fmt.Stringer); ok {
		value = s.String()
	}
	return &OptionError{Field: field, Value: value, Allowed: allowed}
}
