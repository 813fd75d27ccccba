package sandbox

import (
	"math"
	"strconv"
	"strings"
)

// numberText is C's "%.14g", in which Lua 5.1 prints numbers.
func numberText(n float64) string {
	if n == math.Trunc(n) && math.Abs(n) < 1e14 {
		return strconv.FormatInt(int64(n), 10)
	}
	return cFormat(n, 14)
}

// argumentText is C's "%.17g", in which Redis passes numbers to commands.
func argumentText(n float64) string {
	if n == math.Trunc(n) && math.Abs(n) < 1e17 {
		return strconv.FormatInt(int64(n), 10)
	}
	return cFormat(n, 17)
}

// cFormat is C's "%.<digits>g".
func cFormat(n float64, digits int) string {
	switch {
	case math.IsNaN(n):
		if math.Signbit(n) {
			return "-nan"
		}
		return "nan"
	case math.IsInf(n, 1):
		return "inf"
	case math.IsInf(n, -1):
		return "-inf"
	}
	s := strconv.FormatFloat(n, 'g', digits, 64)
	mantissa, exp, ok := strings.Cut(s, "e")
	if strings.Contains(mantissa, ".") {
		mantissa = strings.TrimRight(strings.TrimRight(mantissa, "0"), ".")
	}
	if !ok {
		return mantissa
	}
	return mantissa + "e" + exp
}

// truncated is C's conversion to long long, with saturation instead of
// undefined behaviour.
func truncated(n float64) int64 {
	switch {
	case math.IsNaN(n):
		return math.MinInt64
	case n >= math.MaxInt64:
		return math.MaxInt64
	case n <= math.MinInt64:
		return math.MinInt64
	}
	return int64(n)
}
