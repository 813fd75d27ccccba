package describe

import (
	"reflect"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// path is what stands before a package's name inside the brackets of a generic type.
var path = regexp.MustCompile(`[\w.~-]+(?:/[\w.~-]+)*/`)

// Type names a Go type without the paths of packages: "store.User".
func Type[T any]() string { return path.ReplaceAllString(reflect.TypeFor[T]().String(), "") }

const day = 24 * time.Hour

// Duration is a duration without the zeros that time.Duration prints: "5m", "1h30m",
// "7d".
func Duration(d time.Duration) string {
	if d >= 2*day && d%day == 0 {
		return strconv.FormatInt(int64(d/day), 10) + "d"
	}
	s := d.String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}

// Bytes is a size in the largest unit that divides it: "64 MiB", "1500 B".
func Bytes(n int64) string {
	units := []string{"B", "KiB", "MiB", "GiB"}
	for n != 0 && n%1024 == 0 && len(units) > 1 {
		n, units = n/1024, units[1:]
	}
	return strconv.FormatInt(n, 10) + " " + units[0]
}

// Join joins those parts of a policy that are not empty.
func Join(parts ...string) string {
	var said []string
	for _, p := range parts {
		if p != "" {
			said = append(said, p)
		}
	}
	return strings.Join(said, "; ")
}

// If is text where the condition holds, else "".
func If(holds bool, text string) string {
	if holds {
		return text
	}
	return ""
}
