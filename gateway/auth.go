package gateway

import (
	"crypto/sha256"
	"crypto/subtle"
	"net/http"
	"net/url"
	"strings"
)

// role is what a token allows.
type role uint8

const (
	nobody role = iota
	reader
	standard
)

// tokens knows the tokens by their hashes: comparing those takes the same time
// whatever is presented, its length included.
type tokens struct {
	standard, reader [sha256.Size]byte
	readers          bool
}

func newTokens(o Options) tokens {
	return tokens{
		standard: sha256.Sum256([]byte(o.Token)),
		reader:   sha256.Sum256([]byte(o.ReadOnlyToken)),
		readers:  o.ReadOnlyToken != "",
	}
}

// role tells what the token of a request allows. The header counts where both
// header and parameter are given.
func (t *tokens) role(r *http.Request) role {
	given, ok := bearer(r)
	if !ok {
		if given, ok = tokenParameter(r.URL.RawQuery); !ok {
			return nobody
		}
	}
	sum := sha256.Sum256([]byte(given))
	isStandard := subtle.ConstantTimeCompare(sum[:], t.standard[:])
	isReader := subtle.ConstantTimeCompare(sum[:], t.reader[:])
	switch {
	case isStandard == 1:
		return standard
	case isReader == 1 && t.readers:
		return reader
	}
	return nobody
}

func bearer(r *http.Request) (token string, ok bool) {
	h := r.Header["Authorization"]
	if len(h) == 0 {
		return "", false
	}
	scheme, token, _ := strings.Cut(h[0], " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return "", true
	}
	return strings.TrimSpace(token), true
}

const tokenName = "_token"

// tokenParameter finds the first parameter that is a token.
func tokenParameter(query string) (token string, ok bool) {
	if !strings.Contains(query, "token") && !strings.Contains(query, "%") {
		return "", false
	}
	for part := range strings.SplitSeq(query, "&") {
		name, value, _ := strings.Cut(part, "=")
		if !isToken(name) {
			continue
		}
		token, err := url.QueryUnescape(value)
		return token, err == nil
	}
	return "", false
}

func isToken(escapedName string) bool {
	if escapedName == tokenName {
		return true
	}
	name, err := url.QueryUnescape(escapedName)
	return err == nil && name == tokenName
}
