package strategy

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/larder-go/larder/internal/describe"
	"github.com/larder-go/larder/observe"
)

// Markdown writes the document for a colleague who is new: an overview, what should be
// seen to, a diagram of who writes what and invalidates whom, a table for each kind, and
// everything that is known of each subject. The same document always gives the same text.
func (d *Document) Markdown() string {
	var b strings.Builder
	b.WriteString("# Caching strategy\n\n")
	entries := d.entries()
	fmt.Fprintf(&b, "What is kept in Redis and in memory, as declared by the code that runs: %s of %s, read at %s.\n\n",
		count(len(entries), "subject", "subjects"), count(len(d.newest()), "service", "services"), clock(d.At))
	d.writeServices(&b)
	d.writeWarnings(&b)
	b.WriteString("## Who writes what, and who invalidates whom\n\n")
	d.diagrams(&b)
	b.WriteString(legend)
	for start := 0; start < len(entries); {
		end := start
		for end < len(entries) && entries[end].d.Kind == entries[start].d.Kind {
			end++
		}
		d.writeKind(&b, entries[start:end])
		start = end
	}
	return b.String()
}

// legend explains the tables.
const legend = `
In the tables below, *TTL* is how long a value lives, *stale* for how long after that it
may be served while a new one is loaded or cannot be, and *behind* how far the copies in
other processes may be behind an invalidation at most. *Criticality* is what happens
without it: *low*, nobody notices; *medium*, slower or with less function; *high*, the
source does not carry the load, or users are locked out.
`

