package sandbox

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/larder-go/larder/conn"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// echo answers every command with its arguments.
type echo struct{ state *State }

func (e echo) Command(args []string, _ bool, p Permit) conn.Value {
	if args[0] == "WRITE" {
		if p.NoWrites {
			return failure("ERR Write commands are not allowed from read-only scripts.")
		}
		e.state.Wrote()
	}
	v := conn.Value{Kind: conn.Array}
	for _, a := range args {
		v.Elems = append(v.Elems, conn.Value{Kind: conn.Bulk, Str: a})
	}
	return v
}

func (echo) Log(int, string) {}

func run(t *testing.T, s *State, text string) conn.Value {
	t.Helper()
	v, err := runFor(t.Context(), s, text, 2*time.Second)
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return v
}

func runFor(ctx context.Context, s *State, text string, limit time.Duration) (conn.Value, error) {
	p, err := Compile(conn.NewScript(text))
	if err != nil {
		return failure(err.Error()), nil
	}
	return s.Run(ctx, p, Run{Keys: []string{"k"}, Args: []string{"v"}, Host: echo{s}, Limit: limit})
}

func TestNothingOfTheHostIsInReach(t *testing.T) {
	s := New()
	for _, name := range []string{
		"dofile", "loadfile", "require", "module", "package", "io", "print", "debug", "newproxy",
		"getfenv", "setfenv", "_printregs", "coroutine", "channel", "goto_", "_GOPHER_LUA_VERSION",
		"os.execute", "os.getenv", "os.exit", "os.remove", "os.rename", "os.tmpname", "os.time", "os.date", "os.setenv",
		"string.dump",
	} {
		v := run(t, s, "local ok, v = pcall(function() return "+name+" end) return ok and v ~= nil and 'reached' or 'safe'")
		if v.Str != "safe" {
			t.Errorf("%s: %+v", name, v)
		}
	}
}

func TestNothingIsLeftForTheNextScript(t *testing.T) {
	s := New()
	for _, attack := range []string{
		"x = 1", "function x() end", "_G.x = 1", "rawset(_G, 'x', 1)", "setmetatable(_G, nil)", "setmetatable(_G, {})", "getmetatable(_G).__newindex = nil",
		"string.foo = 1", "string.upper = nil", "rawset(string, 'foo', 1)", "setmetatable(string, {})", "getmetatable(string).__index = nil", "table.insert(string, 1)",
		"table.sort(string)", "table.remove(string)", "getmetatable('').__index = nil", "setmetatable('', {})", "setmetatable(1, {__index=1})", "setmetatable(nil, {})", "setmetatable(print, {})",
		"redis.call = nil", "redis.foo = 1", "cjson.null.x = 1", "math.huge = 1", "bit.band = nil", "pcall = nil", "_G._G.string.foo = 1", "('').foo = 1",
		"for k, v in pairs(string) do string[k] = nil end", "next = nil", "server.call = nil",
		"_G['\\0concat'] = 1", "rawset(_G, '\\0concat', 1)", "error(setmetatable({}, {__tostring=function() string.foo=1 end}))",
		"loadstring('x = 1')()", "loadstring('string.foo = 1')()", "load(function() return nil end)(); x = 1",
	} {
		if v := run(t, s, attack); v.Kind != conn.Failure {
			t.Errorf("%s: got %+v, want an error", attack, v)
		}
		after := run(t, s, `return {rawget(_G,'x') == nil, string.foo == nil, string.upper('a') == 'A', ('x'):upper() == 'X',
			type(redis.call) == 'function', redis.foo == nil, math.huge > 1e300, bit.band(3,1) == 1, 'a'..'b' == 'ab', pcall(next, {})}`)
		if len(after.Elems) != 10 {
			t.Fatalf("after %s: %+v", attack, after)
		}
		for i, e := range after.Elems {
			if e.Int != 1 {
				t.Errorf("after %s: check %d is %+v", attack, i, e)
			}
		}
	}
	// These are allowed, and last for one run.
	run(t, s, "KEYS = nil; ARGV[1] = 'changed'; _G = nil; math.randomseed(7)")
	if v := run(t, s, "return {KEYS[1], ARGV[1], type(_G)}"); len(v.Elems) != 3 || v.Elems[1].Str != "v" || v.Elems[2].Str != "table" {
		t.Errorf("got %+v", v)
	}
	a, b := run(t, s, "return tostring(math.random())"), run(t, s, "return tostring(math.random())")
	if a.Str == "" || a.Str != b.Str {
		t.Errorf("random numbers %q and %q, want the same in every run", a.Str, b.Str)
	}
}

