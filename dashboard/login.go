package dashboard

import (
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// maxForm bounds the body of a form.
const maxForm = 64 << 10

// admit lets a request in and returns the id of its visit. Otherwise it has answered.
func (d *Dashboard) admit(w http.ResponseWriter, r *http.Request) (id string, ok bool) {
	id, signed := d.visits.id(r)
	if d.opts.Authenticate != nil {
		if !d.opts.Authenticate(r) {
			d.write(w, http.StatusForbidden, "plain", plain{"Not allowed", "The service that this dashboard is part of does not let you in."})
			return "", false
		}
		if !signed { // forms need something to belong to
			id = d.visits.newID()
			http.SetCookie(w, d.visits.cookie(id, d.secure(r)))
		}
		return id, true
	}
	if signed && d.visits.stands(id, time.Now()) {
		return id, true
	}
	if r.Method != http.MethodGet {
		d.write(w, http.StatusUnauthorized, "plain", plain{"Signed out", "You are not signed in any more, so nothing was done."})
		return "", false
	}
	// Where to go afterwards: one of our own pages.
	next := strings.TrimPrefix(r.URL.Path, "/")
	if r.URL.RawQuery != "" {
		next += "?" + r.URL.RawQuery
	}
	to := "login"
	if next != "" && len(next) < 4096 {
		to += "?" + url.Values{"next": {next}}.Encode()
	}
	redirect(w, to)
	return "", false
}

func (d *Dashboard) secure(r *http.Request) bool { return d.opts.SecureCookie || r.TLS != nil }

// loginForm is what the log-in page shows.
type loginForm struct {
	Next    string
	Problem string
	Version string
}

func (d *Dashboard) loginPage(w http.ResponseWriter, r *http.Request) {
	if d.opts.Authenticate != nil {
		redirect(w, "./")
		return
	}
	if id, ok := d.visits.id(r); ok && d.visits.stands(id, time.Now()) {
		redirect(w, nextPage(r.URL.Query().Get("next")))
		return
	}
	d.write(w, http.StatusOK, "login", loginForm{Next: r.URL.Query().Get("next"), Version: assetVersion})
}

// login compares a token.
func (d *Dashboard) login(w http.ResponseWriter, r *http.Request) {
	if d.opts.Authenticate != nil {
		redirect(w, "./")
		return
	}
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	form := loginForm{Next: r.PostFormValue("next"), Version: assetVersion}
	from := remoteHost(r)
	decision, err := d.tries.Limit(r.Context(), from)
	if err != nil || !decision.Allowed {
		wait := max(decision.RetryAfter.Round(time.Second), time.Second)
		w.Header().Set("Retry-After", strconv.Itoa(int(wait/time.Second)))
		form.Problem = "Too many tries from your address. Wait " + span(wait) + "."
		d.opts.Logger.Warn("dashboard: too many log-ins tried", "from", from)
		d.write(w, http.StatusTooManyRequests, "login", form)
		return
	}
	if !equal(strings.TrimSpace(r.PostFormValue("token")), d.opts.Token) {
		form.Problem = "This is not the token."
		d.opts.Logger.Warn("dashboard: a log-in was refused", "from", from)
		d.write(w, http.StatusUnauthorized, "login", form)
		return
	}
	id := d.visits.begin(time.Now())
	http.SetCookie(w, d.visits.cookie(id, d.secure(r)))
	d.opts.Logger.Info("dashboard: logged in", "from", from)
	redirect(w, nextPage(form.Next))
}

// nextPage is where to go after logging in: one of our views, never another site.
func nextPage(next string) string {
	path, query, _ := strings.Cut(next, "?")
	if _, ok := viewOf(path); !ok && path != "invalidate" {
		return "./"
	}
	if query == "" {
		return href(path)
	}
	values, err := url.ParseQuery(query)
	if err != nil {
		return href(path)
	}
	return href(path) + "?" + values.Encode()
}

func (d *Dashboard) logout(w http.ResponseWriter, r *http.Request) {
	id, ok := d.admit(w, r)
	if !ok || !d.checkForm(w, r, id) {
		return
	}
	d.visits.end(id)
	gone := d.visits.cookie("", d.secure(r))
	gone.Value, gone.MaxAge = "", -1
	http.SetCookie(w, gone)
	redirect(w, "login")
}

// checkForm tells whether a form was filled in on a page of this visit. Otherwise it
// has answered.
func (d *Dashboard) checkForm(w http.ResponseWriter, r *http.Request, id string) bool {
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	if equal(r.PostFormValue("csrf"), d.visits.csrf(id)) {
		return true
	}
	d.write(w, http.StatusForbidden, "plain", plain{"Not done", "The form did not come from a page of this dashboard, or is too old. Go back, load the page again and repeat it."})
	return false
}

// remoteHost is who a client is for the limit of log-ins.
func remoteHost(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil || host == "" {
		return "unknown"
	}
	return host
}
