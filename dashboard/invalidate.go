package dashboard

import (
	"context"
	"errors"
	"net/http"
	"net/url"

	"github.com/larder-go/larder/internal/inspect"
)

// dropping is what somebody wants to invalidate.
type dropping struct {
	What, Name string // "key", "tag", "namespace"
	// About is how many entries that ends, by estimate; negative where nobody knows.
	About   float64
	Problem string
	Action  string // where the form is sent
	Back    string
	CSRF    string
	Version string
}

// droppingOf reads and checks what is asked for.
func (d *Dashboard) droppingOf(r *http.Request, id string, s *snapshot) dropping {
	q := r.URL.Query()
	p := dropping{What: q.Get("what"), Name: q.Get("name"), About: -1, CSRF: d.visits.csrf(id), Version: assetVersion}
	p.Action = "invalidate?" + url.Values{"what": {p.What}, "name": {p.Name}}.Encode()
	p.Back = p.page()
	switch {
	case d.opts.ReadOnly:
		p.Problem = "This dashboard is read-only."
	case p.What == "key":
		if _, _, err := inspect.Split(p.Name); err != nil {
			p.Problem = "This is no key of a cache: those are a namespace, a colon and the key."
		} else if d.withheld(s)(p.Name) {
			p.Problem = "Keys of sessions and of rate limits are not touched from here."
		}
		p.About = 1
	case p.What == "tag":
		if p.Name == "" || len(p.Name) > 200 {
			p.Problem = "This is no tag: those have 1 to 200 bytes."
		}
		for _, t := range s.census.Tags {
			if t.Name == p.Name && t.Samples > 0 {
				p.About = t.Keys
			}
		}
	case p.What == "namespace":
		if inspect.CheckNamespace(p.Name) != nil {
			p.Problem = "This is no namespace of a cache."
		}
		if sp, ok := s.census.Spaces[p.Name]; ok {
			p.About = sp.Keys
		}
	default:
		p.Problem = "Say what to invalidate: a key, a tag or a namespace."
	}
	return p
}

// page is where the thing is shown.
func (p dropping) page() string {
	switch p.What {
	case "key":
		return "key?" + url.Values{"key": {p.Name}}.Encode()
	case "namespace":
		return "namespace?" + url.Values{"name": {p.Name}}.Encode()
	case "tag":
		return "tags?" + url.Values{"tag": {p.Name}}.Encode()
	}
	return "./"
}

// askInvalidate asks whether it is meant.
func (d *Dashboard) askInvalidate(w http.ResponseWriter, r *http.Request) {
	id, ok := d.admit(w, r)
	if !ok {
		return
	}
	p := d.droppingOf(r, id, d.watch.look(r.Context()))
	status := http.StatusOK
	if p.Problem != "" {
		status = http.StatusBadRequest
	}
	d.write(w, status, "invalidate", p)
}

// invalidate does it.
func (d *Dashboard) invalidate(w http.ResponseWriter, r *http.Request) {
	id, ok := d.admit(w, r)
	if !ok || !d.checkForm(w, r, id) {
		return
	}
	p := d.droppingOf(r, id, d.watch.look(r.Context()))
	if p.Problem != "" {
		d.write(w, http.StatusBadRequest, "invalidate", p)
		return
	}
	if err := d.drop(r, p); err != nil {
		p.Problem = "It was not done, or not for certain: " + whyAway(err) + ". Try again."
		if errors.Is(err, errForeign) {
			p.Problem = "What the key holds is not an entry of the cache. It is left alone."
		}
		d.write(w, http.StatusServiceUnavailable, "invalidate", p)
		return
	}
	// The key itself may say who somebody is: only what kind of thing it was.
	d.opts.Logger.Info("dashboard: invalidated", "what", p.What, "from", remoteHost(r))
	d.events.dropped(p)
	redirect(w, p.page())
}

var errForeign = errors.New("dashboard: not an entry")

// drop invalidates. Whoever closes the page does not keep others from hearing of it.
func (d *Dashboard) drop(r *http.Request, p dropping) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), d.opts.Timeout)
	defer cancel()
	switch p.What {
	case "tag":
		return inspect.Tags(ctx, d.c, p.Name)
	case "namespace":
		return inspect.Namespace(ctx, d.c, p.Name)
	}
	ns, key, err := inspect.Split(p.Name)
	if err != nil {
		return err
	}
	rep, err := inspect.Explain(ctx, d.c, ns, key)
	if err != nil {
		return err
	}
	if rep.State == inspect.Foreign {
		return errForeign
	}
	_, err = inspect.Keys(ctx, d.c, ns, key)
	return err
}

// bounded is for what a page asks of Redis by itself.
func (d *Dashboard) bounded(r *http.Request) (context.Context, context.CancelFunc) {
	return context.WithTimeout(r.Context(), d.opts.Timeout)
}
