package sqlcache

import (
	"crypto/sha256"
	"encoding/hex"

	"github.com/larder-go/larder/sqlcache/internal/stored"
)

// The hash of a key is of the statement's text, its arguments, and the connection's
// settings; what follows it are its tags: see stored.Key.
const maxTags = 30

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
	key := stored.Key(hex.EncodeToString(h.Sum(nil)[:16]), s.database, names, tags)
	if len(key) > maxKeyBytes {
		return "", tooManyTags
	}
	return key, cached
}

// tagsOfKey returns the tags that a key names.
func tagsOfKey(key string) []string {
	database, names, own, ok := stored.Parts(key)
	if !ok {
		return []string{anyDatabase}
	}
	root := rootTag(database)
	tags := append(make([]string, 0, 2+len(names)+len(own)), anyDatabase, root)
	for _, name := range names {
		tags = append(tags, tagOf(root, name))
	}
	return append(tags, own...)
}
