package sandbox

import (
	"fmt"
	"strings"

	lua "github.com/yuin/gopher-lua"
)

// luaFormat is string.format: C's directives, with widths of two digits as in
// Lua 5.1.
func (s *State) luaFormat(l *lua.LState) int {
	format := checkString(l, 1)
	var b strings.Builder
	arg := 1
	for format != "" {
		i := strings.IndexByte(format, '%')
		if i < 0 {
			i = len(format)
		}
		s.grow(l, &b, i)
		b.WriteString(format[:i])
		if format = format[i:]; format == "" {
			break
		}
		if strings.HasPrefix(format, "%%") {
			b.WriteByte('%')
			format = format[2:]
			continue
		}
		spec, verb, rest := directive(l, format)
		format = rest
		arg++
		out := s.directive(l, spec, verb, arg)
		s.grow(l, &b, len(out))
		b.WriteString(out)
	}
	l.Push(lua.LString(b.String()))
	return 1
}

func (s *State) grow(l *lua.LState, b *strings.Builder, n int) {
	if b.Len()+n > maxString {
		s.budget.chargeString(l, b.Len()+n)
	}
	s.budget.charge(l, n)
}

// directive splits "%-5.2f…" into "%-5.2", 'f' and the rest.
func directive(l *lua.LState, f string) (spec string, verb byte, rest string) {
	i := 1
	for i < len(f) && strings.IndexByte("-+ #0", f[i]) >= 0 {
		i++
	}
	flags := i - 1
	width := digits(f[i:])
	i += width
	precision := 0
	if i < len(f) && f[i] == '.' {
		precision = digits(f[i+1:])
		i += 1 + precision
	}
	if flags > 5 || width > 2 || precision > 2 {
		l.RaiseError("invalid format (width or precision too long)")
	}
	if i >= len(f) {
		l.RaiseError("invalid option '%%' to 'format'")
	}
	return f[:i], f[i], f[i+1:]
}

func digits(s string) int {
	n := 0
	for n < len(s) && s[n] >= '0' && s[n] <= '9' {
		n++
	}
	return n
}

func (s *State) directive(l *lua.LState, spec string, verb byte, arg int) string {
	switch verb {
	case 'c':
		return string([]byte{byte(l.CheckInt(arg))})
	case 'd', 'i':
		return fmt.Sprintf(spec+"d", truncated(number(l, arg)))
	case 'u':
		return fmt.Sprintf(spec+"d", uint64(truncated(number(l, arg))))
	case 'o', 'x', 'X':
		return fmt.Sprintf(spec+string(verb), uint64(truncated(number(l, arg))))
	case 'e', 'E', 'f', 'g', 'G':
		return formatFloat(spec, verb, number(l, arg))
	case 'q':
		return quote(checkString(l, arg))
	case 's':
		l.Push(l.NewFunction(luaToString))
		l.Push(l.CheckAny(arg))
		l.Call(1, 1)
		str := checkString(l, -1)
		l.Pop(1)
		if spec == "%" {
			return str
		}
		return formatString(spec, str)
	}
	l.RaiseError("invalid option '%%%c' to 'format'", verb)
	return ""
}

// formatFloat gives the g directives C's default precision; Go's is the
// shortest exact text.
func formatFloat(spec string, verb byte, n float64) string {
	if (verb == 'g' || verb == 'G') && !strings.Contains(spec, ".") {
		spec += ".6"
	}
	return fmt.Sprintf(spec+string(verb), n)
}

// formatString counts bytes, where Go counts runes.
func formatString(spec, str string) string {
	left := strings.Contains(spec, "-")
	body := strings.TrimLeft(spec[1:], "-+ #0")
	w, p, hasPrecision := strings.Cut(body, ".")
	width, precision := 0, 0
	for _, c := range w {
		width = width*10 + int(c-'0')
	}
	for _, c := range p {
		precision = precision*10 + int(c-'0')
	}
	if hasPrecision && len(str) > precision {
		str = str[:precision]
	}
	pad := strings.Repeat(" ", max(0, width-len(str)))
	if left {
		return str + pad
	}
	return pad + str
}

func quote(str string) string {
	r := strings.NewReplacer(`"`, `\"`, `\`, `\\`, "\n", "\\\n", "\r", `\r`, "\x00", `\000`)
	return `"` + r.Replace(str) + `"`
}

func number(l *lua.LState, n int) float64 {
	switch v := l.Get(n).(type) {
	case lua.LNumber:
		return float64(v)
	case lua.LString:
		if f, ok := parseNumber(strings.TrimSpace(string(v)), 10); ok {
			return f
		}
	}
	l.TypeError(n, lua.LTNumber)
	return 0
}
