package inspect

import (
	"fmt"
	"strings"
)

// judge says what a Get makes of an entry, in the order in which it looks.
func judge(e Entry) (State, string) {
	loading := ""
	if e.Lease.Held {
		loading = "being loaded, " + span(e.Lease.Left) + " left"
	}
	miss := func(why string) (State, string) {
		if loading != "" {
			why += "; " + loading
		}
		return Miss, "a miss: " + why
	}
	switch {
	case e.Kind == Barrier:
		return miss(e.Writers.words() + "; a Get loads and does not store")
	case e.Kind == Tombstone:
		return miss(fmt.Sprintf("invalidated below revision %d, lower ones are refused for %s", e.Revision, span(e.RefusedFor)))
	case e.Life == AnotherLife:
		return miss("stored before its server was restarted or replaced")
	case e.Kind == Placeholder && loading != "":
		return Miss, "a miss: " + loading
	case e.Kind == Placeholder && e.Lease.Failed:
		return miss("its load failed, which those who waited for it are told for " + span(e.Lease.Left))
	case e.Kind == Placeholder:
		return miss("its load ended without a value")
	case e.ServedFor.Duration == 0:
		return miss("expired " + span(e.ExpiredFor) + " ago")
	}
	if why := overtaken(e); why != "" {
		return miss(why)
	}
	as := ""
	if e.Kind == Negative {
		as = " as not found"
	}
	ending := ""
	if g := e.Generation; g != nil && g.State == Ending {
		ending = "; namespace " + printable(g.Name) + " is being cleared, this key in " + span(g.Left)
	}
	switch {
	case e.FreshFor.Duration > 0:
		return Fresh, "served fresh" + as + ending
	case e.Lease.Held:
		return Stale, "served stale" + as + " while one loads, " + span(e.Lease.Left) + " left" + ending
	case e.Lease.Paused:
		return Stale, "served stale" + as + ": " + e.pause() + ", the next may begin in " + span(e.Lease.Left) + ending
	}
	return Stale, "served stale" + as + " while one loads: the next Get begins" + ending
}

// pause says why no load may begin.
func (e Entry) pause() string {
	if e.Revision > 0 {
		return "the last load failed or brought a lower revision"
	}
	return "the last load failed"
}

// overtaken names the first generation that is no longer the entry's.
func overtaken(e Entry) string {
	check := func(what string, g Generation) string {
		what += " " + printable(g.Name)
		switch g.State {
		case Overtaken:
			return what + " was " + g.overtakenBy()
		case Missing:
			return "the generation of " + what + " is missing: expired, evicted, or of an earlier life of its server"
		case Barred:
			return "a CommitTags of " + what + " is under way; its barrier ends in " + span(g.Left) + " at the latest"
		}
		return ""
	}
	if e.Generation != nil {
		if why := check("namespace", *e.Generation); why != "" {
			return why
		}
	}
	for _, g := range e.Tags {
		if why := check("tag", g); why != "" {
			return why
		}
	}
	return ""
}

// foreign says what is there instead of an entry.
func foreign(s stored) string {
	switch {
	case s.kind != "string":
		return fmt.Sprintf("not an entry: the key holds a Redis %s, so no Get can use it", s.kind)
	case strings.HasPrefix(s.raw, "L") && len(s.raw) > 1 && s.raw[1] != 1 && s.raw[1] < ' ':
		return fmt.Sprintf("not an entry of this version: perhaps of version %d; a Get loads and replaces it", s.raw[1])
	}
	return fmt.Sprintf("not an entry: %d foreign or damaged bytes; a Get loads and replaces them", s.size)
}
