package strategy

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/larder-go/larder/internal/describe"
)

// fact is a line of what is known of a subject, in Markdown.
type fact struct{ label, text string }

// facts puts what belongs together into one line.
func (d *Declaration) facts() []fact {
	a := d.About
	keys := code(d.Pattern)
	if len(d.Prefixes) != 1 || !strings.HasPrefix(d.Pattern, d.Prefixes[0]) {
		keys = join(", ", keys, spelled("prefix ", d.Prefixes))
	}
	if len(d.Keys) != 1 || d.Keys[0] != d.Pattern {
		keys = join(", ", keys, spelled("", d.Keys))
	}
	keys = join("; ", keys, prose(d.Type))
	if d.Value != "" {
		keys = join(" of ", keys, code(d.Value))
	}
	tags := join(": ", prose(d.Tags), spelled("", a.Tags))
	stale := ""
	if d.Stale > 0 {
		stale = "May be served for " + describe.Duration(d.Stale) + " after its TTL."
	}
	behind := ""
	if d.Bound > 0 {
		behind = "Copies in other processes are behind by at most " + describe.Duration(d.Bound) + "."
	}
	lives := ""
	if d.TTL > 0 {
		lives = join(": ", describe.Duration(d.TTL), prose(a.Why))
	}
	by := ""
	if len(a.InvalidatedBy) > 0 {
		by = "By: " + listed(a.InvalidatedBy) + "."
	}
	shared := ""
	if a.Shared {
		shared = "with other services, on purpose"
	}
	return []fact{
		{"Owner", prose(a.Owner)},
		{"Criticality", prose(string(a.Criticality))},
		{"Keys", keys},
		{"Lives", lives},
		{"Staleness", join(" ", sentence(a.Staleness, ""), stale, behind)},
		{"Invalidation", join(" ", sentence(a.Invalidation, ""), by)},
		{"Tags", tags},
		{"Loaded from", listed(a.Source)},
		{"Written by", listed(a.WrittenBy)},
		{"Read by", listed(a.ReadBy)},
		{"Warm-up", prose(a.WarmUp)},
		{"Options", prose(d.Policy)},
		{"Shared", shared},
		{"Irregular name", prose(a.Irregular)},
	}
}

// join joins what is not empty.
func join(between string, parts ...string) string {
	return strings.Join(slices.DeleteFunc(parts, func(s string) bool { return s == "" }), between)
}

// listed are texts that stand for themselves.
func listed(texts []string) string {
	parts := make([]string, len(texts))
	for i, s := range texts {
		parts[i] = prose(s)
	}
	return strings.Join(parts, ", ")
}

// spelled are names that programs use, each after the same word.
func spelled(word string, names []string) string {
	parts := make([]string, len(names))
	for i, s := range names {
		parts[i] = word + code(s)
	}
	return strings.Join(parts, ", ")
}

// sentence begins a text with a capital and ends it with a full stop, so that it can
// stand beside others.
func sentence(s, instead string) string {
	s = line(s)
	if s == "" {
		return instead
	}
	first, size := utf8.DecodeRuneInString(s)
	s = string(unicode.ToUpper(first)) + s[size:]
	if last := s[len(s)-1]; last != '.' && last != '!' && last != '?' {
		s += "."
	}
	return prose(s)
}
