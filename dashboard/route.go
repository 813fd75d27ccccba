package dashboard

import (
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"io/fs"
	"net/http"
	"net/url"
	"path"
	"strconv"
)

// views are the pages, in the order of the navigation. Paths have no slash, so that
// all links are relative and the dashboard need not know where it is mounted.
var views []view

func init() {
	// Assigned here because handlers look them up.
	views = []view{
		{path: "", title: "Overview", panels: (*Dashboard).overview},
		{path: "namespaces", title: "Namespaces", panels: (*Dashboard).namespaces},
		{path: "namespace", title: "Namespace", panels: (*Dashboard).namespace, under: "namespaces"},
		{path: "keys", title: "Keys", panels: (*Dashboard).keys, still: true},
		{path: "key", title: "Key", panels: (*Dashboard).key, asks: true, under: "keys"},
		{path: "tags", title: "Tags", panels: (*Dashboard).tags, asks: true},
		{path: "limits", title: "Rate limits", panels: (*Dashboard).limits, asks: true},
		{path: "sessions", title: "Sessions", panels: (*Dashboard).sessions},
		{path: "topics", title: "Topics", panels: (*Dashboard).topics, asks: true},
		{path: "gateway", title: "Gateway", panels: (*Dashboard).gateway},
		{path: "events", title: "Events", panels: (*Dashboard).feed, asks: true},
	}
}

func viewOf(path string) (view, bool) {
	for _, v := range views {
		if v.path == path {
			return v, true
		}
	}
	return view{}, false
}

// navigation links the views that are not below another one.
func navigation(here view) []link {
	at := here.path
	if here.under != "" {
		at = here.under
	}
	var links []link
	for _, v := range views {
		if v.under == "" {
			links = append(links, link{Path: href(v.path), Title: v.title, Here: v.path == at})
		}
	}
	return links
}

// href is a link to a view from any other.
func href(path string) string {
	if path == "" {
		return "./"
	}
	return path
}

// mux routes the requests that have been let in.
func (d *Dashboard) mux() http.Handler {
	m := http.NewServeMux()
	for _, v := range views {
		pattern := "GET /" + v.path
		if v.path == "" {
			pattern += "{$}"
		}
		m.HandleFunc(pattern, d.page(v))
	}
	m.HandleFunc("GET /live", d.live)
	m.HandleFunc("GET /invalidate", d.askInvalidate)
	m.HandleFunc("POST /invalidate", d.invalidate)
	m.HandleFunc("GET /login", d.loginPage)
	m.HandleFunc("POST /login", d.login)
	m.HandleFunc("POST /logout", d.logout)
	for name, a := range assets {
		m.HandleFunc("GET /"+name, a.serve)
	}
	m.HandleFunc("GET /", func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "" { // StripPrefix took all of it
			redirect(w, path.Base(requested(r))+"/")
			return
		}
		if _, ok := d.admit(w, r); ok {
			d.write(w, http.StatusNotFound, "plain", plain{"Not found", "There is no such page."})
		}
	})
	// Forms of other sites are refused before anything else, also without a token.
	guarded := http.NewCrossOriginProtection().Handler(m)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "" && r.Method == http.MethodGet {
			redirect(w, path.Base(requested(r))+"/")
			return
		}
		guarded.ServeHTTP(w, r)
	})
}

// requested is the path that the client sent, which StripPrefix leaves alone.
func requested(r *http.Request) string {
	if u, err := url.ParseRequestURI(r.RequestURI); err == nil {
		return u.EscapedPath()
	}
	return r.URL.EscapedPath()
}

// redirect goes on to a relative place, which browsers resolve against what they
// asked for: the part that StripPrefix took is not known here.
func redirect(w http.ResponseWriter, to string) {
	w.Header().Set("Location", to)
	w.WriteHeader(http.StatusSeeOther)
}

// plain is a page with one message.
type plain struct{ Title, Text string }

//go:embed static
var staticFiles embed.FS

// asset is a file that pages use.
type asset struct {
	body []byte
	kind string
}

// assets are the files by name, assetVersion is of all of them, for the links.
var assets, assetVersion = loadAssets()

func loadAssets() (all map[string]asset, version string) {
	all = map[string]asset{}
	h := sha256.New()
	for name, kind := range map[string]string{
		"dashboard.css": "text/css; charset=utf-8",
		"dashboard.js":  "text/javascript; charset=utf-8",
		"icon.svg":      "image/svg+xml",
	} {
		body, err := fs.ReadFile(staticFiles, "static/"+name)
		if err != nil {
			panic(err) // it is embedded, or the build failed
		}
		all[name] = asset{body, kind}
	}
	for _, name := range []string{"dashboard.css", "dashboard.js", "icon.svg"} {
		_, _ = h.Write(all[name].body) // never fails
	}
	return all, hex.EncodeToString(h.Sum(nil))[:8]
}

// serve answers with the file. It holds nothing of the user's, so the log-in page gets
// it too, and browsers may keep what has a version in its link.
func (a asset) serve(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", a.kind)
	w.Header().Set("Content-Length", strconv.Itoa(len(a.body)))
	if r.URL.RawQuery == assetVersion {
		w.Header().Set("Cache-Control", "public, max-age=31536000, immutable")
	} else {
		w.Header().Set("Cache-Control", "no-cache")
	}
	_, _ = w.Write(a.body) // the browser has gone if this fails
}
