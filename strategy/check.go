package strategy

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/larder-go/larder/internal/describe"
	"github.com/larder-go/larder/observe"
)

// unexplained is how long a copy may be seen without a word on how it is invalidated:
// until then its TTL is the invalidation.
const unexplained = time.Minute

// check says everything that is wrong with a declaration by itself.
func (o Options) check(d *Declaration, pattern *regexp.Regexp) error {
	errs := []error{d.checkNames(), d.checkTexts(), o.checkTTL(d)}
	if field, name, found := departs(d, pattern); found && d.About.Irregular == "" {
		errs = append(errs, d.refused(field, fmt.Sprintf("has %q, which the convention does not allow", name),
			"a name of this form: "+o.Convention.Text+"; or, in About.Irregular, why it has to be another"))
	}
	if d.copies() && d.TTL+d.Stale > unexplained && d.About.Invalidation == "" {
		errs = append(errs, d.refused("About.Invalidation", fmt.Sprintf("is empty, and a value may be seen for %s", describe.Duration(d.TTL+d.Stale)),
			`who drops an entry, and when: "Users.Save calls Invalidate(id) after the commit"; if nothing does, say so, and why that is all right`))
	}
	if o.Strict {
		for _, field := range d.missing() {
			if field == "Invalidation" && d.copies() && d.TTL+d.Stale > unexplained {
				continue // said above
			}
			errs = append(errs, d.refused("About."+field, "is empty, and Options.Strict is set", "a sentence about it"))
		}
	}
	return errors.Join(errs...)
}

func (d *Declaration) checkNames() error {
	names := append(append([]string{}, d.Prefixes...), d.Keys...)
	switch {
	case d.Kind == "" || len(d.Kind) > 32 || strings.ContainsFunc(string(d.Kind), func(r rune) bool { return r < 'a' || r > 'z' }):
		return d.refused("Kind", "is empty, too long, or not lower-case", "one of the kinds of package observe, such as observe.Keys")
	case d.Name == "" || len(d.Name) > maxNameBytes || !utf8.ValidString(d.Name):
		return d.refused("Name", fmt.Sprintf("has %d bytes", len(d.Name)), "a name of 1 to 512 bytes of UTF-8")
	case len(names) > maxList:
		return d.refused("Prefixes", fmt.Sprintf("and Keys are %d", len(names)), "up to 32")
	}
	for _, name := range names {
		if name == "" || len(name) > maxNameBytes || !utf8.ValidString(name) {
			return d.refused("Prefixes", fmt.Sprintf("or Keys have one of %d bytes", len(name)), "prefixes and keys of 1 to 512 bytes of UTF-8")
		}
		if strings.HasPrefix(name, "~") || strings.HasPrefix(name, "{larder:") {
			return d.refused("Prefixes", fmt.Sprintf("has %q", name), "a name that begins with neither '~' nor \"{larder:\": those are Larder's own")
		}
	}
	return nil
}

func (d *Declaration) checkTexts() error {
	a := d.About
	for _, f := range []struct {
		field string
		texts []string
	}{
		{"Purpose", []string{a.Purpose}},
		{"Owner", []string{a.Owner}},
		{"Why", []string{a.Why}},
		{"Staleness", []string{a.Staleness}},
		{"Invalidation", []string{a.Invalidation}},
		{"Source", a.Source},
		{"WrittenBy", a.WrittenBy},
		{"ReadBy", a.ReadBy},
		{"InvalidatedBy", a.InvalidatedBy},
		{"Tags", a.Tags},
		{"WarmUp", []string{a.WarmUp}},
		{"Irregular", []string{a.Irregular}},
	} {
		if len(f.texts) > maxList {
			return d.refused("About."+f.field, fmt.Sprintf("has %d elements", len(f.texts)), "up to 32")
		}
		for _, s := range f.texts {
			if len(s) > maxTextBytes || !utf8.ValidString(s) {
				return d.refused("About."+f.field, fmt.Sprintf("has %d bytes", len(s)), "up to 2000 bytes of UTF-8")
			}
		}
	}
	switch a.Criticality {
	case "", Low, Medium, High:
		return nil
	}
	return d.refused("About.Criticality", fmt.Sprintf("is %q", a.Criticality), "strategy.Low, Medium or High")
}

func (o Options) checkTTL(d *Declaration) error {
	allowed := fmt.Sprintf("one of %s to %s (Options.MinTTL and MaxTTL)", describe.Duration(o.MinTTL), describe.Duration(o.MaxTTL))
	switch {
	case !d.owns() && d.TTL == 0:
		return nil
	case d.TTL == 0:
		return d.refused("TTL", "is 0: its keys would stay for ever", allowed+", and set it wherever the keys are written")
	case d.TTL < o.MinTTL || d.TTL > o.MaxTTL:
		return d.refused("TTL", "is "+describe.Duration(d.TTL), allowed)
	}
	return nil
}

// overlap returns a prefix or key of a and one of b that can be the same key.
func overlap(a, b observe.Subject) (of, with string, found bool) {
	for _, p := range a.Prefixes {
		for _, q := range b.Prefixes {
			if strings.HasPrefix(p, q) || strings.HasPrefix(q, p) {
				return p, q, true
			}
		}
		for _, k := range b.Keys {
			if strings.HasPrefix(k, p) {
				return p, k, true
			}
		}
	}
	for _, k := range a.Keys {
		for _, q := range b.Prefixes {
			if strings.HasPrefix(k, q) {
				return k, q, true
			}
		}
		for _, l := range b.Keys {
			if k == l {
				return k, l, true
			}
		}
	}
	return "", "", false
}

// isControl finds what must not reach a terminal or a log: control characters, and those
// that turn the direction of writing.
func isControl(r rune) bool {
	return r < ' ' || r >= 0x7f && r < 0xa0 || r >= 0x200e && r <= 0x200f || r >= 0x2028 && r <= 0x202e || r >= 0x2066 && r <= 0x2069
}
