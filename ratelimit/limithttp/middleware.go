package limithttp

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/larder-go/larder/ratelimit"
)

// DefaultName is the name of the policy in header fields.
const DefaultName = "default"

// unknown is the identifier of all requests whose Key is empty.
const unknown = "unknown"

// Limiter is what a Middleware needs of a *ratelimit.Limiter.
type Limiter interface {
	Limit(ctx context.Context, id string, opts ...ratelimit.CallOption) (ratelimit.Decision, error)
	Policy() ratelimit.Policy
}

var _ Limiter = (*ratelimit.Limiter)(nil)

// Options are the settings of a Middleware. The zero value limits by the address
// of the connection.
type Options struct {
	// Key names the one who asks. Requests for which it returns "" share one
	// identifier, so that leaving a key out gains nothing. Nil means IP without
	// trusted proxies.
	Key KeyFunc

	// Cost is how much a request counts, at least 1. Nil means 1 for each.
	Cost func(r *http.Request) int64

	// Client is what deny lists are asked about. Nil means that only identifiers are
	// denied; see ClientOf.
	Client func(r *http.Request) ratelimit.Client

	// Name names the policy in header fields: letters, digits and _ - . up to 64.
	// Empty means DefaultName. Nested middlewares want different names.
	Name string

	// Refused answers a request that may not pass, in place of the problem+json; the
	// header fields are set already. Nil means that.
	Refused func(w http.ResponseWriter, r *http.Request, d ratelimit.Decision)

	// Error answers where the limiter has failed with an error. Nil means status 500.
	// It is not called where the request's own context has ended.
	Error func(w http.ResponseWriter, r *http.Request, err error)
}

// Middleware limits the requests to a handler. Make one with New.
type Middleware struct {
	limiter Limiter
	opts    Options
	policy  string // the field RateLimit-Policy with the configured quota
}

// New returns a middleware over l.
func New(l Limiter, o Options) (*Middleware, error) {
	if l == nil {
		return nil, errors.New("limithttp: the limiter is nil")
	}
	if o.Name == "" {
		o.Name = DefaultName
	}
	if len(o.Name) > 64 || !plain(o.Name) {
		return nil, fmt.Errorf("limithttp: Options.Name is %q; allowed: up to 64 of letters, digits, '_', '-' and '.'; empty for %s", o.Name, DefaultName)
	}
	if o.Key == nil {
		o.Key = IP(IPOptions{})
	}
	p := l.Policy()
	return &Middleware{limiter: l, opts: o, policy: policyField(o.Name, p.Quota, p.Window)}, nil
}

func plain(name string) bool {
	for _, c := range []byte(name) {
		if !('a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '_' || c == '-' || c == '.') {
			return false
		}
	}
	return true
}

// Handler limits the requests to next.
func (m *Middleware) Handler(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if m.allow(w, r) {
			next.ServeHTTP(w, r)
		}
	})
}

// allow tells whether r may pass, and answers it if not.
func (m *Middleware) allow(w http.ResponseWriter, r *http.Request) bool {
	id := m.opts.Key(r)
	if id == "" {
		id = unknown
	}
	cost := int64(1)
	if m.opts.Cost != nil {
		cost = max(m.opts.Cost(r), 1)
	}
	var client ratelimit.Client
	if m.opts.Client != nil {
		client = m.opts.Client(r)
	}
	d, err := m.limiter.Limit(r.Context(), shorten(id), ratelimit.Cost(cost), ratelimit.From(client))
	switch {
	case err != nil && r.Context().Err() != nil: // often nobody is there to read it
		writeProblem(w, http.StatusServiceUnavailable, problem{Title: "The request took too long"})
		return false
	case err != nil && m.opts.Error != nil:
		m.opts.Error(w, r, err)
		return false
	case err != nil:
		writeProblem(w, http.StatusInternalServerError, problem{Title: "The rate limit could not be checked"})
		return false
	}
	m.setFields(w.Header(), d)
	if d.Allowed {
		return true
	}
	if m.opts.Refused != nil {
		m.opts.Refused(w, r, d)
		return false
	}
	m.refuse(w, d)
	return false
}
