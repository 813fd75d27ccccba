package sandbox

import (
	"crypto/sha1" //nolint:gosec // redis.sha1hex is what it is
	"encoding/hex"
	"strings"

	lua "github.com/yuin/gopher-lua"

	"github.com/larder-go/larder/conn"
)

// openRedis is the table "redis".
func (s *State) openRedis() *lua.LTable {
	t := s.table(map[string]lua.LGFunction{
		"call":               func(l *lua.LState) int { return s.luaCall(l, true) },
		"pcall":              func(l *lua.LState) int { return s.luaCall(l, false) },
		"error_reply":        s.luaErrorReply,
		"status_reply":       s.luaStatusReply,
		"sha1hex":            luaSHA1Hex,
		"log":                s.luaLog,
		"setresp":            s.luaSetResp,
		"replicate_commands": luaTrue,
		"set_repl":           luaNothing,
		"breakpoint":         luaFalse,
		"debug":              luaNothing,
		"acl_check_cmd":      luaTrue,
	})
	for name, n := range map[string]int{
		"LOG_DEBUG": 0, "LOG_VERBOSE": 1, "LOG_NOTICE": 2, "LOG_WARNING": 3,
		"REPL_NONE": 0, "REPL_AOF": 1, "REPL_SLAVE": 2, "REPL_REPLICA": 2, "REPL_ALL": 3,
		"REDIS_VERSION_NUM": 0x00070000,
	} {
		t.RawSetString(name, lua.LNumber(n))
	}
	t.RawSetString("REDIS_VERSION", lua.LString("7.0.0"))
	return t
}

// luaCall is redis.call, which raises errors, and redis.pcall, which returns
// them.
func (s *State) luaCall(l *lua.LState, raise bool) int {
	n := l.GetTop()
	var v conn.Value
	if n == 0 {
		v = failure("ERR Please specify at least one argument for this redis.call() call")
	} else if args, ok := arguments(l, n); !ok {
		v = failure("ERR Lua redis lib command arguments must be strings or integers")
	} else {
		v = s.run.Host.Command(args, s.resp3, s.perm)
	}
	if v.Kind == conn.Failure {
		t := s.errorTable(v.Str)
		if raise {
			l.Error(t, 0)
		}
		l.Push(t)
		return 1
	}
	s.budget.charge(l, weight(v))
	l.Push(s.toLua(v))
	return 1
}

func arguments(l *lua.LState, n int) ([]string, bool) {
	args := make([]string, n)
	for i := range args {
		switch v := l.Get(i + 1).(type) {
		case lua.LString:
			args[i] = string(v)
		case lua.LNumber:
			args[i] = argumentText(float64(v))
		default:
			return nil, false
		}
	}
	return args, true
}

func (s *State) luaErrorReply(l *lua.LState) int {
	msg, ok := l.Get(1).(lua.LString)
	if !ok || l.GetTop() != 1 {
		l.RaiseError("wrong number or type of arguments")
	}
	text := strings.TrimPrefix(string(msg), "-")
	if !strings.Contains(text, " ") {
		text = "ERR " + text
	}
	l.Push(s.single("err", lua.LString(text)))
	return 1
}

func (s *State) luaStatusReply(l *lua.LState) int {
	msg, ok := l.Get(1).(lua.LString)
	if !ok || l.GetTop() != 1 {
		l.RaiseError("wrong number or type of arguments")
	}
	l.Push(s.single("ok", msg))
	return 1
}

func luaSHA1Hex(l *lua.LState) int {
	if l.GetTop() != 1 {
		l.RaiseError("wrong number of arguments")
	}
	sum := sha1.Sum([]byte(checkString(l, 1))) //nolint:gosec // see above
	l.Push(lua.LString(hex.EncodeToString(sum[:])))
	return 1
}

func (s *State) luaLog(l *lua.LState) int {
	if l.GetTop() < 2 {
		l.RaiseError("redis.log() requires two arguments or more.")
	}
	level := l.CheckInt(1)
	if level < 0 || level > 3 {
		l.RaiseError("Invalid log level.")
	}
	parts := make([]string, 0, l.GetTop()-1)
	for i := 2; i <= l.GetTop(); i++ {
		parts = append(parts, checkString(l, i))
	}
	s.run.Host.Log(level, strings.Join(parts, " "))
	return 0
}

func (s *State) luaSetResp(l *lua.LState) int {
	if l.GetTop() != 1 {
		l.RaiseError("redis.setresp() requires one argument.")
	}
	switch number(l, 1) {
	case 2:
		s.resp3 = false
	case 3:
		s.resp3 = true
	default:
		l.RaiseError("RESP version must be 2 or 3.")
	}
	return 0
}

func luaTrue(l *lua.LState) int {
	l.Push(lua.LTrue)
	return 1
}

func luaFalse(l *lua.LState) int {
	l.Push(lua.LFalse)
	return 1
}

func luaNothing(*lua.LState) int { return 0 }
