package strategy

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/larder-go/larder/observe"
)

// Diff is what has changed between two documents, for example by a deployment.
type Diff struct {
	// Changes are in the order of services, kinds and names.
	Changes []Change `json:"changes"`
}

// Change is one subject that was added, removed or changed. Where Kind is empty, it is
// the service itself.
type Change struct {
	Service string       `json:"service"`
	Kind    observe.Kind `json:"kind,omitempty"`
	Name    string       `json:"name,omitempty"`
	// What is "added", "removed" or "changed".
	What string `json:"what"`
	// Fields are those that a changed subject differs in.
	Fields []FieldChange `json:"fields,omitempty"`
}

// FieldChange is one field's old and new text; empty where it is not there.
type FieldChange struct {
	Field string `json:"field"`
	Old   string `json:"old,omitempty"`
	New   string `json:"new,omitempty"`
}

// The values of Change.What.
const (
	added   = "added"
	removed = "removed"
	changed = "changed"
)

// newest returns each service's first version, which is its newest.
func (d *Document) newest() map[string]*Service {
	newest := map[string]*Service{}
	for i := range d.Services {
		if s := &d.Services[i]; newest[s.Name] == nil {
			newest[s.Name] = s
		}
	}
	return newest
}

// Diff says what has changed since an older document. Of each service the newest
// versions are compared; moments, processes and warnings are not.
func (d *Document) Diff(old *Document) Diff {
	before, after := old.newest(), d.newest()
	names := map[string]bool{}
	for name := range before {
		names[name] = true
	}
	for name := range after {
		names[name] = true
	}
	diff := Diff{Changes: []Change{}}
	for name := range names {
		a, b := before[name], after[name]
		switch {
		case a == nil:
			diff.Changes = append(diff.Changes, Change{Service: name, What: added})
			a = &Service{}
		case b == nil:
			diff.Changes = append(diff.Changes, Change{Service: name, What: removed})
			b = &Service{}
		default:
			fields := appendChanged(nil, "version", []string{a.Version}, []string{b.Version})
			fields = appendChanged(fields, "naming convention", []string{a.Convention.Text}, []string{b.Convention.Text})
			if len(fields) > 0 {
				diff.Changes = append(diff.Changes, Change{Service: name, What: changed, Fields: fields})
			}
		}
		diff.Changes = append(diff.Changes, diffServices(name, a, b)...)
	}
	slices.SortFunc(diff.Changes, compareChanges)
	return diff
}

func compareChanges(a, b Change) int {
	first := func(c Change) int {
		if c.Kind == "" {
			return 0
		}
		return 1
	}
	return cmp.Or(cmp.Compare(a.Service, b.Service), cmp.Compare(first(a), first(b)), compareKinds(a.Kind, b.Kind), cmp.Compare(a.Name, b.Name))
}

func diffServices(service string, a, b *Service) (changes []Change) {
	old := map[Name]*Declaration{}
	for i := range a.Declarations {
		d := &a.Declarations[i]
		old[Name{d.Kind, d.Name}] = d
	}
	for i := range b.Declarations {
		d := &b.Declarations[i]
		name := Name{d.Kind, d.Name}
		change := Change{Service: service, Kind: d.Kind, Name: d.Name, What: added}
		if o := old[name]; o != nil {
			change.What, change.Fields = changed, diffDeclarations(o, d)
		}
		delete(old, name)
		if change.What == added || len(change.Fields) > 0 {
			changes = append(changes, change)
		}
	}
	for name := range old {
		changes = append(changes, Change{Service: service, Kind: name.Kind, Name: name.Name, What: removed})
	}
	return changes
}

func diffDeclarations(a, b *Declaration) (fields []FieldChange) {
	old := a.details()
	for i, d := range b.details() {
		fields = appendChanged(fields, d.label, old[i].texts, d.texts)
	}
	return fields
}

func appendChanged(fields []FieldChange, field string, old, now []string) []FieldChange {
	if slices.Equal(old, now) {
		return fields
	}
	return append(fields, FieldChange{field, strings.Join(old, ", "), strings.Join(now, ", ")})
}

// Empty tells whether nothing has changed.
func (d Diff) Empty() bool { return len(d.Changes) == 0 }

// Markdown lists the changes.
func (d Diff) Markdown() string {
	var b strings.Builder
	b.WriteString("# Changes of the caching strategy\n\n")
	if d.Empty() {
		b.WriteString("None.\n")
	}
	service := ""
	for i, c := range d.Changes {
		if i == 0 || c.Service != service {
			service = c.Service
			if i > 0 {
				b.WriteByte('\n')
			}
			fmt.Fprintf(&b, "## %s\n\n", prose(service))
		}
		c.write(&b)
	}
	return b.String()
}

// write lists one change.
func (c Change) write(b *strings.Builder) {
	if c.Kind == "" {
		fmt.Fprintf(b, "- service %s\n", c.What)
	} else {
		fmt.Fprintf(b, "- **%s** %s %s\n", c.What, prose(one(c.Kind)), code(c.Name))
	}
	for _, f := range c.Fields {
		fmt.Fprintf(b, "  - %s: %s → %s\n", f.Field, orNothing(f.Old), orNothing(f.New))
	}
}

func orNothing(s string) string {
	if s == "" {
		return "(nothing)"
	}
	return prose(s)
}
