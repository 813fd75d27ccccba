package model

import "strings"

// scripts are known by what their first lines say.
var scripts = []struct{ name, does string }{
	{"acquire", "Looks up an entry"},
	{"fill", "Stores what a load brought"},
	{"renew", "Extends a lease while"},
	{"release", "Gives a lease back"},
	{"invalidate", "Drops an entry, with"},
	{"entomb", "Drops an entry of a lower"},
	{"bar", "Puts up a barrier for a writer"},
	{"lift", "Ends a writer's part"},
	{"capture", "Reads a generation before"},
	{"bump", "Starts a new generation"},
}

// Name is what a script of the cache is called, "" for another one. Entries and
// generations have a "bar" and a "lift" each.
func Name(text string) string {
	for _, s := range scripts {
		if strings.Contains(text, s.does) {
			return s.name
		}
	}
	return ""
}
