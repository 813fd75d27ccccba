package demo

import (
	"context"
	_ "embed" // the index page
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/larder-go/larder"
)

// The headers of every answer that is checked.
const (
	versionHeader = "Larder-Demo-Version"
	// tookHeader is the time, in nanoseconds, that it took to get the value
	// from the cache or from the database, without HTTP and JSON.
	tookHeader = "Larder-Demo-Took"
)

// maxQuery bounds a search.
const maxQuery = 64

//go:embed index.html
var indexHTML []byte

// handler serves the documentation API, the session of who asks and the feed of
// changes. "?nocache=1" goes straight to the database.
func (a *app) handler() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /changes", a.feed)
	mux.Handle("GET /metrics", a.telemetry.Handler())
	mux.Handle("GET /strategy", strategyOf(a.conn))
	mux.HandleFunc("POST /login", a.login)
	mux.HandleFunc("POST /logout", a.logout)
	mux.HandleFunc("GET /session", a.whoAmI)
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_, _ = w.Write(indexHTML)
	})
	mux.HandleFunc("GET /counters", func(w http.ResponseWriter, _ *http.Request) {
		writeJSON(w, http.StatusOK, a.counters())
	})
	mux.HandleFunc("GET /package/{path...}", a.viewed(func(w http.ResponseWriter, r *http.Request) {
		answer(a, w, r, func(ctx context.Context, from answers) (packagePage, error) {
			return from.packagePage(ctx, r.PathValue("path"))
		})
	}))
	mux.HandleFunc("GET /importers/{path...}", a.viewed(func(w http.ResponseWriter, r *http.Request) {
		answer(a, w, r, func(ctx context.Context, from answers) (importerList, error) {
			return from.importers(ctx, r.PathValue("path"))
		})
	}))
	mux.HandleFunc("GET /stats", a.viewed(func(w http.ResponseWriter, r *http.Request) {
		answer(a, w, r, func(ctx context.Context, from answers) (topList, error) { return from.top(ctx, topSize) })
	}))
	mux.HandleFunc("GET /search", a.viewed(func(w http.ResponseWriter, r *http.Request) {
		q := strings.TrimSpace(r.FormValue("q"))
		if n := utf8.RuneCountInString(q); n < 2 || n > maxQuery || !utf8.ValidString(q) {
			writeError(w, http.StatusBadRequest, fmt.Errorf("q must have 2 to %d characters", maxQuery))
			return
		}
		answer(a, w, r, func(ctx context.Context, from answers) (searchResult, error) {
			return from.search(ctx, strings.ToLower(q), maxHits)
		})
	}))
	mux.HandleFunc("POST /package/{path...}", func(w http.ResponseWriter, r *http.Request) {
		user, err := a.noted(r, func(v *visit) { v.Edits++ })
		if err != nil {
			writeError(w, http.StatusServiceUnavailable, err)
			return
		}
		written, change, err := a.edit(r.Context(), r.PathValue("path"), r.URL.Query().Get("symbol"), user)
		if err != nil {
			writeError(w, statusOf(err), err)
			return
		}
		writeJSON(w, http.StatusOK, map[string]any{"instance": a.name, "written": written, "change": change})
	})
	// A page of another site must not edit in the name of who is logged in here.
	return http.NewCrossOriginProtection().Handler(a.visitors.Wrap(mux))
}

// answer gets a value and writes it together with its version and the time it took
// to get.
func answer[V versioned](a *app, w http.ResponseWriter, r *http.Request, get func(context.Context, answers) (V, error)) {
	var from answers = a.cached
	if r.URL.Query().Get("nocache") != "" {
		from = a.store
	}
	start := time.Now()
	v, err := get(r.Context(), from)
	took := time.Since(start)
	w.Header().Set(tookHeader, strconv.FormatInt(took.Nanoseconds(), 10))
	if err != nil {
		writeError(w, statusOf(err), err)
		return
	}
	w.Header().Set(versionHeader, strconv.FormatInt(v.version(), 10))
	writeJSON(w, http.StatusOK, v)
}

func statusOf(err error) int {
	if errors.Is(err, larder.ErrNotFound) {
		return http.StatusNotFound
	}
	return http.StatusInternalServerError
}

func writeError(w http.ResponseWriter, status int, err error) {
	writeJSON(w, status, map[string]string{"error": err.Error()})
}

func writeJSON(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	// The client has gone if this fails; there is nobody left to tell.
	_ = json.NewEncoder(w).Encode(v)
}
