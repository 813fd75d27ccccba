package dashboard

import (
	"fmt"
	"math"
	"net"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/larder-go/larder/internal/inspect"
)

// none is shown where there is no figure.
const none = "–"

func isNumber(v float64) bool { return !math.IsNaN(v) && !math.IsInf(v, 0) }

// count writes how many there are of something: exactly up to a million, then with
// three digits.
func count(n float64) string {
	switch {
	case !isNumber(n):
		return none
	case n < 0:
		return "-" + count(-n)
	case n >= 999_500_000_000:
		return fmt.Sprintf("%.3g × 10⁹", n/1e9)
	case n >= 999_500_000:
		return digits(n/1e9) + " G"
	case n >= 999_999.5:
		return digits(n/1e6) + " M"
	case n > 0 && n < 9.95 && n != math.Trunc(n):
		return strconv.FormatFloat(n, 'f', 1, 64)
	}
	s := strconv.FormatFloat(math.Round(n), 'f', 0, 64)
	if len(s) > 3 {
		s = s[:len(s)-3] + "," + s[len(s)-3:]
	}
	return s
}

// digits writes three digits that count.
func digits(v float64) string {
	switch {
	case v < 9.995:
		return strconv.FormatFloat(v, 'f', 2, 64)
	case v < 99.95:
		return strconv.FormatFloat(v, 'f', 1, 64)
	}
	return strconv.FormatFloat(v, 'f', 0, 64)
}

// percent writes a share. Almost all and almost nothing do not become all and nothing.
func percent(v float64) string {
	switch {
	case !isNumber(v):
		return none
	case v > 0 && v < 0.0005:
		return "< 0.1 %"
	case v < 1 && v >= 0.9995:
		return "> 99.9 %"
	case v == 0 || v == 1:
		return strconv.FormatFloat(100*v, 'f', 0, 64) + " %"
	}
	return strconv.FormatFloat(100*v, 'f', 1, 64) + " %"
}

// wholePercent is percent for the side of a chart.
func wholePercent(v float64) string { return strconv.FormatFloat(100*v, 'f', 0, 64) + " %" }

// size writes bytes, in powers of 1024.
func size(n float64) string {
	if !isNumber(n) {
		return none
	}
	units := []string{"B", "KiB", "MiB", "GiB", "TiB"}
	i := 0
	for n >= 1023.5 && i < len(units)-1 {
		n /= 1024
		i++
	}
	if i == 0 {
		return strconv.FormatFloat(n, 'f', 0, 64) + " B"
	}
	return digits(n) + " " + units[i]
}

// rate writes how many there are in a second.
func rate(v float64) string {
	if !isNumber(v) {
		return none
	}
	if v > 0 && v < 0.05 {
		return "< 0.1/s"
	}
	if v < 100 {
		return strconv.FormatFloat(v, 'f', 1, 64) + "/s"
	}
	return count(v) + "/s"
}

// span writes a duration for people, in at most two units; none of 0.
func span(d time.Duration) string {
	switch {
	case d == 0:
		return none
	case d > 0 && d < time.Millisecond:
		return fmt.Sprintf("%.3g µs", float64(d)/float64(time.Microsecond))
	}
	return inspect.Span(d)
}

// moment writes a time, with the date where it is not of the last hours.
func moment(t time.Time) string {
	switch d := time.Since(t); {
	case t.IsZero():
		return none
	case d > 12*time.Hour || d < -time.Hour:
		return t.UTC().Format("2 Jan 15:04:05")
	}
	return clock(t)
}

func clock(t time.Time) string { return t.UTC().Format("15:04:05") }

// ago says how long something is behind.
func ago(t, now time.Time) string {
	if t.IsZero() {
		return none
	}
	d := now.Sub(t)
	if d < time.Second {
		return "just now"
	}
	return inspect.Span(d.Truncate(time.Second)) + " ago"
}

// maxShown is how much of a text is shown.
const maxShown = 160

// show writes a name that others have chosen: what does not print is escaped, and long
// ones are cut. html/template does the rest.
func show(s string) string { return cut(s, maxShown) }

// cut is show with another length, in characters.
func cut(s string, most int) string {
	n := len(s)
	if n > 4*most {
		// Not in the middle of a character.
		end := 4 * most
		for end > 0 && !utf8.RuneStart(s[end]) {
			end--
		}
		s = s[:end]
	}
	text := inspect.Printable(s)
	if utf8.RuneCountInString(text) > most {
		r := []rune(text)
		text = string(r[:most])
	} else if n == len(s) {
		return text
	}
	return fmt.Sprintf("%s… (%s bytes)", text, count(float64(n)))
}

// mask writes the identifier of a rate limit. Addresses, mail addresses, names and
// numbers are shown; what is long and has nothing to read in it may be somebody's key,
// and is abbreviated.
func mask(id string) string {
	const longest = 24
	if len(id) <= longest || net.ParseIP(id) != nil {
		return show(id)
	}
	for part := range strings.FieldsFuncSeq(id, func(r rune) bool { return strings.ContainsRune(":/|@ ,.", r) }) {
		if len(part) > longest {
			return cut(id, 4)
		}
	}
	return show(id)
}
