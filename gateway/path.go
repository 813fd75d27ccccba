package gateway

import (
	"errors"
	"net/url"
	"strings"
)

var errPath = errors.New("ERR failed to parse command: bad percent-encoding")

// pathArgs splits an escaped path into arguments. The split comes before the
// decoding, so that a key may hold %2F; empty segments are empty arguments.
func pathArgs(path string) ([]string, error) {
	path = strings.TrimPrefix(path, "/")
	args := make([]string, 0, strings.Count(path, "/")+4)
	for segment := range strings.SplitSeq(path, "/") {
		arg, err := url.PathUnescape(segment)
		if err != nil {
			return nil, errPath
		}
		args = append(args, arg)
	}
	return args, nil
}

// queryArgs appends the parameters in their order: EX=100 is two arguments, NX
// is one. The token is left out.
func queryArgs(args []string, query string) ([]string, error) {
	for part := range strings.SplitSeq(query, "&") {
		if part == "" {
			continue
		}
		name, value, pair := strings.Cut(part, "=")
		if isToken(name) {
			continue
		}
		name, err := url.QueryUnescape(name)
		if err != nil {
			return nil, errPath
		}
		args = append(args, name)
		if !pair {
			continue
		}
		if value, err = url.QueryUnescape(value); err != nil {
			return nil, errPath
		}
		args = append(args, value)
	}
	return args, nil
}

// topicName reads the name of a channel or pattern from what follows the
// endpoint. Clients do not escape it: slashes belong to it, and so does a query
// that is no token, since ? stands for a character in patterns.
func topicName(path, query string) (string, error) {
	name, err := url.PathUnescape(path)
	if err != nil {
		return "", errPath
	}
	rest := make([]string, 0, 2)
	for part := range strings.SplitSeq(query, "&") {
		key, _, _ := strings.Cut(part, "=")
		if part == "" || isToken(key) {
			continue
		}
		if part, err = url.PathUnescape(part); err != nil {
			return "", errPath
		}
		rest = append(rest, part)
	}
	if len(rest) > 0 {
		name += "?" + strings.Join(rest, "&")
	}
	return name, nil
}