func TestEndlessScriptsAreStopped(t *testing.T) {
	s := New()
	for _, text := range []string{
		"while true do end",
		"while true do pcall(function() while true do end end) end",
		"local function f() return f() end return f()",
		"repeat until false",
		"for i = 1, 1e18 do end",
		"::a:: goto a",
		"return string.find(('a'):rep(60), ('a-'):rep(30) .. 'b')",
		"return string.find(('a'):rep(1e6), '.-.-.-.-b')",
		"return string.gsub(('a'):rep(1e6), '(a*)*b', '')",
		"return xpcall(function() while true do end end, function() while true do end end)",
		"while true do redis.pcall('GET', 'x') end",
		"local t = setmetatable({}, {__index = function(t, k) return t[k] end}) while true do pcall(function() return t.x end) end",
		"while true do table.concat({}, ',') end",
		"local t = {} for i = 1, 1e5 do t[i] = i end table.sort(t, function() while true do end end)",
		"string.gsub(('x'):rep(100), 'x', function() while true do end end)",
	} {
		start := time.Now()
		v, err := runFor(t.Context(), s, text, 50*time.Millisecond)
		if err != nil || v.Kind != conn.Failure || !strings.Contains(v.Str, "time limit of 50ms") {
			t.Errorf("%s: got %+v, %v", text, v, err)
		}
		if d := time.Since(start); d > 5*time.Second {
			t.Errorf("%s: stopped after %v", text, d)
		}
	}
	if v := run(t, s, "return 1"); v.Int != 1 {
		t.Errorf("afterwards: %+v", v)
	}
}

func TestMemoryIsBounded(t *testing.T) {
	s := New()
	for _, text := range []string{
		"return #string.rep('x', 1e9)",
		"return #string.rep('x', 9223372036854775807)",
		"return #string.rep('xxxxxxxx', 2^60)",
		"local s = 'x' while true do s = s .. s end",
		"local s = 'x' for i = 1, 60 do s = s .. s .. s end",
		"local t = {} t[67108863] = 1",
		"local t = {[67108863] = 1}",
		"local t = {} rawset(t, 67108863, 1)",
		"local t = {} table.insert(t, 67108863, 1)",
		"local t = {} t[#t + 1e8] = 1",
		"return {unpack({}, 1, 1e8)}",
		"local s = ('x'):rep(6e7) return table.concat({s, s, s})",
		"local s = ('x'):rep(6e7) return string.format('%s%s', s, s)",
		"return string.format('%99999999d', 1)",
		"local s = ('x'):rep(1e7) return (s:gsub('x', '%0%0%0%0%0%0%0%0%0'))",
		"local t = {} for i = 1, 1e9 do t[i] = ('x'):rep(6e7) .. i end",
		"local s = ('x'):rep(1e7) return cjson.encode({s, s, s, s, s, s, s, s})",
		"local function f() return 1 + f() end return f()",
		"local t = {} t.t = t return cjson.encode(t)",
		"local t = {} for i = 1, 1e5 do t = {t} end return t",
		"local t = {} t[1] = t t[2] = t return t",
		"return cjson.decode(('['):rep(1e6))",
		"return string.find(('x'):rep(1e6), ('x?'):rep(1e6))",
		"return loadstring('return ' .. ('- '):rep(3e5) .. '1')()",
		"return loadstring('return ' .. ('{'):rep(1e5) .. ('}'):rep(1e5))()",
		"return loadstring(('if x then '):rep(5e4) .. ('end '):rep(5e4))()",
		"return " + strings.Repeat("- ", 100_000) + "1",
	} {
		if v := run(t, s, text); v.Kind != conn.Failure {
			t.Errorf("%.80s: got kind %s %.60q, want an error", text, v.Kind, v.Str)
		}
	}
	if v := run(t, s, "return 1"); v.Int != 1 {
		t.Errorf("afterwards: %+v", v)
	}
}

