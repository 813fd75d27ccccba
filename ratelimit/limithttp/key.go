package limithttp

import (
	"crypto/sha256"
	"encoding/hex"
	"net/http"

	"github.com/larder-go/larder/ratelimit"
)

// KeyFunc names the one who asks, the identifier of the limiter; "" where it does
// not know.
type KeyFunc func(r *http.Request) string

// User is KeyFunc for a name that something before this middleware has found out,
// from the session for example. It exists for the sake of reading: First(User(f), IP(o)).
func User(name func(r *http.Request) string) KeyFunc { return name }

// APIKey names the one who asks by a secret in a header field, of which only a hash
// (128 bits of SHA-256) reaches Redis. It does not check the secret: where anybody may
// invent one, everybody has as many limits as he likes. Check it before, or limit by
// IP as well.
func APIKey(header string) KeyFunc {
	return func(r *http.Request) string {
		secret := r.Header.Get(header)
		if secret == "" {
			return ""
		}
		return digest("key:", secret)
	}
}

// Route limits each route by itself: the pattern that http.ServeMux has matched comes
// before what by returns. It needs a middleware around each handler, or inside the
// mux: around the mux no pattern is known yet, and all routes are one. A nil by limits
// the route for all together.
func Route(by KeyFunc) KeyFunc {
	return func(r *http.Request) string {
		if by == nil {
			return "route:" + r.Pattern
		}
		id := by(r)
		if id == "" {
			id = unknown
		}
		return "route:" + r.Pattern + "#" + id
	}
}

// First returns the first name that one of keys knows.
func First(keys ...KeyFunc) KeyFunc {
	return func(r *http.Request) string {
		for _, key := range keys {
			if id := key(r); id != "" {
				return id
			}
		}
		return ""
	}
}

// ClientOf is for Options.Client: the address behind trusted proxies and the user
// agent. The country is left to whoever knows it.
func ClientOf(o IPOptions) func(r *http.Request) ratelimit.Client {
	return func(r *http.Request) ratelimit.Client {
		agent := r.UserAgent()
		c := ratelimit.Client{UserAgent: agent[:min(len(agent), ratelimit.MaxIdentifierBytes)]}
		if a := o.address(r); a.IsValid() {
			c.IP = a.String()
		}
		return c
	}
}

// shorten keeps identifiers within what a limiter takes.
func shorten(id string) string {
	if len(id) <= ratelimit.MaxIdentifierBytes {
		return id
	}
	return digest("long:", id)
}

func digest(kind, s string) string {
	sum := sha256.Sum256([]byte(s))
	return kind + hex.EncodeToString(sum[:16])
}
