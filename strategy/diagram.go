package strategy

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// maxEdges is what Mermaid draws in one diagram; beyond it there is one per service.
const maxEdges = 400

// edge is one arrow of the diagram: who does what to whom.
type edge struct{ from, arrow, to string }

const (
	loads       = "-->|is loaded into|"
	writes      = "-->|writes|"
	reads       = "-->|is read by|"
	invalidates = "-.->|invalidates|"
)

// diagram is the graph of some services: subjects, and those who act on them.
type diagram struct {
	subjects map[string]*Declaration // by "kind name"
	edges    []edge
}

// newDiagram draws the newest version of each service.
func newDiagram(services []*Service) *diagram {
	g := &diagram{subjects: map[string]*Declaration{}}
	for _, s := range services {
		for i := range s.Declarations {
			d := &s.Declarations[i]
			g.subjects[nameOf(d)] = d
		}
	}
	seen := map[edge]bool{}
	add := func(e edge) {
		if !seen[e] {
			seen[e] = true
			g.edges = append(g.edges, e)
		}
	}
	for _, s := range services {
		for i := range s.Declarations {
			d := &s.Declarations[i]
			to := nameOf(d)
			for _, from := range d.About.Source {
				add(edge{from, loads, to})
			}
			for _, from := range d.About.WrittenBy {
				add(edge{from, writes, to})
			}
			for _, from := range d.About.InvalidatedBy {
				add(edge{from, invalidates, to})
			}
			for _, by := range d.About.ReadBy {
				add(edge{to, reads, by})
			}
		}
	}
	slices.SortFunc(g.edges, func(a, b edge) int {
		return cmp.Or(cmp.Compare(a.from, b.from), cmp.Compare(a.arrow, b.arrow), cmp.Compare(a.to, b.to))
	})
	return g
}

// nameOf is what About calls a subject.
func nameOf(d *Declaration) string { return string(d.Kind) + " " + d.Name }

// write writes the graph in Mermaid's language: subjects are boxes, sources are
// cylinders, those who act are rounded.
func (g *diagram) write(b *strings.Builder) {
	nodes, sources := map[string]bool{}, map[string]bool{}
	for _, e := range g.edges {
		nodes[e.from], nodes[e.to] = true, true
		sources[e.from] = sources[e.from] || e.arrow == loads
	}
	ids := map[string]string{}
	b.WriteString("```mermaid\nflowchart LR\n")
	for i, name := range slices.Sorted(maps.Keys(nodes)) {
		id := fmt.Sprintf("n%d", i+1)
		ids[name] = id
		switch d := g.subjects[name]; {
		case d != nil:
			fmt.Fprintf(b, "    %s[\"%s<br>%s\"]\n", id, label(string(d.Kind)), label(d.Name))
		case sources[name]:
			fmt.Fprintf(b, "    %s[(\"%s\")]\n", id, label(name))
		default:
			fmt.Fprintf(b, "    %s(\"%s\")\n", id, label(name))
		}
	}
	for _, e := range g.edges {
		fmt.Fprintf(b, "    %s %s %s\n", ids[e.from], e.arrow, ids[e.to])
	}
	b.WriteString("```\n")
}

// diagrams writes one diagram of all services or, if that is too large, one of each.
func (d *Document) diagrams(b *strings.Builder) {
	newest := d.newest()
	services := make([]*Service, 0, len(newest))
	for _, name := range slices.Sorted(maps.Keys(newest)) {
		services = append(services, newest[name])
	}
	all := newDiagram(services)
	switch {
	case len(all.edges) == 0:
		b.WriteString("Nothing is declared of it: About.Source, WrittenBy, ReadBy and InvalidatedBy draw a diagram.\n")
	case len(all.edges) <= maxEdges:
		all.write(b)
	default:
		for _, s := range services {
			one := newDiagram([]*Service{s})
			fmt.Fprintf(b, "\n### %s\n\n", prose(s.Name))
			if len(one.edges) > maxEdges {
				fmt.Fprintf(b, "The first %d of %d arrows.\n\n", maxEdges, len(one.edges))
				one.edges = one.edges[:maxEdges]
			}
			one.write(b)
		}
	}
}
