package sqlcache

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"

	"github.com/larder-go/larder/internal/naming"
	"github.com/larder-go/larder/sqlcache/internal/catalog"
)

// The tags of database D, "sql:D" being its root:
//
//	sql                     every database: for a write by a connection of which nothing is known
//	sql:D                   everything of D
//	sql:D:schema            the definitions
//	sql:D:public.users      any change of the table
//	sql:D:public.users*     changes that cannot be pinned to rows
//	sql:D:public.users#7    the row with this primary key
//
// Every entry carries the first two. A read carries the tag of each of its tables; a
// look-up of one row by its primary key carries the last two instead.
const anyDatabase = "sql"

func rootTag(database string) string { return anyDatabase + ":" + database }

func schemaTag(root string) string { return root + ":schema" }

// tagOf makes a tag of a root and what follows it; what is too long is hashed.
func tagOf(root, name string) string {
	if tag := root + ":" + name; len(tag) <= naming.MaxTagBytes {
		return tag
	}
	return root + ":~" + digest(name)
}

func digest(s string) string {
	sum := sha256.Sum256([]byte(s))
	return hex.EncodeToString(sum[:16])
}

func tableName(t *catalog.Table) string { return t.Schema + "." + t.Name }

func unpinnedName(t *catalog.Table) string { return tableName(t) + "*" }

// rowName names one row, if the values name one. Text is hashed: a key may be an
// address, and tags can be read by whoever may look into Redis.
func rowName(t *catalog.Table, values []catalog.Value, args arguments) (string, bool) {
	if len(values) == 0 || len(values) != len(t.Key) {
		return "", false
	}
	parts := make([]string, len(values))
	for i, v := range values {
		text, ok := v.Literal, true
		if v.Param > 0 {
			text, ok = args.text(v.Param)
		}
		if ok {
			text, ok = t.Key[i].Type.Canonical(text)
		}
		if !ok {
			return "", false
		}
		if t.Key[i].Type == catalog.Text {
			text = digest(text)
		}
		parts[i] = text
	}
	return tableName(t) + "#" + strings.Join(parts, ","), true
}
