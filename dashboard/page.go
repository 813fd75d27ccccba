package dashboard

import (
	"bytes"
	"embed"
	"html/template"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/larder-go/larder/dashboard/internal/chart"
)

var (
	//go:embed page/*.html
	pageFiles embed.FS
	pages     = template.Must(template.New("").Funcs(functions).ParseFS(pageFiles, "page/*.html"))
)

// functions are those of the templates.
var functions = template.FuncMap{
	"count": count, "percent": percent, "bytes": size, "span": span, "show": show, "cut": cut, "mask": mask,
	"moment": moment, "ago": ago, "rate": rate, "bar": chart.Share, "known": isNumber, "clock": clock,
}

// view is one page.
type view struct {
	path, title string
	// panels makes what the page shows.
	panels func(d *Dashboard, v *viewing) []panel
	// still says that the page is not kept up to date; asks, that it shows more than a
	// snapshot has, so that it is made anew each time.
	still, asks bool
	// under is the path of the view that the navigation marks; empty means its own.
	under string
}

// panel is a part of a page that is rendered, and brought up to date, by itself.
type panel struct {
	// ID names it within the page; Template and Data make it.
	ID, Template string
	Data         any
	// Wide takes the whole width; others share a row.
	Wide bool
}

// viewing is one look at a page.
type viewing struct {
	r     *http.Request
	query url.Values
	snap  *snapshot
	csrf  string
	now   time.Time
	// status is that of the response, 200 unless a view sets it.
	status int
}

// frame is what the layout is made of.
type frame struct {
	Title  string
	Here   string
	Nav    []link
	Panels []rendered
	CSRF   string
	// Live is where the page gets news; empty where it gets none.
	Live string
	// LogOut says that there is something to log out of.
	LogOut   bool
	ReadOnly bool
	At       time.Time
	Version  string
}

type link struct {
	Path, Title string
	Here        bool
}

type rendered struct {
	ID   string
	Wide bool
	HTML template.HTML
}

// render makes the panels of a view.
func render(panels []panel) ([]rendered, error) {
	out := make([]rendered, len(panels))
	for i, p := range panels {
		var b bytes.Buffer
		if err := pages.ExecuteTemplate(&b, p.Template, p.Data); err != nil {
			return nil, err
		}
		out[i] = rendered{ID: p.ID, Wide: p.Wide, HTML: template.HTML(b.String())} //nolint:gosec // made by html/template
	}
	return out, nil
}

// page answers with a view.
func (d *Dashboard) page(v view) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		id, ok := d.admit(w, r)
		if !ok {
			return
		}
		look := d.viewing(r, r.URL.Query(), id)
		d.respond(w, v, look, d.panels(v, look))
	}
}

// viewing begins a look at a page.
func (d *Dashboard) viewing(r *http.Request, query url.Values, id string) *viewing {
	return &viewing{
		r: r, query: query, snap: d.watch.look(r.Context()), csrf: d.visits.csrf(id), now: time.Now(),
		status: http.StatusOK,
	}
}

// panels are those of a view, with what is wrong above them.
func (d *Dashboard) panels(v view, look *viewing) []panel {
	state := panel{ID: "state", Template: "state", Wide: true, Data: stateOf(look.snap, look.now)}
	return append([]panel{state}, v.panels(d, look)...)
}

func (d *Dashboard) respond(w http.ResponseWriter, v view, look *viewing, panels []panel) {
	parts, err := render(panels)
	if err != nil {
		d.broken(w, err)
		return
	}
	f := frame{
		Title: v.title, Here: v.path, Nav: navigation(v), Panels: parts, CSRF: look.csrf,
		LogOut: d.opts.Token != "", ReadOnly: d.opts.ReadOnly, At: look.snap.at.UTC(), Version: assetVersion,
	}
	if !v.still {
		f.Live = "live?" + url.Values{"view": {v.path}, "query": {look.query.Encode()}}.Encode()
	}
	d.write(w, look.status, "layout", f)
}

// write executes a template into the response, or an error.
func (d *Dashboard) write(w http.ResponseWriter, status int, name string, data any) {
	var b bytes.Buffer
	if err := pages.ExecuteTemplate(&b, name, data); err != nil {
		d.broken(w, err)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Content-Length", strconv.Itoa(b.Len()))
	w.WriteHeader(status)
	_, _ = w.Write(b.Bytes()) // the browser has gone if this fails
}

// broken answers where a template cannot be executed, which tests keep from happening.
func (d *Dashboard) broken(w http.ResponseWriter, err error) {
	d.opts.Logger.Error("dashboard: a page could not be made", "error", err)
	http.Error(w, "the page could not be made", http.StatusInternalServerError)
}

// state is what a page says above everything else.
type state struct {
	Problem string
	Since   time.Time
	// Silent tells that no process reports.
	Silent     bool
	Incomplete bool
}

func stateOf(s *snapshot, _ time.Time) state {
	st := state{Problem: s.problem, Since: s.since.UTC()}
	if s.problem == "" {
		st.Silent, st.Incomplete = len(s.figures.processes) == 0, s.figures.incomplete
	}
	return st
}
