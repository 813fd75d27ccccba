package strategy

import (
	"fmt"
	"regexp"
	"strings"
)

// Convention is what the names of keys look like. It is published with the
// declarations, so that it can be read where they are.
type Convention struct {
	// Pattern is a regular expression (package regexp) that each prefix, without the
	// colon at its end, and each whole key matches from end to end; of a subject
	// without keys its name.
	Pattern string `json:"pattern"`
	// Text says it in words, for the document and for who is refused.
	Text string `json:"text"`
}

// DefaultConvention is namespace:key, lower-case, colon-separated: "user:", "shop:cart:".
var DefaultConvention = Convention{
	Pattern: `[a-z0-9]+([._-][a-z0-9]+)*(:[a-z0-9]+([._-][a-z0-9]+)*)*`,
	Text:    "namespace:key, lower-case, parts separated by colons, words within a part by '-', '_' or '.'",
}

func (c Convention) validate() error {
	switch {
	case c.Pattern == "" || len(c.Pattern) > maxTextBytes:
		return &Error{Field: "Options.Convention.Pattern", Problem: fmt.Sprintf("has %d bytes", len(c.Pattern)), Write: "a regular expression of 1 to 2000 bytes; \".*\" allows all names"}
	case c.Text == "" || len(c.Text) > maxTextBytes || strings.ContainsFunc(c.Text, isControl):
		return &Error{Field: "Options.Convention.Text", Problem: fmt.Sprintf("is %q", c.Text), Write: "in words what Pattern allows, up to 2000 bytes"}
	}
	if _, err := c.compile(); err != nil {
		return &Error{Field: "Options.Convention.Pattern", Problem: fmt.Sprintf("is %q: %v", c.Pattern, err), Write: "a regular expression of package regexp"}
	}
	return nil
}

// compile anchors the pattern at both ends.
func (c Convention) compile() (*regexp.Regexp, error) {
	if _, err := regexp.Compile(c.Pattern); err != nil { // which the group around it could hide
		return nil, err
	}
	return regexp.Compile(`^(?:` + c.Pattern + `)$`)
}

// departs returns the first name that does not match.
func departs(d *Declaration, pattern *regexp.Regexp) (field, name string, found bool) {
	for _, p := range d.Prefixes {
		if name := strings.TrimSuffix(p, ":"); !pattern.MatchString(name) {
			return "Prefixes", name, true
		}
	}
	for _, k := range d.Keys {
		if !pattern.MatchString(k) {
			return "Keys", k, true
		}
	}
	if !d.owns() && !pattern.MatchString(d.Name) {
		return "Name", d.Name, true
	}
	return "", "", false
}
