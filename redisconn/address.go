package redisconn

import (
	"net"
	"strconv"
	"strings"
)

// address reads host, host:port, [ipv6] or [ipv6]:port.
func address(s, defaultPort string) (string, error) {
	host, port := s, ""
	if inner, ok := strings.CutPrefix(s, "["); ok {
		var rest string
		if host, rest, ok = strings.Cut(inner, "]"); !ok || net.ParseIP(host) == nil {
			return "", bad("host", "brackets hold an IPv6 address, as in [::1]:6379")
		}
		if rest != "" && rest[0] != ':' {
			return "", bad("host", "a colon and a port follow an address in brackets")
		}
		port = strings.TrimPrefix(rest, ":")
	} else if h, p, ok := strings.Cut(s, ":"); ok {
		if strings.Contains(p, ":") {
			return "", bad("host", "several colons; put an IPv6 address in brackets, as in [::1]:6379, and an @ after a password")
		}
		host, port = h, p
		if p == "" {
			return "", bad("port", "empty; it must be 1 to 65535, or be left out together with its colon")
		}
	}
	if host == "" {
		return "", bad("host", "empty; nothing is used in its place")
	}
	if strings.ContainsFunc(host, func(r rune) bool {
		return !strings.ContainsRune("-._:", r) && (r < '0' || r > '9') && (r < 'a' || r > 'z') && (r < 'A' || r > 'Z')
	}) {
		return "", bad("host", "it has a character other than letters, digits, - . and _")
	}
	if port == "" {
		port = defaultPort
	}
	// Without its @, a password stands where the port is: do not print it.
	if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 {
		return "", bad("port", "it must be a number from 1 to 65535")
	}
	return net.JoinHostPort(host, port), nil
}
