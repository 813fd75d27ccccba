package dashboard

import "fmt"

// OptionError is an option that cannot be used.
type OptionError struct {
	// Field is its name, such as "Options.Refresh".
	Field string
	// Value is what was given.
	Value any
	// Allowed says what would be.
	Allowed string
}

// Error names the field, the value and what is allowed.
func (e *OptionError) Error() string {
	return fmt.Sprintf("dashboard: %s is %v; allowed: %s", e.Field, e.Value, e.Allowed)
}

func optionError(field string, value any, allowed string) error {
	return &OptionError{Field: field, Value: value, Allowed: allowed}
}
