package gateway

import (
	"context"
	"errors"
	"net/http"
	"strings"

	"github.com/larder-go/larder/conn"
)

// compatibilityURL is where the commands are listed that are not available.
const compatibilityURL = "https://github.com/larder-go/larder/blob/main/docs/compatibility.md"

// The texts by which SDKs know errors are Upstash's.
const (
	textAuth        = "WRONGPASS invalid or missing auth token"
	textCrossSlot   = "CROSSSLOT Keys in request don't hash to the same slot (the server is a cluster: give keys that are used together one {hash tag})"
	textUnavailable = "ERR the Redis server is unavailable"
	textTimeout     = "ERR the Redis server did not answer in time"
	textNotInteger  = "ERR value is not an int or out of range"
)

// notAvailable refuses a command.
func notAvailable(name string) error {
	if len(name) > maxName {
		name = name[:maxName]
	}
	return &conn.ServerError{Text: "ERR Command is not available: '" + name + "'. See " + compatibilityURL + " for details"}
}

func wrongArity(name string) error {
	return &conn.ServerError{Text: "ERR wrong number of arguments for '" + name + "' command"}
}

func notPermitted(name string) error {
	return &conn.ServerError{Text: "NOPERM this user has no permissions to run the '" + name + "' command or its subcommand"}
}

// explain returns the text and the status of an error.
func explain(err error) (text string, status int) {
	if se, ok := errors.AsType[*conn.ServerError](err); ok {
		if se.Text == "ERR value is not an integer or out of range" {
			return textNotInteger, http.StatusBadRequest
		}
		return se.Text, http.StatusBadRequest
	}
	if _, ok := errors.AsType[*sizeError](err); ok {
		return err.Error(), http.StatusRequestEntityTooLarge
	}
	if ce, ok := errors.AsType[*conn.Error](err); ok && ce.Op == opStream {
		return "ERR " + ce.Err.Error(), http.StatusServiceUnavailable
	}
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		return textTimeout, http.StatusServiceUnavailable
	case errors.Is(err, conn.ErrUnavailable), errors.Is(err, context.Canceled):
		return textUnavailable, http.StatusServiceUnavailable
	case strings.HasPrefix(err.Error(), "ERR "):
		return err.Error(), http.StatusBadRequest
	}
	return "ERR " + err.Error(), http.StatusBadRequest
}
