package strategy

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/larder-go/larder/internal/describe"
)

// WarningCode is what sort of warning it is.
type WarningCode string

// The codes, the worst first.
const (
	Conflict   WarningCode = "conflict"   // two subjects claim the same keys
	Differs    WarningCode = "differs"    // a shared subject is not the same everywhere
	Abandoned  WarningCode = "abandoned"  // no process of the service runs
	Missing    WarningCode = "missing"    // a colleague would ask for more
	Unreadable WarningCode = "unreadable" // something in Redis is not understood
)

var codes = []WarningCode{Conflict, Differs, Abandoned, Missing, Unreadable}

// Warning is something that should be seen to.
type Warning struct {
	Code WarningCode `json:"code"`
	// Services and Subjects are those that it concerns.
	Services []string `json:"services,omitempty"`
	Subjects []Name   `json:"subjects,omitempty"`
	// Text says what is wrong and what to do about it, in plain text.
	Text string `json:"text"`
}

// warn finds what is wrong with the document.
func (d *Document) warn() {
	d.Warnings = []Warning{}
	d.warnOfOverlaps()
	for i := range d.Services {
		s := &d.Services[i]
		if !s.Alive() {
			d.Warnings = append(d.Warnings, Warning{Code: Abandoned, Services: []string{s.Name}, Text: fmt.Sprintf(
				"no process of %q runs, or none reaches Redis; what it declares is forgotten at %s", s.Name, clock(s.Until))})
		}
		for j := range s.Declarations {
			decl := &s.Declarations[j]
			if fields := decl.missing(); len(fields) > 0 {
				d.Warnings = append(d.Warnings, Warning{
					Code: Missing, Services: []string{s.Name}, Subjects: []Name{{decl.Kind, decl.Name}},
					Text: fmt.Sprintf("%s %q of %q: nothing is said of %s", decl.Kind, decl.Name, s.Name, strings.Join(fields, ", ")),
				})
			}
		}
	}
	slices.SortStableFunc(d.Warnings, func(a, b Warning) int {
		return cmp.Compare(slices.Index(codes, a.Code), slices.Index(codes, b.Code))
	})
	seen := map[string]bool{} // two versions of a service have the same faults
	d.Warnings = slices.DeleteFunc(d.Warnings, func(w Warning) bool {
		again := seen[w.Text]
		seen[w.Text] = true
		return again
	})
}

// claimed is a prefix or a key, and who claims it.
type claimed struct {
	text   string
	prefix bool
	s      *Service
	d      *Declaration
}

// warnOfOverlaps finds claims to the same keys. In alphabetical order, whatever begins
// with a prefix follows it, up to the first that does not.
func (d *Document) warnOfOverlaps() {
	var all []claimed
	for i := range d.Services {
		s := &d.Services[i]
		for j := range s.Declarations {
			decl := &s.Declarations[j]
			for _, p := range decl.Prefixes {
				all = append(all, claimed{p, true, s, decl})
			}
			for _, k := range decl.Keys {
				all = append(all, claimed{k, false, s, decl})
			}
		}
	}
	slices.SortStableFunc(all, func(a, b claimed) int {
		first := func(c claimed) int { // a prefix comes before the key that equals it
			if c.prefix {
				return 0
			}
			return 1
		}
		return cmp.Or(cmp.Compare(a.text, b.text), cmp.Compare(first(a), first(b)))
	})
	seen := map[string]bool{}
	var open []claimed // all of which the next may overlap
	for _, c := range all {
		for len(open) > 0 {
			last := open[len(open)-1]
			if last.prefix && strings.HasPrefix(c.text, last.text) || last.text == c.text {
				break
			}
			open = open[:len(open)-1]
		}
		for _, o := range open {
			if len(d.Warnings) == maxOverlaps {
				return
			}
			if w, wrong := compareClaims(o, c); wrong && !seen[w.Text] {
				seen[w.Text] = true
				d.Warnings = append(d.Warnings, w)
			}
		}
		open = append(open, c)
	}
}

// maxOverlaps bounds the warnings, where everybody claims everything.
const maxOverlaps = 1000

// compareClaims says what is wrong with two claims to the same keys, if anything is.
func compareClaims(a, b claimed) (w Warning, wrong bool) {
	same := a.d.Kind == b.d.Kind && a.d.Name == b.d.Name
	switch {
	case a.s.Name == b.s.Name && (same || a.s == b.s):
		return w, false // two versions of one thing; within a version Declare has looked
	case same && a.d.About.Shared && b.d.About.Shared:
		difference := disagree(a.d, b.d)
		w = Warning{Code: Differs, Text: fmt.Sprintf("%s %q is shared by %q and %q, and differs: %s; give it the same options in both",
			a.d.Kind, a.d.Name, a.s.Name, b.s.Name, difference)}
		wrong = difference != ""
	case same:
		w = Warning{Code: Conflict, Text: fmt.Sprintf("%s %q is declared by %q and by %q; give one of them another name, or set About.Shared in both where they mean the same",
			a.d.Kind, a.d.Name, a.s.Name, b.s.Name)}
		wrong = true
	default:
		w = Warning{Code: Conflict, Text: fmt.Sprintf("%q of %s %q (%q) and %q of %s %q (%q) can be the same keys; rename one of them",
			a.text, a.d.Kind, a.d.Name, a.s.Name, b.text, b.d.Kind, b.d.Name, b.s.Name)}
		wrong = true
	}
	w.Services = slices.Compact([]string{a.s.Name, b.s.Name})
	w.Subjects = slices.Compact([]Name{{a.d.Kind, a.d.Name}, {b.d.Kind, b.d.Name}})
	return w, wrong
}

// disagree says in what two declarations of a shared subject differ that should not.
func disagree(a, b *Declaration) string {
	var parts []string
	for _, f := range []struct{ what, a, b string }{
		{"type in Redis", a.Type, b.Type},
		{"TTL", describe.Duration(a.TTL), describe.Duration(b.TTL)},
		{"policy", a.Policy, b.Policy},
	} {
		if f.a != f.b {
			parts = append(parts, fmt.Sprintf("%s %q and %q", f.what, f.a, f.b))
		}
	}
	return strings.Join(parts, ", ")
}
