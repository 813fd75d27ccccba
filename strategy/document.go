package strategy

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/larder-go/larder/conn"
	"github.com/larder-go/larder/observe"
)

// Document is what all services declare, as it was at a moment.
type Document struct {
	// At is when it was read, by Redis' clock.
	At time.Time `json:"at"`
	// Services are in the order of their names, of each the newest first. A version
	// without a process is left out where another of the same service has one.
	Services []Service `json:"services"`
	// Warnings are what should be seen to, the worst first.
	Warnings []Warning `json:"warnings"`
}

// Service is what one version of a service declares. While a deployment is under way
// there are two of the same name.
type Service struct {
	Name    string `json:"name"`
	Version string `json:"version"`
	// Set tells those apart that have the same name and version and declare different
	// things, for example because they were configured differently.
	Set        string     `json:"set"`
	Convention Convention `json:"convention"`
	// Processes are those that run it, host/pid and a suffix, in alphabetical order;
	// none where the service has ended, or does not reach Redis.
	Processes []string `json:"processes"`
	// Since is when it was first published; Until is when it is forgotten unless a
	// process renews it.
	Since time.Time `json:"since"`
	Until time.Time `json:"until"`
	// Declarations are in the order of kinds and names.
	Declarations []Declaration `json:"declarations"`
}

// Alive tells whether a process of it runs.
func (s *Service) Alive() bool { return len(s.Processes) > 0 }

// Claim is a declaration and who has made it.
type Claim struct {
	*Service
	Declaration Declaration
}

// Read reads what all services have published. A Redis without declarations gives a
// Document without services.
func Read(ctx context.Context, c Conn) (*Document, error) {
	l, err := list(ctx, c)
	if err != nil {
		return nil, err
	}
	doc := &Document{At: l.now, Services: []Service{}}
	unreadable, err := doc.fetch(ctx, c, l)
	if err != nil {
		return nil, err
	}
	doc.arrange()
	doc.warn()
	if unreadable > 0 {
		doc.Warnings = append(doc.Warnings, Warning{Code: Unreadable, Text: fmt.Sprintf(
			"%s of declarations could not be read; perhaps a newer version of Larder has written them: read them with that", count(unreadable, "set", "sets"))})
	}
	return doc, nil
}

// batch is how many sets are fetched at a time: one may have a megabyte.
const batch = 16

// fetch reads the sets of a listing, and counts those that it does not understand.
func (d *Document) fetch(ctx context.Context, c Conn, l listing) (unreadable int, err error) {
	for digests := range slices.Chunk(l.digests, batch) {
		cmds := make([]conn.Command, len(digests))
		for i, digest := range digests {
			cmds[i] = conn.Key("HMGET", setPrefix+digest, "declared", "since")
		}
		for i, r := range c.Pipeline(ctx, cmds...) {
			if r.Err != nil && conn.Code(r.Err) == "" {
				return 0, fmt.Errorf("strategy: read: %w", r.Err)
			}
			fields := r.Value.Elems
			if r.Err != nil || len(fields) != 2 {
				unreadable++
				continue
			}
			if fields[0].IsNil() {
				continue // expired, or evicted: it comes back with the next renewal
			}
			var s set
			since, merr := moment(fields[1])
			if json.Unmarshal([]byte(fields[0].Str), &s) != nil || merr != nil || s.Format != format {
				unreadable++
				continue
			}
			slices.SortStableFunc(s.Declarations, compareDeclarations)
			d.Services = append(d.Services, Service{
				Name: s.Service, Version: s.Version, Set: digests[i], Convention: s.Convention,
				Processes: append([]string{}, l.processes[digests[i]]...),
				Since:     since, Until: l.until[digests[i]], Declarations: s.Declarations,
			})
		}
	}
	return unreadable, nil
}

// arrange orders services, and leaves out what has been replaced.
func (d *Document) arrange() {
	slices.SortFunc(d.Services, func(a, b Service) int {
		alive := func(s Service) int {
			if s.Alive() {
				return 0
			}
			return 1
		}
		return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(alive(a), alive(b)),
			b.Since.Compare(a.Since), b.Until.Compare(a.Until), cmp.Compare(a.Set, b.Set))
	})
	for i := range d.Services {
		slices.Sort(d.Services[i].Processes)
	}
	seen := ""
	d.Services = slices.DeleteFunc(d.Services, func(s Service) bool {
		replaced := s.Name == seen && !s.Alive()
		seen = s.Name
		return replaced
	})
}

// Lookup returns the claims of a kind and name: none where nobody declares it, several
// where services share it, disagree, or are being replaced. The first of each service is
// its newest.
func (d *Document) Lookup(kind observe.Kind, name string) []Claim {
	var claims []Claim
	for i := range d.Services {
		s := &d.Services[i]
		for _, decl := range s.Declarations {
			if decl.Kind == kind && decl.Name == name {
				claims = append(claims, Claim{s, decl})
			}
		}
	}
	return claims
}

// Find returns the newest claim of a running service, or else any, and whether there is
// one.
func (d *Document) Find(kind observe.Kind, name string) (Claim, bool) {
	claims := d.Lookup(kind, name)
	if len(claims) == 0 {
		return Claim{}, false
	}
	return slices.MinFunc(claims, func(a, b Claim) int {
		if a.Alive() != b.Alive() {
			if a.Alive() {
				return -1
			}
			return 1
		}
		return b.Since.Compare(a.Since)
	}), true
}

// count is a number and what it counts.
func count(n int, one, more string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, more)
}
