package limithttp

import (
	"encoding/json"
	"net/http"

	"github.com/larder-go/larder/ratelimit"
)

// The problem types that the draft registers.
const (
	typeQuota    = "https://iana.org/assignments/http-problem-types#quota-exceeded"
	typeCapacity = "https://iana.org/assignments/http-problem-types#temporary-reduced-capacity"
	typeAbnormal = "https://iana.org/assignments/http-problem-types#abnormal-usage-detected"
)

// problem is a body of type application/problem+json (RFC 9457).
type problem struct {
	Type     string   `json:"type,omitempty"`
	Title    string   `json:"title"`
	Status   int      `json:"status"`
	Detail   string   `json:"detail,omitempty"`
	Policies []string `json:"violated-policies,omitempty"`
}

// refuse answers a request that may not pass.
func (m *Middleware) refuse(w http.ResponseWriter, d ratelimit.Decision) {
	switch {
	case d.Reason == ratelimit.ReasonDenied:
		writeProblem(w, http.StatusForbidden, problem{
			Type: typeAbnormal, Title: "Request denied", // the value stays with us: it tells what to change
		})
	case d.Limit == 0 && (d.Reason == ratelimit.ReasonTimeout || d.Reason == ratelimit.ReasonUnavailable):
		writeProblem(w, http.StatusServiceUnavailable, problem{
			Type: typeCapacity, Title: "Request cannot be satisfied due to temporary server capacity constraints",
		})
	default:
		writeProblem(w, http.StatusTooManyRequests, problem{
			Type: typeQuota, Title: "Request cannot be satisfied as assigned quota has been exceeded",
			Policies: []string{m.opts.Name},
		})
	}
}

func writeProblem(w http.ResponseWriter, status int, p problem) {
	p.Status = status
	body, err := json.Marshal(p)
	if err != nil {
		status = http.StatusInternalServerError
	}
	w.Header().Set("Content-Type", "application/problem+json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, _ = w.Write(body)
}
