package sandbox

import (
	"math"
	"math/bits"
	"math/rand/v2"
	"time"

	lua "github.com/yuin/gopher-lua"
)

// openMath is the interpreter's library without its random numbers: those are
// the host program's, seed included.
func (s *State) openMath() *lua.LTable {
	t := s.borrow(lua.OpenMath)
	t.RawSetString("huge", lua.LNumber(math.Inf(1)))
	t.RawSetString("random", s.l.NewFunction(s.luaRandom))
	t.RawSetString("randomseed", s.l.NewFunction(s.luaRandomSeed))
	return t
}

// randSource starts every script with the same numbers, as Redis does.
type randSource struct{ pcg *rand.PCG }

func (r *randSource) float() float64 {
	if r.pcg == nil {
		r.pcg = rand.NewPCG(0, 0)
	}
	return float64(r.pcg.Uint64()>>11) / (1 << 53)
}

func (s *State) luaRandom(l *lua.LState) int {
	f := s.rand.float()
	switch l.GetTop() {
	case 0:
		l.Push(lua.LNumber(f))
	case 1:
		hi := number(l, 1)
		if hi < 1 {
			l.ArgError(1, "interval is empty")
		}
		l.Push(lua.LNumber(math.Floor(f*hi) + 1))
	default:
		lo, hi := number(l, 1), number(l, 2)
		if lo > hi {
			l.ArgError(2, "interval is empty")
		}
		l.Push(lua.LNumber(math.Floor(f*(hi-lo+1)) + lo))
	}
	return 1
}

func (s *State) luaRandomSeed(l *lua.LState) int {
	s.rand.pcg = rand.NewPCG(uint64(truncated(number(l, 1))), 0)
	return 0
}

var processStart = time.Now()

func luaClock(l *lua.LState) int {
	l.Push(lua.LNumber(time.Since(processStart).Seconds()))
	return 1
}

// openBit is Mike Pall's bit library: operations on signed 32-bit integers.
func (s *State) openBit() *lua.LTable {
	fold := func(f func(a, b int32) int32) lua.LGFunction {
		return func(l *lua.LState) int {
			v := toBit(number(l, 1))
			for i := 2; i <= l.GetTop(); i++ {
				v = f(v, toBit(number(l, i)))
			}
			l.Push(lua.LNumber(v))
			return 1
		}
	}
	shift := func(f func(a int32, n uint) int32) lua.LGFunction {
		return func(l *lua.LState) int {
			l.Push(lua.LNumber(f(toBit(number(l, 1)), uint(toBit(number(l, 2))&31))))
			return 1
		}
	}
	return s.table(map[string]lua.LGFunction{
		"tobit":   fold(func(a, _ int32) int32 { return a }),
		"band":    fold(func(a, b int32) int32 { return a & b }),
		"bor":     fold(func(a, b int32) int32 { return a | b }),
		"bxor":    fold(func(a, b int32) int32 { return a ^ b }),
		"bnot":    shiftless(func(a int32) int32 { return ^a }),
		"bswap":   shiftless(func(a int32) int32 { return int32(bits.ReverseBytes32(uint32(a))) }),
		"lshift":  shift(func(a int32, n uint) int32 { return a << n }),
		"rshift":  shift(func(a int32, n uint) int32 { return int32(uint32(a) >> n) }),
		"arshift": shift(func(a int32, n uint) int32 { return a >> n }),
		"rol":     shift(func(a int32, n uint) int32 { return int32(bits.RotateLeft32(uint32(a), int(n))) }),
		"ror":     shift(func(a int32, n uint) int32 { return int32(bits.RotateLeft32(uint32(a), -int(n))) }),
		"tohex":   luaToHex,
	})
}

func shiftless(f func(int32) int32) lua.LGFunction {
	return func(l *lua.LState) int {
		l.Push(lua.LNumber(f(toBit(number(l, 1)))))
		return 1
	}
}

// toBit reduces a number modulo 2^32, rounding to nearest even as the original.
func toBit(n float64) int32 {
	if math.IsNaN(n) || math.IsInf(n, 0) {
		return 0
	}
	n = math.Mod(math.RoundToEven(n), 1<<32)
	return int32(uint32(int64(n)))
}

func luaToHex(l *lua.LState) int {
	v, n := uint32(toBit(number(l, 1))), l.OptInt(2, 8)
	digits := "0123456789abcdef"
	if n < 0 {
		n, digits = -n, "0123456789ABCDEF"
	}
	n = min(n, 8)
	out := make([]byte, n)
	for i := n - 1; i >= 0; i-- {
		out[i] = digits[v&15]
		v >>= 4
	}
	l.Push(lua.LString(out))
	return 1
}
