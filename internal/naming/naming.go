// Package naming is what namespaces, tags and keys may look like, for the cache
// and for the tools that look at it from outside.
package naming

import (
	"strings"
	"unicode/utf8"
)

// MaxTagBytes bounds a tag, MaxNamespaceBytes a namespace.
const (
	MaxTagBytes       = 200
	MaxNamespaceBytes = 100
)

// NamespaceAllowed and TagAllowed say what is allowed, for errors.
const (
	NamespaceAllowed = "1 to 100 bytes of UTF-8, no ':', no white space or control characters, not beginning with '~'"
	TagAllowed       = "1 to 200 bytes"
)

// IsNamespace tells whether a cache may have this namespace. The keys of
// generations begin with '~', and ':' ends the namespace of an entry's key.
func IsNamespace(ns string) bool {
	return ns != "" && len(ns) <= MaxNamespaceBytes && ns[0] != '~' && utf8.ValidString(ns) &&
		!strings.ContainsFunc(ns, func(r rune) bool { return r == ':' || r <= ' ' || r == 0x7f })
}

// IsTag tells whether an entry may carry this tag.
func IsTag(tag string) bool { return tag != "" && len(tag) <= MaxTagBytes }

var glob = strings.NewReplacer(`\`, `\\`, `*`, `\*`, `?`, `\?`, `[`, `\[`, `]`, `\]`)

// GlobEscape makes s match itself in a Redis pattern.
func GlobEscape(s string) string { return glob.Replace(s) }
