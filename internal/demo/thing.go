package demo

import "strings"

// A thing is a group of rows with a version of its own, the unit of the check.
// Things are tags as well: a write to a thing invalidates what carries its tag.
func packageThing(path string) string { return "pkg:" + path }

// searchThing is the group of all words that share the first two letters with
// query: what a search shows can be told from its key alone.
func searchThing(query string) string {
	letters := []rune(strings.ToLower(query))
	return "search:" + string(letters[:min(2, len(letters))])
}

const statsThing = "stats"

// revision is a thing and the version that it has, or was written with.
type revision struct {
	Thing   string `json:"thing"`
	Version int64  `json:"version"`
}
