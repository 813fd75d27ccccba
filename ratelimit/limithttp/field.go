package limithttp

import (
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/larder-go/larder/ratelimit"
)

// The header fields of draft-ietf-httpapi-ratelimit-headers-10: lists (RFC 9651) of
// strings with parameters. Several middlewares add a member each.
const (
	policyName = "Ratelimit-Policy"
	limitName  = "Ratelimit"
	retryName  = "Retry-After"
)

// policyField is one member of RateLimit-Policy: quota q, and window w in seconds.
func policyField(name string, quota int64, window time.Duration) string {
	return `"` + name + `";q=` + strconv.FormatInt(quota, 10) + `;w=` + strconv.FormatInt(seconds(window), 10)
}

// setFields adds the fields to the answer. Where nobody knows what is left there are
// none but Retry-After.
func (m *Middleware) setFields(h http.Header, d ratelimit.Decision) {
	if d.Limit > 0 && d.Reason != ratelimit.ReasonDenied {
		policy := m.policy
		if p := m.limiter.Policy(); d.Limit != p.Quota { // a dynamic limit, or the share of a process
			policy = policyField(m.opts.Name, d.Limit, p.Window)
		}
		h.Add(policyName, policy)
		var b strings.Builder
		b.WriteString(`"` + m.opts.Name + `";r=`)
		b.WriteString(strconv.FormatInt(d.Remaining, 10))
		if left := m.untilReset(d); left > 0 {
			b.WriteString(`;t=`)
			b.WriteString(strconv.FormatInt(left, 10))
		}
		h.Add(limitName, b.String())
	}
	if !d.Allowed && d.RetryAfter > 0 {
		h.Set(retryName, strconv.FormatInt(seconds(d.RetryAfter), 10))
	}
}

// untilReset is the parameter t: the seconds until there is more quota.
func (m *Middleware) untilReset(d ratelimit.Decision) int64 {
	if !d.Allowed {
		return seconds(d.RetryAfter)
	}
	if d.Reset.IsZero() {
		return 0
	}
	return seconds(time.Until(d.Reset))
}

// seconds rounds up, so that nobody comes back too early.
func seconds(d time.Duration) int64 {
	return int64((max(d, 0) + time.Second - 1) / time.Second)
}