// clock is a moment for people.
func clock(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05 UTC") }

func (d *Document) writeServices(b *strings.Builder) {
	b.WriteString("## Services\n\n| service | version | processes | since | declares |\n|---|---|---|---|---|\n")
	for i := range d.Services {
		s := &d.Services[i]
		fmt.Fprintf(b, "| %s | %s | %d | %s | %s |\n", prose(s.Name), cell(d.version(s)), len(s.Processes), clock(s.Since), tally(s.Declarations))
	}
	b.WriteByte('\n')
	d.writeConventions(b)
	d.writeVersions(b)
}

// writeConventions says what names look like, of whom.
func (d *Document) writeConventions(b *strings.Builder) {
	var texts []string
	services := map[string][]string{}
	for i := range d.Services {
		s := &d.Services[i]
		text := s.Convention.Text
		if !slices.Contains(texts, text) {
			texts = append(texts, text)
		}
		if name := prose(s.Name); !slices.Contains(services[text], name) {
			services[text] = append(services[text], name)
		}
	}
	for _, text := range texts {
		fmt.Fprintf(b, "Names of keys (%s): %s.\n\n", strings.Join(services[text], ", "), prose(text))
	}
}

// writeVersions says in what the versions of a service differ that run at a time.
func (d *Document) writeVersions(b *strings.Builder) {
	newest := d.newest()
	for i := range d.Services {
		old := &d.Services[i]
		now := newest[old.Name]
		if old == now {
			continue
		}
		fmt.Fprintf(b, "Two versions of %s run at a time. From %s to %s:\n\n", prose(old.Name), code(d.version(old)), code(d.version(now)))
		changes := diffServices(old.Name, old, now)
		slices.SortFunc(changes, compareChanges)
		for _, c := range changes {
			c.write(b)
		}
		if len(changes) == 0 {
			b.WriteString("- nothing changes in what they declare\n")
		}
		b.WriteByte('\n')
	}
}

// version is what tells a service's versions apart.
func (d *Document) version(s *Service) string {
	for i := range d.Services {
		if o := &d.Services[i]; o != s && o.Name == s.Name && o.Version == s.Version {
			return s.Version + " (" + s.Set[:min(len(s.Set), 8)] + ")"
		}
	}
	return s.Version
}

// tally says how many of each kind there are.
func tally(declarations []Declaration) string {
	var parts []string
	for start := 0; start < len(declarations); {
		kind, n := declarations[start].Kind, 0
		for start+n < len(declarations) && declarations[start+n].Kind == kind {
			n++
		}
		start += n
		parts = append(parts, prose(count(n, one(kind), strings.ToLower(title(kind)))))
	}
	return strings.Join(parts, ", ")
}

var words = map[observe.Kind][2]string{
	observe.Cache:   {"cache", "Caches"},
	observe.SQL:     {"cache of queries", "Caches of queries"},
	observe.Session: {"session store", "Session stores"},
	observe.Limiter: {"rate limiter", "Rate limiters"},
	observe.Topic:   {"topic", "Topics"},
	observe.Keys:    {"group of keys", "Groups of keys"},
	observe.Gateway: {"gateway", "Gateways"},
	observe.Redis:   {"connection", "Connections"},
}

func one(k observe.Kind) string {
	if w, ok := words[k]; ok {
		return w[0]
	}
	return string(k)
}

func title(k observe.Kind) string {
	if w, ok := words[k]; ok {
		return w[1]
	}
	return string(k)
}

func (d *Document) writeWarnings(b *strings.Builder) {
	b.WriteString("## To be seen to\n\n")
	if len(d.Warnings) == 0 {
		b.WriteString("Nothing.\n\n")
		return
	}
	for _, w := range d.Warnings {
		fmt.Fprintf(b, "- **%s**: %s\n", w.Code, prose(w.Text))
	}
	b.WriteByte('\n')
}

// entry is a declaration in the document, and all who make it word for word.
type entry struct {
	d  *Declaration
	by []*Service
}

// entries collects what is declared, in the order of kinds and names; what several
// declare in the same words is one entry.
func (d *Document) entries() []entry {
	var all []entry
	places := map[Name][]int{} // in all
	for i := range d.Services {
		s := &d.Services[i]
		for j := range s.Declarations {
			decl := &s.Declarations[j]
			name := Name{decl.Kind, decl.Name}
			at := slices.IndexFunc(places[name], func(i int) bool { return len(diffDeclarations(all[i].d, decl)) == 0 })
			if at >= 0 {
				e := &all[places[name][at]]
				e.by = append(e.by, s)
				continue
			}
			places[name] = append(places[name], len(all))
			all = append(all, entry{decl, []*Service{s}})
		}
	}
	slices.SortStableFunc(all, func(a, b entry) int { return compareDeclarations(*a.d, *b.d) })
	return all
}

// makers names the services that make a declaration, with a version where not all of a
// service's versions do.
func (d *Document) makers(e entry) string {
	versions := func(services []*Service, name string) (n int) {
		for _, s := range services {
			if s.Name == name {
				n++
			}
		}
		return n
	}
	all := make([]*Service, len(d.Services))
	for i := range d.Services {
		all[i] = &d.Services[i]
	}
	var names []string
	for _, s := range e.by {
		name := prose(s.Name)
		if versions(e.by, s.Name) < versions(all, s.Name) {
			name += " " + cell(d.version(s))
		}
		names = append(names, name)
	}
	return strings.Join(slices.Compact(names), ", ")
}

// writeKind writes the table of one kind, and below it what is known of each subject.
func (d *Document) writeKind(b *strings.Builder, entries []entry) {
	fmt.Fprintf(b, "\n## %s\n\n| name | service | owner | criticality | TTL | stale | behind | invalidated by |\n|---|---|---|---|---|---|---|---|\n", prose(title(entries[0].d.Kind)))
	for _, e := range entries {
		a := e.d.About
		fmt.Fprintf(b, "| %s | %s | %s | %s | %s | %s | %s | %s |\n", cell(e.d.Name), d.makers(e), dash(prose(a.Owner)),
			dash(prose(string(a.Criticality))), span(e.d.TTL), span(e.d.Stale), span(e.d.Bound), dash(prose(strings.Join(a.InvalidatedBy, ", "))))
	}
	names := map[string]int{}
	for _, e := range entries {
		names[e.d.Name]++
	}
	for _, e := range entries {
		of := ""
		if names[e.d.Name] > 1 {
			of = " of " + d.makers(e)
		}
		fmt.Fprintf(b, "\n### %s %s%s\n\n%s\n\n", prose(one(e.d.Kind)), code(e.d.Name), of, sentence(e.d.About.Purpose, "Nothing is said of its purpose."))
		for _, f := range e.d.facts() {
			if f.text != "" {
				fmt.Fprintf(b, "- **%s**: %s\n", f.label, f.text)
			}
		}
	}
}

func dash(s string) string {
	if s == "" {
		return "–"
	}
	return s
}

func span(d time.Duration) string {
	if d <= 0 {
		return "–"
	}
	return describe.Duration(d)
}
