package strategy

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/larder-go/larder/observe"
)

// Registry is what one process declares. Make one with New, declare what the process
// uses, and Close it when the service ends.
type Registry struct {
	opts    Options
	pattern *regexp.Regexp
	c       Conn
	process string

	changed chan struct{} // something was declared; has room for one
	turn    chan struct{} // held by who publishes; protects sent
	sent    string        // digest of what Redis has of this process
	end     context.CancelFunc
	life    context.Context // of the publishing goroutine
	work    sync.WaitGroup

	mu       sync.Mutex // protects the following
	closed   bool
	declared []Declaration // in the order of a document
	bytes    int           // of declared, encoded
}

// New makes a registry over c, which the caller closes after it. It does not wait for
// Redis.
func New(c Conn, o Options) (*Registry, error) {
	if c == nil {
		return nil, &Error{Field: "the conn", Problem: "is nil", Write: "an open one; what is declared is read from Redis"}
	}
	o = o.withDefaults()
	if err := o.validate(); err != nil {
		return nil, err
	}
	pattern, err := o.Convention.compile()
	if err != nil {
		return nil, err
	}
	r := &Registry{
		opts: o, pattern: pattern, c: c, process: processName(),
		changed: make(chan struct{}, 1), turn: make(chan struct{}, 1),
	}
	r.life, r.end = context.WithCancel(context.Background())
	r.work.Go(r.publishing)
	return r, nil
}

// processName is host/pid, and something that tells registries of one process, and first
// processes of containers, apart.
func processName() string {
	host, _ := os.Hostname() // "" is a name as good as any
	host = strings.Map(func(r rune) rune {
		if isControl(r) || r == ' ' {
			return '-'
		}
		return r
	}, host)
	return host + "/" + strconv.Itoa(os.Getpid()) + "/" + strings.ToLower(rand.Text()[:6])
}

// Declare adds a subject and what is said about it. It does no I/O: what is declared is
// published a second later, or by Publish. Each kind and name is declared once for each
// Registry.
//
// An error, one *Error or several that are joined, says what is wrong and what to write
// instead; nothing was declared then.
func (r *Registry) Declare(subject Describer, about About) error {
	if subject == nil {
		return &Error{Field: "the subject", Problem: "is nil", Write: "a feature, or an observe.Subject for keys of your own"}
	}
	d := clone(Declaration{subject.Describe(), about})
	errs := []error{r.opts.check(&d, r.pattern)}
	size, err := d.size()
	if err != nil {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		return ErrClosed
	}
	errs = append(errs, r.collisionLocked(&d))
	switch {
	case len(r.declared) >= maxDeclarations:
		errs = append(errs, d.refused("the declaration", "is one too many", "up to 1000 for each service"))
	case r.bytes+size > maxBodyBytes-maxNameBytes-2*maxTextBytes:
		errs = append(errs, d.refused("the declaration", "does not fit: all of them together are more than 1 MiB", "shorter texts"))
	}
	if err := errors.Join(errs...); err != nil {
		return err
	}
	r.bytes += size
	at, _ := slices.BinarySearchFunc(r.declared, d, compareDeclarations)
	r.declared = slices.Insert(r.declared, at, d)
	select {
	case r.changed <- struct{}{}:
	default:
	}
	return nil
}

// collisionLocked refuses what was declared before, and keys that are another's.
func (r *Registry) collisionLocked(d *Declaration) error {
	for i := range r.declared {
		other := &r.declared[i]
		if d.Kind == other.Kind && d.Name == other.Name {
			return d.refused("Name", "was declared before", "one declaration for each kind and name, where the feature is made")
		}
		if of, with, found := overlap(d.Subject, other.Subject); found {
			field := "Prefixes"
			if slices.Contains(d.Keys, of) {
				field = "Keys"
			}
			return d.refused(field, fmt.Sprintf("has %q, which overlaps %q of %s %q", of, with, other.Kind, other.Name),
				"a name that is no beginning of the other's, so that neither reads or drops keys of the other")
		}
	}
	return nil
}

// Declared returns what was declared so far, in the order of a document.
func (r *Registry) Declared() []Declaration {
	r.mu.Lock()
	defer r.mu.Unlock()
	out := make([]Declaration, len(r.declared))
	for i, d := range r.declared {
		out[i] = clone(d)
	}
	return out
}

// clone copies the lists: they are the caller's.
func clone(d Declaration) Declaration {
	for _, list := range []*[]string{
		&d.Prefixes, &d.Keys, &d.About.Source, &d.About.WrittenBy, &d.About.ReadBy, &d.About.InvalidatedBy, &d.About.Tags,
	} {
		*list = slices.Clone(*list)
	}
	return d
}

// size is what the declaration takes in the published text.
func (d *Declaration) size() (int, error) {
	b, err := d.MarshalJSON()
	return len(b) + 1, err
}

// snapshot is what is to be published.
func (r *Registry) snapshot() set {
	return set{format, r.opts.Service, r.opts.Version, r.opts.Convention, r.Declared()}
}

// Check reads what all services have published and returns the warnings that concern
// what this registry declares: keys that another service claims too, and shared subjects
// that are not the same there.
func (r *Registry) Check(ctx context.Context) ([]Warning, error) {
	doc, err := Read(ctx, r.c)
	if err != nil {
		return nil, err
	}
	ours := r.Declared()
	return slices.DeleteFunc(doc.Warnings, func(w Warning) bool {
		return w.Code != Conflict && w.Code != Differs || !slices.Contains(w.Services, r.opts.Service) ||
			!slices.ContainsFunc(ours, func(d Declaration) bool {
				return slices.ContainsFunc(w.Subjects, func(s Name) bool { return s == Name{d.Kind, d.Name} })
			})
	}), nil
}

// Name is a subject's kind and name.
type Name struct {
	Kind observe.Kind `json:"kind"`
	Name string       `json:"name"`
}
