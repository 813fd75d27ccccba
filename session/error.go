package session

import (
	"errors"
	"fmt"

	"github.com/larder-go/larder/conn"
)

var (
	// ErrNotFound says that there is no such session: it has expired, was
	// destroyed, or never existed. Redis has answered.
	ErrNotFound = errors.New("session: not found")
	// ErrUnavailable is in the chain of every error that leaves open whether the
	// session exists: Redis did not answer, or refused to. Whether a write has
	// happened is open too.
	ErrUnavailable = errors.New("session: the store is unavailable")
	// ErrCorrupt says that what Redis holds is not a session of this type, was
	// changed by somebody else, or is encrypted under a key that Options.Keys
	// lacks.
	ErrCorrupt = errors.New("session: the stored session cannot be read")
	// ErrTooLarge says that the data is encoded to more than Options.MaxBytes.
	// Nothing was written.
	ErrTooLarge = errors.New("session: the data is too large")
	// ErrConflict says that an update met other writers of the same session a
	// thousand times in a row. Nothing was written.
	ErrConflict = errors.New("session: too many concurrent updates")
	// ErrHeaderWritten is returned by methods of a Handle that need to set the
	// cookie when the response has begun. Nothing was written.
	ErrHeaderWritten = errors.New("session: the response has begun, its cookie cannot be set any more")
	// ErrNoMiddleware is returned by every method of a Handle for a request that
	// did not come through the Middleware.
	ErrNoMiddleware = errors.New("session: the request did not pass the middleware")
)

// Error is a failed operation. It prints neither ids nor users nor data.
type Error struct {
	// Op is the method in lower case: "get", "update" …
	Op string
	// Err is the cause.
	Err error
}

// Error names the operation and the cause.
func (e *Error) Error() string { return "session: " + e.Op + ": " + e.Err.Error() }

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// away is the cause of an operation that got no answer.
type away struct{ err error }

func (a away) Error() string   { return a.err.Error() }
func (a away) Unwrap() []error { return []error{a.err, ErrUnavailable} }

// failed is the error of a command. Whatever Redis says instead of an answer (it is
// loading, full, not permitted) leaves open whether the session exists.
func failed(op string, err error) error {
	if conn.Code(err) == "WRONGTYPE" {
		return &Error{Op: op, Err: ErrCorrupt}
	}
	return &Error{Op: op, Err: away{err}}
}

// OptionError says which field of Options, or which argument, is wrong.
type OptionError struct {
	Field   string
	Value   any
	Allowed string
}

// Error names the field, its value and what is allowed.
func (e *OptionError) Error() string {
	return fmt.Sprintf("session: %s is %#v; allowed: %s", e.Field, e.Value, e.Allowed)
}

func optionError(field string, value any, allowed string) error {
	if s, ok := value.(fmt.Stringer); ok {
		value = s.String()
	}
	return &OptionError{Field: field, Value: value, Allowed: allowed}
}
