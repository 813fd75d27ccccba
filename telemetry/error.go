package telemetry

import "fmt"

// OptionError is an option that cannot be used.
type OptionError struct {
	// Field is its name, such as "Options.FlushEvery".
	Field string
	// Value is what was given.
	Value any
	// Allowed says what would be.
	Allowed string
}

// Error names the field, the value and what is allowed.
func (e *OptionError) Error() string {
	return fmt.Sprintf("telemetry: %s is %v; allowed: %s", e.Field, e.Value, e.Allowed)
}

// Error is a reading or a writing that failed.
type Error struct {
	// Op is what was tried: "read", "flush".
	Op string
	// Err is the cause.
	Err error
}

// Error says what was tried and why it failed.
func (e *Error) Error() string { return "telemetry: " + e.Op + ": " + e.Err.Error() }

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }
