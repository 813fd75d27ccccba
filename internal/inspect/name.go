package inspect

import (
	"errors"
	"strings"
	"unicode/utf8"
)

// NameError says what is wrong with a namespace, a key or a tag.
type NameError struct {
	// What it is: "namespace", "key" or "tag".
	What string
	// Allowed says what it may be.
	Allowed string
}

// Error names the thing and what is allowed; not the thing itself.
func (e *NameError) Error() string { return "bad " + e.What + "; allowed: " + e.Allowed }

// maxTagBytes is what caches allow.
const maxTagBytes = 200

var errNoGlob = &NameError{"pattern", "at least one character"}

// Split takes "namespace:key" apart. The key may contain colons and may be empty.
func Split(redisKey string) (namespace, key string, err error) {
	namespace, key, ok := strings.Cut(redisKey, ":")
	if !ok {
		return "", "", &NameError{"key", "namespace:key"}
	}
	return namespace, key, CheckNamespace(namespace)
}

// CheckNamespace tells whether a cache could have this namespace.
func CheckNamespace(ns string) error {
	if ns == "" || len(ns) > 100 || ns[0] == '~' || !utf8.ValidString(ns) ||
		strings.ContainsFunc(ns, func(r rune) bool { return r == ':' || r <= ' ' || r == 0x7f }) {
		return &NameError{"namespace", "1 to 100 bytes of UTF-8, no ':', no white space or control characters, not beginning with '~'"}
	}
	return nil
}

func checkTags(tags []string) error {
	for _, tag := range tags {
		if tag == "" || len(tag) > maxTagBytes {
			return &NameError{"tag", "1 to 200 bytes"}
		}
	}
	return nil
}

// redisKey is the key of an entry.
func redisKey(namespace, key string) (string, error) {
	if err := CheckNamespace(namespace); err != nil {
		return "", err
	}
	return namespace + ":" + key, nil
}

// IsName tells whether err is about what the caller named, not about Redis.
func IsName(err error) bool {
	_, ok := errors.AsType[*NameError](err)
	return ok
}