func TestLongScriptsThatAreFine(t *testing.T) {
	s := New()
	for text, want := range map[string]int64{
		"local t = {} for i = 1, 2e5 do t[#t + 1] = i end return #t":                          200_000,
		"local s = '' for i = 1, 1000 do s = s .. i .. ',' end return #s":                     3893,
		"local function f(n) if n == 0 then return 0 end return 1 + f(n-1) end return f(190)": 190,
		"return #('x'):rep(6e7)":                            60_000_000,
		"return #(" + strings.Repeat("'a'..", 150) + "'a')": 151,
	} {
		if v := run(t, s, text); v.Int != want {
			t.Errorf("%.70s: got %+v, want %d", text, v, want)
		}
	}
}

func TestCallerGivesUp(t *testing.T) {
	s := New()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if _, err := runFor(ctx, s, "while true do end", time.Minute); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("before a write: %v", err)
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	v, err := runFor(ended, s, "redis.call('WRITE') for i = 1, 1e5 do end return 'done'", time.Minute)
	if err != nil || v.Str != "done" {
		t.Errorf("after a write: %+v, %v", v, err)
	}
}

func TestShebang(t *testing.T) {
	s := New()
	for text, want := range map[string]string{
		"#!lua\nreturn 'x'":                                         "x",
		"#!lua flags=allow-oom,no-writes\nreturn 'x'":               "x",
		"#!lua flags=no-writes\nreturn redis.pcall('WRITE').err":    "ERR Write commands are not allowed from read-only scripts.",
		"#!lua flags=nonsense\nreturn 1":                            "ERR Unexpected flag in script shebang: nonsense",
		"#!js\nreturn 1":                                            "ERR Unexpected engine in script shebang: js",
		"#!lua name=x\nreturn 1":                                    "ERR Unknown lua shebang option: name=x",
		"#!lua":                                                     "ERR Invalid script shebang",
		"#!lua\nlocal ok, e = pcall(error, 'm', 1) error('line 2')": "ERR user_script:2: line 2",
	} {
		if v := run(t, s, text); !strings.HasPrefix(v.Str, want) || want == "" {
			t.Errorf("%q: got %+v, want %q", text, v, want)
		}
	}
}

func TestErrorTexts(t *testing.T) {
	s := New()
	for text, want := range map[string]string{
		"return x":            "ERR user_script:1: Script attempted to access nonexistent global variable 'x' script: ",
		"x = 1":               "ERR user_script:1: Attempt to modify a readonly table",
		"string.foo = 1":      "ERR user_script:1: Attempt to modify a readonly table script: ",
		"\nerror('hi')":       "ERR user_script:2: hi script: ",
		"error({err='My x'})": "My x script: ",
		"return 'a' .. {}":    "ERR user_script:1: attempt to concatenate a table value",
		"redis.call({})":      "ERR Lua redis lib command arguments must be strings or integers script: ",
	} {
		v := run(t, s, text)
		if v.Kind != conn.Failure || !strings.HasPrefix(v.Str, want) || !strings.HasSuffix(v.Str, ".") {
			t.Errorf("%q: got %+v, want %q", text, v, want)
		}
	}
}

func FuzzRun(f *testing.F) {
	for _, text := range []string{"return 1", "return 'a'..1", "local t={} t[1]=2 return t", "return string.find('abc','(b)')", "#!lua flags=no-writes\nreturn {}", "return cjson.decode('[1,{}]')"} {
		f.Add(text)
	}
	s := New()
	f.Fuzz(func(t *testing.T, text string) {
		start := time.Now()
		if _, err := runFor(t.Context(), s, text, 100*time.Millisecond); err != nil {
			t.Fatal(err)
		}
		if d := time.Since(start); d > 5*time.Second {
			t.Errorf("took %v", d)
		}
	})
}
