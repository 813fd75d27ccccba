package dashboard

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"net/http"
	"strings"
	"sync"
	"time"
)

const cookieName = "larder_dashboard"

// visits are who is logged in. A visit is a random id in a cookie, signed with a key
// that lives as long as the process; who may come in is remembered here, so that
// logging out ends it whatever a copy of the cookie says.
type visits struct {
	key  []byte
	life time.Duration
	most int

	mu    sync.Mutex // protects the following
	known map[string]time.Time
	order []string // of known, the oldest first
}

func newVisits(life time.Duration, most int) *visits {
	key := make([]byte, 32)
	_, _ = rand.Read(key) // never fails
	return &visits{key: key, life: life, most: most, known: map[string]time.Time{}}
}

// sign returns what shows that a text is ours.
func (v *visits) sign(purpose, text string) string {
	h := hmac.New(sha256.New, v.key)
	_, _ = h.Write([]byte(purpose + "\x00" + text)) // never fails
	return base64.RawURLEncoding.EncodeToString(h.Sum(nil))
}

// newID makes the id of a visit that is not remembered.
func (v *visits) newID() string { return rand.Text() }

// begin remembers a new visit, and forgets the oldest where there are too many.
func (v *visits) begin(now time.Time) (id string) {
	id = v.newID()
	v.mu.Lock()
	defer v.mu.Unlock()
	v.known[id] = now.Add(v.life)
	v.order = append(v.order, id)
	for len(v.order) > v.most {
		delete(v.known, v.order[0])
		v.order = v.order[1:]
	}
	return id
}

// stands tells whether a visit is remembered and not over.
func (v *visits) stands(id string, now time.Time) bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	until, ok := v.known[id]
	return ok && now.Before(until)
}

func (v *visits) end(id string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	delete(v.known, id)
	for i, other := range v.order {
		if other == id {
			v.order = append(v.order[:i], v.order[i+1:]...)
			return
		}
	}
}

// cookie is what the browser keeps. It has no path, so that browsers give it back to
// the folder that the dashboard is mounted at, whatever that is called.
func (v *visits) cookie(id string, secure bool) *http.Cookie {
	return &http.Cookie{
		Name: cookieName, Value: id + "." + v.sign("visit", id),
		HttpOnly: true, Secure: secure, SameSite: http.SameSiteLaxMode,
	}
}

// id returns the id of a request's cookie, if it was signed here.
func (v *visits) id(r *http.Request) (id string, ok bool) {
	for _, c := range r.CookiesNamed(cookieName) {
		id, signature, _ := strings.Cut(c.Value, ".")
		if id != "" && equal(signature, v.sign("visit", id)) {
			return id, true
		}
	}
	return "", false
}

// csrf is what a form of this visit carries, to show that it was filled in here.
func (v *visits) csrf(id string) string { return v.sign("form", id) }

// equal compares in a time that does not tell where the two differ, nor how long the
// second one is.
func equal(a, b string) bool {
	x, y := sha256.Sum256([]byte(a)), sha256.Sum256([]byte(b))
	return subtle.ConstantTimeCompare(x[:], y[:]) == 1
}
