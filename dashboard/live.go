package dashboard

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"time"
)

// writeTimeout is how long a browser may take to accept what is sent.
const writeTimeout = 10 * time.Second

// news are the parts of a page that have changed.
type news struct {
	// At is the time of the figures. It is sent each time, as a sign of life.
	At     string            `json:"at"`
	Panels map[string]string `json:"panels"`
	// Anew says that the page has other parts than before, and is to be loaded again.
	Anew bool `json:"anew,omitempty"`
}

// live keeps a page up to date with server-sent events: for each Options.Refresh the
// panels of its view are made anew, and those that differ are sent.
func (d *Dashboard) live(w http.ResponseWriter, r *http.Request) {
	id, ok := d.visits.id(r)
	if !d.in(r, id, ok) {
		http.Error(w, "not signed in", http.StatusUnauthorized)
		return
	}
	v, ok := viewOf(r.URL.Query().Get("view"))
	query, err := url.ParseQuery(r.URL.Query().Get("query"))
	if !ok || v.still || err != nil {
		http.Error(w, "no such page", http.StatusNotFound)
		return
	}
	select {
	case d.viewers <- struct{}{}:
		defer func() { <-d.viewers }()
	default:
		http.Error(w, "too many pages are kept up to date", http.StatusServiceUnavailable)
		return
	}
	s := stream{ResponseController: http.NewResponseController(w), w: w, sent: map[string][32]byte{}}
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("X-Accel-Buffering", "no")
	if s.say("retry: 3000\n\n") != nil {
		return
	}
	var shown *snapshot
	var parts []rendered
	tick := time.NewTicker(d.opts.Refresh)
	defer tick.Stop()
	for {
		if !d.in(r, id, true) {
			_ = s.say("event: over\ndata: {}\n\n")
			return
		}
		look := d.viewing(r, query, id)
		if look.snap != shown || v.asks {
			if parts, err = render(d.panels(v, look)); err != nil {
				return
			}
			shown = look.snap
		}
		if s.send(parts, look.snap.at) != nil {
			return
		}
		select {
		case <-r.Context().Done():
			return
		case <-d.done:
			return
		case <-tick.C:
		}
	}
}

// in tells whether whoever has opened a stream may still see it.
func (d *Dashboard) in(r *http.Request, id string, signed bool) bool {
	if d.opts.Authenticate != nil {
		return d.opts.Authenticate(r)
	}
	return signed && d.visits.stands(id, time.Now())
}

// stream is one page that is kept up to date.
type stream struct {
	*http.ResponseController
	w    http.ResponseWriter
	sent map[string][32]byte // hashes of what the page shows, by panel
}

// send sends the panels that have changed.
func (s *stream) send(parts []rendered, at time.Time) error {
	n := news{At: clock(at), Panels: map[string]string{}, Anew: len(s.sent) > len(parts)}
	for _, p := range parts {
		sum := sha256.Sum256([]byte(p.HTML))
		if s.sent[p.ID] != sum {
			s.sent[p.ID] = sum
			n.Panels[p.ID] = string(p.HTML)
		}
	}
	n.Anew = n.Anew || len(s.sent) > len(parts)
	b, err := json.Marshal(n)
	if err != nil {
		return fmt.Errorf("dashboard: encode a page: %w", err)
	}
	return s.say("data: " + string(b) + "\n\n")
}

func (s *stream) say(text string) error {
	// Not every ResponseWriter has deadlines; then the server's own count.
	_ = s.SetWriteDeadline(time.Now().Add(writeTimeout))
	if _, err := s.w.Write([]byte(text)); err != nil {
		return err
	}
	return s.Flush()
}
