package sqlcache

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
)

// A key says what its tags are, so that Options.Tags needs to know nothing else:
//
//	<hash>|<database>|<name>|…|=<tag>|…
//
// The hash is of the statement's text, its arguments, and the connection's settings; a
// name is a tag below the database's root, and =tag is one of the caller's.
const maxTags = 30

var (
	escape   = strings.NewReplacer(`\`, `\\`, `|`, `\p`, `=`, `\e`)
	unescape = strings.NewReplacer(`\\`, `\`, `\p`, `|`, `\e`, `=`)
)

func (s *scope) key(query string, args arguments, names, tags []string) (string, reason) {
	if 2+len(names)+len(tags) > maxTags {
		return "", tooManyTags
	}
	h := sha256.New()
	w := hasher{h: h}
	w.string(s.id)
	w.string(query)
	if why := args.hash(h); why != "" {
		return "", badArgument
	}
	var b strings.Builder
	b.WriteString(hex.EncodeToString(h.Sum(nil)[:16]))
	b.WriteByte('|')
	_, _ = escape.WriteString(&b, s.database)
	for _, name := range names {
		b.WriteByte('|')
		_, _ = escape.WriteString(&b, name)
	}
	for _, tag := range tags {
		b.WriteString("|=")
		_, _ = escape.WriteString(&b, tag)
	}
	if b.Len() > maxKeyBytes {
		return "", tooManyTags
	}
	return b.String(), cached
}

// tagsOfKey returns the tags that a key names.
func tagsOfKey(key string) []string {
	parts := strings.Split(key, "|")
	if len(parts) < 2 {
		return []string{anyDatabase}
	}
	root := rootTag(unescape.Replace(parts[1]))
	tags := []string{anyDatabase, root}
	for _, part := range parts[2:] {
		if tag, callers := strings.CutPrefix(part, "="); callers {
			tags = append(tags, unescape.Replace(tag))
		} else {
			tags = append(tags, tagOf(root, unescape.Replace(part)))
		}
	}
	return tags
}
