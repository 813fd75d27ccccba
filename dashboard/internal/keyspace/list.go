package keyspace

import (
	"context"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/larder-go/larder/conn"
	"github.com/larder-go/larder/internal/naming"
)

// The bounds of one page.
const (
	// PageSize is how many keys fill a page; MaxPage is how many one may have, since
	// the server answers in portions of its own.
	PageSize = 100
	MaxPage  = 3 * PageSize

	// The first SCAN of a page looks at as many keys as fill it, each further one at
	// twice as many, up to maxCount; a page takes at most maxSteps of them and about
	// as long as patience.
	maxCount = 2000
	maxSteps = 30
	patience = 100 * time.Millisecond
)

// Key is one key as a list shows it.
type Key struct {
	Name string
	// Type is Redis' name of it, "none" if the key has gone meanwhile.
	Type string
	// TTL is what is left of its life; Expires is false where there is no end.
	TTL     time.Duration
	Expires bool
	// Bytes is what it takes in memory, 0 where the server does not tell.
	Bytes int64
}

// Page is a part of a list.
type Page struct {
	Keys []Key
	// Withheld counts keys that were found and may not be shown.
	Withheld int
	// Looked is how many keys were looked at for this page, about.
	Looked int
	// Next is where the list goes on; empty at its end.
	Next string
}

// List finds keys that begin with prefix, from a place that Page.Next has named or
// from the beginning. Withhold, if not nil, tells which of them are only counted. A
// page may have no keys and yet go on: the work for each page is bounded, and a rare
// prefix takes several.
func List(ctx context.Context, c conn.Conn, prefix, from string, withhold func(key string) bool) (Page, error) {
	at, skip := parsePlace(c, from)
	pattern := ""
	if prefix != "" {
		pattern = naming.GlobEscape(prefix) + "*"
	}
	f := finder{withhold: withhold, seen: map[string]bool{}}
	ends := time.Now().Add(patience)
	for count, step := PageSize, 1; ; count, step = min(2*count, maxCount), step+1 {
		keys, next, done, err := scan(ctx, c, at, pattern, count)
		if err != nil {
			return f.page, err
		}
		f.page.Looked += max(count, len(keys))
		left := f.take(keys, skip)
		switch {
		case left >= 0: // a server that answers with more than it was asked for
			f.page.Next = at.text(left)
		case done:
		case len(f.names) >= PageSize || step == maxSteps || time.Now().After(ends):
			f.page.Next = next.text(0)
		default:
			at, skip = next, 0
			continue
		}
		f.page.Keys, err = describe(ctx, c, f.names)
		return f.page, err
	}
}

// finder gathers the keys of a page.
type finder struct {
	withhold func(key string) bool
	seen     map[string]bool
	names    []string
	page     Page
}

// take takes the keys of one answer after the first few, and returns the index of the
// one for which there is no room, -1 if all were taken.
func (f *finder) take(keys []conn.Value, skip int) (left int) {
	for i := skip; i < len(keys); i++ {
		key := keys[i].Str
		switch {
		case f.seen[key]:
		case len(f.names) == MaxPage:
			return i
		case f.withhold != nil && f.withhold(key):
			f.page.Withheld++
			f.seen[key] = true
		default:
			f.names = append(f.names, key)
			f.seen[key] = true
		}
	}
	return -1
}

// describe asks what each key is, in one round trip.
func describe(ctx context.Context, c conn.Conn, names []string) ([]Key, error) {
	const each = 3
	cmds := make([]conn.Command, 0, each*len(names))
	for _, name := range names {
		cmds = append(cmds, conn.Key("TYPE", name), conn.Key("PTTL", name),
			conn.Command{Args: []string{"MEMORY", "USAGE", name}, KeyAt: 2})
	}
	if len(cmds) == 0 {
		return nil, nil
	}
	results := c.Pipeline(ctx, cmds...)
	keys := make([]Key, len(names))
	for i, name := range names {
		r := results[each*i:]
		if r[0].Err != nil {
			return nil, r[0].Err
		}
		keys[i] = Key{Name: name, Type: r[0].Value.Str}
		if left := r[1].Value.Int; r[1].Err == nil && left >= 0 {
			keys[i].Expires, keys[i].TTL = true, time.Duration(left)*time.Millisecond
		}
		if r[2].Err == nil {
			keys[i].Bytes = r[2].Value.Int
		}
	}
	return keys, nil
}

// text writes a place, and how many keys of the answer there have been shown, for a
// query parameter.
func (p place) text(skip int) string {
	return p.cursor + "." + strconv.Itoa(skip) + "." + url.QueryEscape(p.node)
}

var cursorText = regexp.MustCompile(`^[0-9]{1,20}$`)

// parsePlace reads what text has written; what it has not is the beginning.
func parsePlace(c conn.Conn, text string) (p place, skip int) {
	cursor, rest, _ := strings.Cut(text, ".")
	count, node, _ := strings.Cut(rest, ".")
	n, err := strconv.Atoi(count)
	if err != nil || n < 0 || !cursorText.MatchString(cursor) {
		return begin(c), 0
	}
	if node, err = url.QueryUnescape(node); err != nil || (node == "") != (len(nodesOf(c)) == 0) {
		return begin(c), 0
	}
	return place{node: node, cursor: cursor}, n
}
