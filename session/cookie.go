package session

import (
	"net/http"
	"strings"
	"time"
)

// DefaultCookieName is the name of the cookie. Browsers accept the prefix __Host-
// only from a secure origin, for the whole host and no other.
const DefaultCookieName = "__Host-session"

// CookieOptions are the settings of NewMiddleware. The zero value is valid. The
// cookie is always HttpOnly, and for the path "/".
type CookieOptions struct {
	// Name of the cookie. Empty means DefaultCookieName, or "session" where
	// Insecure or Domain is set.
	Name string

	// Domain, if set, sends the cookie to all hosts below it: each of them can
	// then set it too. The name must not begin with "__Host-". Empty, which is
	// safer, means the host that has set it.
	Domain string

	// SameSite says with which requests from other sites the cookie is sent. 0
	// means http.SameSiteLaxMode: with links, not with forms and scripts.
	// http.SameSiteNoneMode needs protection against forged requests of all
	// kinds.
	SameSite http.SameSite

	// SessionOnly makes the browser forget the cookie when it is closed; otherwise
	// it keeps it until the end of the session's Lifetime.
	SessionOnly bool

	// Insecure sends the cookie over plain HTTP as well, for trying things out on
	// other hosts than localhost. The name must not begin with "__Host-" or
	// "__Secure-".
	Insecure bool
}

func (o CookieOptions) withDefaults() CookieOptions {
	if o.Name == "" {
		o.Name = DefaultCookieName
		if o.Insecure || o.Domain != "" {
			o.Name = "session"
		}
	}
	if o.SameSite == 0 || o.SameSite == http.SameSiteDefaultMode {
		o.SameSite = http.SameSiteLaxMode
	}
	return o
}

func (o CookieOptions) validate() error {
	host := strings.HasPrefix(o.Name, "__Host-")
	switch {
	case o.cookie("x").Valid() != nil:
		return optionError("CookieOptions.Name or Domain", o.Name+", "+o.Domain, "what RFC 6265 allows")
	case host && (o.Insecure || o.Domain != ""):
		return optionError("CookieOptions.Name", o.Name, `no "__Host-" with Insecure or Domain, browsers would refuse it`)
	case o.Insecure && strings.HasPrefix(o.Name, "__Secure-"):
		return optionError("CookieOptions.Name", o.Name, `no "__Secure-" with Insecure, browsers would refuse it`)
	case o.SameSite < http.SameSiteLaxMode || o.SameSite > http.SameSiteNoneMode:
		return optionError("CookieOptions.SameSite", int(o.SameSite), "http.SameSiteLaxMode, StrictMode or NoneMode")
	case o.SameSite == http.SameSiteNoneMode && o.Insecure:
		return optionError("CookieOptions.SameSite", "NoneMode", "another one with Insecure, browsers would refuse it")
	}
	return nil
}

func (o CookieOptions) cookie(value string) *http.Cookie {
	return &http.Cookie{
		Name: o.Name, Value: value, Path: "/", Domain: o.Domain,
		Secure: !o.Insecure, HttpOnly: true, SameSite: o.SameSite,
	}
}

// set is the header line of a session.
func (o CookieOptions) set(id ID, lifetime time.Duration) string {
	c := o.cookie(string(id))
	if !o.SessionOnly {
		c.MaxAge = max(1, int(lifetime.Seconds()))
	}
	return c.String()
}

// clear is the header line that makes the browser forget.
func (o CookieOptions) clear() string {
	c := o.cookie("")
	c.MaxAge = -1
	return c.String()
}

// read finds the first cookie that may hold one of our ids: a host beside ours can
// set further ones of the same name.
func (o CookieOptions) read(r *http.Request) (id ID, sent bool) {
	for _, c := range r.CookiesNamed(o.Name) {
		sent = true
		if id := ID(c.Value); id.valid() {
			return id, true
		}
	}
	return "", sent
}
