package stored

import "strings"

var (
	escape   = strings.NewReplacer(`\`, `\\`, `|`, `\p`, `=`, `\e`)
	unescape = strings.NewReplacer(`\\`, `\`, `\p`, `|`, `\e`, `=`)
)

// Key makes a key that says what its tags are, so that Options.Tags needs to know
// nothing else:
//
//	<hash>|<database>|<name>|…|=<tag>|…
//
// A name is a tag below the database's root, and =tag is one of the caller's.
func Key(hash, database string, names, tags []string) string {
	var b strings.Builder
	b.WriteString(hash)
	b.WriteByte('|')
	_, _ = escape.WriteString(&b, database)
	for _, name := range names {
		b.WriteByte('|')
		_, _ = escape.WriteString(&b, name)
	}
	for _, tag := range tags {
		b.WriteString("|=")
		_, _ = escape.WriteString(&b, tag)
	}
	return b.String()
}

// Parts returns what Key was given, but for the hash. What is no key is not ok.
func Parts(key string) (database string, names, tags []string, ok bool) {
	parts := strings.Split(key, "|")
	if len(parts) < 2 {
		return "", nil, nil, false
	}
	for _, part := range parts[2:] {
		if tag, callers := strings.CutPrefix(part, "="); callers {
			tags = append(tags, unescape.Replace(tag))
		} else {
			names = append(names, unescape.Replace(part))
		}
	}
	return unescape.Replace(parts[1]), names, tags, true
}
