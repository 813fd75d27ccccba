package sandbox

import (
	"errors"
	"fmt"
	"strings"

	lua "github.com/yuin/gopher-lua"
	"github.com/yuin/gopher-lua/parse"

	"github.com/larder-go/larder/conn"
)

const (
	chunkName = "user_script"
	// maxScript bounds the text of a script in bytes. Parsing takes a multiple
	// of it, outside the reach of the time limit.
	maxScript = 1 << 20
)

// Program is a compiled script.
type Program struct {
	script *conn.Script
	flags  flags
	proto  *lua.FunctionProto
}

// Digest is the SHA-1 of the script's text.
func (p *Program) Digest() string { return p.script.Digest() }

// flags are what a first line such as "#!lua flags=no-writes" declares.
type flags struct {
	noWrites, allowOOM bool
}

// Compile compiles a script. The text of an error is that of an error reply.
func Compile(s *conn.Script) (*Program, error) {
	text, f, err := shebang(s.Text())
	if err != nil {
		return nil, err
	}
	proto, err := compile(text, chunkName)
	if err != nil {
		return nil, fmt.Errorf("ERR Error compiling script (new function): %w", err)
	}
	return &Program{script: s, flags: f, proto: proto}, nil
}

// compile turns a parser's or compiler's panic into an error: both are fed with
// whatever a client sends.
func compile(text, name string) (proto *lua.FunctionProto, err error) {
	defer func() {
		if r := recover(); r != nil {
			proto, err = nil, fmt.Errorf("%s: %v", name, r)
		}
	}()
	if len(text) > maxScript {
		return nil, fmt.Errorf("%s: the script has %d bytes, %d are allowed", name, len(text), maxScript)
	}
	chunk, err := parse.Parse(strings.NewReader(text), name)
	if err != nil {
		return nil, errors.New(firstLine(err.Error()))
	}
	if err := rewrite(chunk); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	proto, err = lua.Compile(chunk, name)
	if err != nil {
		return nil, errors.New(firstLine(err.Error()))
	}
	return proto, nil
}

// shebang reads and blanks the first line, so that line numbers stay.
func shebang(text string) (string, flags, error) {
	var f flags
	if !strings.HasPrefix(text, "#!") {
		return text, f, nil
	}
	line, rest, found := strings.Cut(text, "\n")
	if !found {
		return "", f, errors.New("ERR Invalid script shebang")
	}
	words := strings.Fields(line)
	if words[0] != "#!lua" {
		return "", f, fmt.Errorf("ERR Unexpected engine in script shebang: %s", strings.TrimPrefix(words[0], "#!"))
	}
	for _, w := range words[1:] {
		list, ok := strings.CutPrefix(w, "flags=")
		if !ok {
			return "", f, fmt.Errorf("ERR Unknown lua shebang option: %s", w)
		}
		for name := range strings.SplitSeq(list, ",") {
			switch name {
			case "no-writes":
				f.noWrites = true
			case "allow-oom":
				f.allowOOM = true
			case "", "allow-stale", "no-cluster", "allow-cross-slot-keys":
			default:
				return "", f, fmt.Errorf("ERR Unexpected flag in script shebang: %s", name)
			}
		}
	}
	return "\n" + rest, f, nil
}

func firstLine(s string) string {
	line, _, _ := strings.Cut(strings.TrimSpace(s), "\n")
	return line
}
