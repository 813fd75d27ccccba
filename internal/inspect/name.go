package inspect

import (
	"errors"
	"strings"

	"github.com/larder-go/larder/internal/naming"
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
	if !naming.IsNamespace(ns) {
		return &NameError{"namespace", naming.NamespaceAllowed}
	}
	return nil
}

func checkTags(tags []string) error {
	for _, tag := range tags {
		if !naming.IsTag(tag) {
			return &NameError{"tag", naming.TagAllowed}
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
