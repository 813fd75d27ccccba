package conn

import (
	"context"
	"errors"
	"strings"
	"testing"
)

func TestValueConversions(t *testing.T) {
	for _, tt := range []struct {
		v       Value
		text    string // "-" where there is none
		integer any    // nil where there is none
	}{
		{Value{}, "-", nil},
		{Value{Kind: Bulk, Str: "12"}, "12", int64(12)},
		{Value{Kind: Bulk, Str: "1x"}, "1x", nil},
		{Value{Kind: Bulk}, "", nil},
		{Value{Kind: Status, Str: "OK"}, "OK", nil},
		{Value{Kind: Int, Int: -7}, "-7", int64(-7)},
		{Value{Kind: Bool, Int: 1}, "1", int64(1)},
		{Value{Kind: Float, Str: "1.5"}, "1.5", nil},
		{Value{Kind: BigNum, Str: "99999999999999999999"}, "99999999999999999999", nil},
		{Value{Kind: Array, Elems: []Value{{Kind: Int}}}, "-", nil},
	} {
		text, err := tt.v.Text()
		if err != nil {
			text = "-"
		}
		if text != tt.text {
			t.Errorf("%s: text %q, want %q", tt.v.Kind, text, tt.text)
		}
		n, err := tt.v.Int64()
		if (err == nil) != (tt.integer != nil) || err == nil && n != tt.integer {
			t.Errorf("%s: integer %d, %v, want %v", tt.v.Kind, n, err, tt.integer)
		}
		if _, err := tt.v.List(); (err == nil) != (tt.v.Kind == Array) {
			t.Errorf("%s: list: %v", tt.v.Kind, err)
		}
	}
	_, err := Value{Kind: Array, Elems: []Value{{Kind: Bulk, Str: "secret"}}}.Text()
	if err == nil || strings.Contains(err.Error(), "secret") || !strings.Contains(err.Error(), "array") {
		t.Errorf("error %v: it names the kind and no data", err)
	}
	if s := Kind(200).String(); s != "kind(200)" {
		t.Errorf("an unknown kind is %q", s)
	}
}

func TestCommandKeys(t *testing.T) {
	for _, tt := range []struct {
		cmd  Command
		name string
		key  string
	}{
		{Key("GET", "a"), "GET", "a"},
		{Key("SET", "", "v", "PX", "1"), "SET", ""},
		{Cmd("PING"), "PING", "-"},
		{Command{}, "", "-"},
		{Command{Args: []string{"EVAL", "return 1", "1", "k"}, KeyAt: 3}, "EVAL", "k"},
		{Command{Args: []string{"GET"}, KeyAt: 1}, "GET", "-"},
		{Command{Args: []string{"GET", "a"}, KeyAt: -1}, "GET", "-"},
	} {
		key, ok := tt.cmd.Key()
		if !ok {
			key = "-"
		}
		if tt.cmd.Name() != tt.name || key != tt.key {
			t.Errorf("%v: name %q key %q", tt.cmd, tt.cmd.Name(), key)
		}
	}
}

func TestErrors(t *testing.T) {
	err := error(&Error{Op: "GET", Err: context.DeadlineExceeded, Hint: "is the server there?"})
	if !errors.Is(err, ErrUnavailable) || !errors.Is(err, context.DeadlineExceeded) || !errors.Is(ErrClosed, ErrUnavailable) {
		t.Error("an error on the way is ErrUnavailable and its cause")
	}
	if got, want := err.Error(), "conn: GET: context deadline exceeded (is the server there?)"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	answer := error(&ServerError{Text: "WRONGTYPE Operation against a key"})
	if Code(answer) != "WRONGTYPE" || Code(err) != "" || errors.Is(answer, ErrUnavailable) {
		t.Error("an answer of the server has a code and is not ErrUnavailable")
	}
}

// The digest is what redis-cli and every other client computes.
func TestScriptDigest(t *testing.T) {
	if d := NewScript("return 1").Digest(); d != "e0e1f9fabfc9d4800c877a703b823ac0578ff8db" {
		t.Errorf("digest %s", d)
	}
}
