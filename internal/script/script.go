// Package script holds what the Lua scripts of several rooms share.
package script

import (
	_ "embed"
	"strings"

	"github.com/larder-go/larder/conn"
)

//go:embed prelude.lua
var prelude string

// New makes a script that may use the functions of prelude.lua.
func New(parts ...string) *conn.Script {
	return conn.NewScript(prelude + strings.Join(parts, ""))
}

// NewAllowOOM is New for a script that a full server must accept too, because it
// invalidates: a server at its maxmemory refuses every other script that writes.
func NewAllowOOM(parts ...string) *conn.Script {
	return conn.NewScript("#!lua flags=allow-oom\n" + prelude + strings.Join(parts, ""))
}
