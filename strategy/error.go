package strategy

import (
	"errors"
	"fmt"

	"github.com/larder-go/larder/observe"
)

var (
	// ErrClosed is returned by every method of a closed Registry.
	ErrClosed = errors.New("strategy: the registry is closed")
	// ErrUnreadable is in the chain of the error of Read where Redis holds something
	// else under the registry's keys.
	ErrUnreadable = errors.New("strategy: the registry in Redis is not of this form")
)

// Error is a refused declaration, or a wrong option.
type Error struct {
	// Kind and Name are the subject's; empty where an option is wrong.
	Kind observe.Kind
	Name string
	// Field is what is wrong: a field of About, of the subject, or of Options.
	Field string
	// Problem says what is wrong with it, Write what to write instead.
	Problem, Write string
}

// Error says all of it.
func (e *Error) Error() string {
	subject := ""
	if e.Kind != "" || e.Name != "" {
		subject = fmt.Sprintf("%s %q: ", e.Kind, e.Name)
	}
	return fmt.Sprintf("strategy: %s%s %s; write %s", subject, e.Field, e.Problem, e.Write)
}

func (d *Declaration) refused(field, problem, write string) error {
	return &Error{Kind: d.Kind, Name: d.Name, Field: field, Problem: problem, Write: write}
}

func optionError(field string, value any, write string) error {
	return &Error{Field: "Options." + field, Problem: fmt.Sprintf("is %v", value), Write: write}
}
