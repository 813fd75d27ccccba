package upstash

import (
	"errors"
	"fmt"
	"net/url"
	"strings"
)

// The variables that FromEnv reads.
const (
	VariableURL   = "UPSTASH_REDIS_REST_URL"
	VariableToken = "UPSTASH_REDIS_REST_TOKEN"
)

// parseURL returns the URL without a slash at its end. Errors do not quote it: it may
// hold what somebody has taken for the place of a password.
func parseURL(raw string) (string, error) {
	if raw == "" {
		return "", errors.New("upstash: the URL is empty; it must be like https://name.upstash.io")
	}
	u, err := url.Parse(raw)
	switch {
	case err != nil:
		return "", errors.New("upstash: the URL cannot be parsed; it must be like https://name.upstash.io")
	case u.Scheme != "https" && u.Scheme != "http":
		return "", errors.New("upstash: the URL's scheme must be https, or http where nobody else can listen")
	case u.Host == "":
		return "", errors.New("upstash: the URL has no host; it must be like https://name.upstash.io")
	case u.User != nil:
		return "", errors.New("upstash: the URL holds a user; give the token by itself")
	case u.RawQuery != "" || u.ForceQuery || u.Fragment != "":
		return "", errors.New("upstash: the URL must have neither a query nor a fragment; give the token by itself")
	}
	return strings.TrimRight(raw, "/"), nil
}

// checkToken finds what cannot stand in a header.
func checkToken(token string) error {
	if token == "" {
		return errors.New("upstash: the token is empty")
	}
	for i := range len(token) {
		if token[i] <= ' ' || token[i] > '~' {
			return fmt.Errorf("upstash: byte %d of the token is not printable ASCII or is a space; is there a line end after it?", i)
		}
	}
	return nil
}
