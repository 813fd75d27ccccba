package inspect

import (
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// span writes a duration in at most two units.
func span(of Duration) string {
	d := of.Duration
	if d < 10*time.Millisecond {
		return strconv.FormatFloat(float64(d.Round(10*time.Microsecond))/float64(time.Millisecond), 'f', -1, 64) + " ms"
	}
	if d = d.Round(time.Millisecond); d < time.Second {
		return fmt.Sprintf("%d ms", d/time.Millisecond)
	}
	d = d.Round(time.Second)
	const day = 24 * time.Hour
	for _, u := range []struct {
		more        time.Duration
		unit, parts string
		of          time.Duration
	}{
		{2 * day, "d", "h", day},
		{time.Hour, "h", "m", time.Hour},
		{time.Minute, "m", "s", time.Minute},
	} {
		if d < u.more {
			continue
		}
		sub := map[string]time.Duration{"h": time.Hour, "m": time.Minute, "s": time.Second}[u.parts]
		text := fmt.Sprintf("%d %s", d/u.of, u.unit)
		if rest := d % u.of / sub; rest > 0 {
			text += fmt.Sprintf(" %d %s", rest, u.parts)
		}
		return text
	}
	return fmt.Sprintf("%d s", d/time.Second)
}

// printable quotes what could disturb a terminal.
func printable(s string) string {
	if !utf8.ValidString(s) || strings.ContainsFunc(s, func(r rune) bool { return !unicode.IsPrint(r) }) {
		return strconv.Quote(s)
	}
	return s
}
