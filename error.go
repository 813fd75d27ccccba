package larder

import (
	"errors"
	"fmt"
)

var (
	// ErrNotFound is a loader's way to say that its source has no such value,
	// and what Get then returns. It is remembered for Options.NegativeTTL.
	ErrNotFound = errors.New("larder: not found")
	// ErrNotModified is what Options.LoadItem answers where the old value that it
	// was given is still the source's.
	ErrNotModified = errors.New("larder: not modified")
	// ErrNoLoader is returned by Get where Options.Load is nil.
	ErrNoLoader = errors.New("larder: no loader: set Options.Load or use GetWith")
	// ErrClosed is returned by every method of a closed Cache.
	ErrClosed = errors.New("larder: the cache is closed")
	// ErrInvalidationPending is in the chain of the error that an invalidation
	// returns which could not be delivered. It is not lost: it is tried again
	// until Redis answers, while the process lives, and until then the Cache does
	// not use what Redis holds of it. Other processes may serve the old value
	// for as long.
	ErrInvalidationPending = errors.New("larder: invalidation pending")
	// ErrLoadTimeout is in the chain of the error that callers get who did not wait
	// longer for a load: see Options.LoadTimeout and LoadSoftTimeout.
	ErrLoadTimeout = errors.New("larder: the load did not end in time")
	// ErrLoadFailed is in the chain of the error that callers get who waited for
	// another process' load when that failed. What it failed with stays there.
	ErrLoadFailed = errors.New("larder: the load failed in another process")
	// ErrLoaderPanic is in the chain of the error that callers get when a
	// loader panicked.
	ErrLoaderPanic = errors.New("larder: the loader panicked")
)

// Error is a failed operation of a Cache. Neither keys nor values are printed:
// both may be personal data.
type Error struct {
	// Op is the method: "get", "set", "invalidate" …
	Op string
	// Namespace is the cache's.
	Namespace string
	// Key is the encoded key, if the operation had one. Error does not print it.
	Key string
	// Err is the cause.
	Err error
}

// Error names the operation, the namespace and the cause.
func (e *Error) Error() string {
	return fmt.Sprintf("larder: %s in %q: %v", e.Op, e.Namespace, e.Err)
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// OptionError says which field of Options, or which argument, is wrong.
type OptionError struct {
	Field   string
	Value   any
	Allowed string
}

// Error names the field, its value and what is allowed.
func (e *OptionError) Error() string {
	return fmt.Sprintf("larder: %s is %#v; allowed: %s", e.Field, e.Value, e.Allowed)
}

func optionError(field string, value any, allowed string) error {
	if s, ok := value.(fmt.Stringer); ok {
		value = s.String()
	}
	return &OptionError{Field: field, Value: value, Allowed: allowed}
}
