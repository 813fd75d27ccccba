package strategy

import (
	"cmp"
	"encoding/json"
	"slices"
	"time"

	"github.com/larder-go/larder/internal/describe"
	"github.com/larder-go/larder/observe"
)

// Describer is what can be declared: every feature, and an observe.Subject that was made
// by hand, for keys that a program keeps by itself.
type Describer interface {
	Describe() observe.Subject
}

// Declaration is a subject and what is said about it. In JSON it is one flat object,
// whose durations are in milliseconds.
type Declaration struct {
	observe.Subject
	About About
}

// declarationJSON is the form of a Declaration in JSON and in Redis.
type declarationJSON struct {
	Kind     observe.Kind `json:"kind"`
	Name     string       `json:"name"`
	Prefixes []string     `json:"prefixes,omitempty"`
	Keys     []string     `json:"keys,omitempty"`
	Pattern  string       `json:"pattern,omitempty"`
	Type     string       `json:"type,omitempty"`
	Value    string       `json:"value,omitempty"`
	TTL      float64      `json:"ttl_ms,omitempty"`
	Stale    float64      `json:"stale_ms,omitempty"`
	Bound    float64      `json:"bound_ms,omitempty"`
	Tags     string       `json:"tags,omitempty"`
	Policy   string       `json:"policy,omitempty"`
	About
}

func inMillis(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

func fromMillis(ms float64) time.Duration { return time.Duration(ms * float64(time.Millisecond)) }

// MarshalJSON makes the flat object.
func (d Declaration) MarshalJSON() ([]byte, error) {
	s := d.Subject
	return json.Marshal(declarationJSON{
		s.Kind, s.Name, s.Prefixes, s.Keys, s.Pattern, s.Type, s.Value,
		inMillis(s.TTL), inMillis(s.Stale), inMillis(s.Bound), s.Tags, s.Policy, d.About,
	})
}

// UnmarshalJSON reads the flat object.
func (d *Declaration) UnmarshalJSON(data []byte) error {
	var j declarationJSON
	if err := json.Unmarshal(data, &j); err != nil {
		return err
	}
	d.Subject = observe.Subject{
		Kind: j.Kind, Name: j.Name, Prefixes: j.Prefixes, Keys: j.Keys, Pattern: j.Pattern, Type: j.Type, Value: j.Value,
		TTL: fromMillis(j.TTL), Stale: fromMillis(j.Stale), Bound: fromMillis(j.Bound), Tags: j.Tags, Policy: j.Policy,
	}
	d.About = j.About
	return nil
}

// copies tells whether values are copies of something else, which can change without
// them.
func (d *Declaration) copies() bool {
	return d.Kind == observe.Cache || d.Kind == observe.SQL || d.Kind == observe.Keys
}

// owns tells whether there are keys in Redis.
func (d *Declaration) owns() bool { return len(d.Prefixes)+len(d.Keys) > 0 }

// missing lists the fields of About that a colleague would ask for.
func (d *Declaration) missing() (fields []string) {
	a := d.About
	for _, f := range []struct {
		name          string
		wanted, given bool
	}{
		{"Purpose", true, a.Purpose != ""},
		{"Owner", true, a.Owner != ""},
		{"Criticality", true, a.Criticality != ""},
		{"Why", d.TTL > 0, a.Why != ""},
		{"Staleness", d.copies(), a.Staleness != ""},
		{"Invalidation", d.copies() || d.Kind == observe.Session, a.Invalidation != ""},
	} {
		if f.wanted && !f.given {
			fields = append(fields, f.name)
		}
	}
	return fields
}

// detail is one thing that is known of a declaration.
type detail struct {
	label string
	texts []string
}

// details lists everything but kind and name, for differences. What is not known has no
// texts.
func (d *Declaration) details() []detail {
	one := func(s string) []string {
		if s == "" {
			return nil
		}
		return []string{s}
	}
	span := func(t time.Duration) []string {
		if t <= 0 {
			return nil
		}
		return []string{describe.Duration(t)}
	}
	a := d.About
	shared := ""
	if a.Shared {
		shared = "with other services, on purpose"
	}
	return []detail{
		{"purpose", one(a.Purpose)},
		{"owner", one(a.Owner)},
		{"criticality", one(string(a.Criticality))},
		{"keys", one(d.Pattern)},
		{"prefixes", d.Prefixes},
		{"whole keys", d.Keys},
		{"type in Redis", one(d.Type)},
		{"type in Go", one(d.Value)},
		{"TTL", span(d.TTL)},
		{"why this TTL", one(a.Why)},
		{"may be served stale for", span(d.Stale)},
		{"other processes are behind by at most", span(d.Bound)},
		{"staleness", one(a.Staleness)},
		{"invalidation", one(a.Invalidation)},
		{"invalidated by", a.InvalidatedBy},
		{"source", a.Source},
		{"written by", a.WrittenBy},
		{"read by", a.ReadBy},
		{"tagged", one(d.Tags)},
		{"tags", a.Tags},
		{"warm-up", one(a.WarmUp)},
		{"policy", one(d.Policy)},
		{"shared", one(shared)},
		{"irregular name", one(a.Irregular)},
	}
}

// kinds is the order of kinds in a document.
var kinds = []observe.Kind{
	observe.Cache, observe.SQL, observe.Session, observe.Limiter, observe.Topic, observe.Keys, observe.Gateway, observe.Redis,
}

// compareKinds orders kinds as in a document, unknown ones last.
func compareKinds(a, b observe.Kind) int {
	place := func(k observe.Kind) int {
		if i := slices.Index(kinds, k); i >= 0 {
			return i
		}
		return len(kinds)
	}
	return cmp.Or(cmp.Compare(place(a), place(b)), cmp.Compare(a, b))
}

func compareDeclarations(a, b Declaration) int {
	return cmp.Or(compareKinds(a.Kind, b.Kind), cmp.Compare(a.Name, b.Name))
}
