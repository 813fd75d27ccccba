package demo

import (
	"errors"
	"net/http"
	"time"

	"github.com/larder-go/larder/conn"
	"github.com/larder-go/larder/ratelimit"
)

// clientHeader names a client that is limited. Without it nobody is: the load of a run
// must not be refused.
const clientHeader = "Larder-Demo-Client"

// newLimiter limits what one client may ask, over all instances.
func newLimiter(prefix string, c conn.Conn) (*ratelimit.Limiter, error) {
	return ratelimit.New(c, ratelimit.Options{
		Prefix: prefix + "-api", Algorithm: ratelimit.SlidingWindow(20, 10*time.Second),
		Analytics: true, Retention: time.Hour,
	})
}

// limited lets through what its client may ask.
func (a *app) limited(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if client := r.Header.Get(clientHeader); client != "" {
			d, err := a.limiter.Limit(r.Context(), client)
			if err == nil && !d.Allowed {
				writeError(w, http.StatusTooManyRequests, errors.New("too many requests of this client"))
				return
			}
		}
		next.ServeHTTP(w, r)
	})
}
