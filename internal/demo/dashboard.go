package demo

import (
	"net/http"

	"github.com/larder-go/larder/dashboard"
)

// dashboardPath is where the first instance shows the dashboard.
const dashboardPath = "/dashboard/"

// withDashboard serves the dashboard beside the application. It has a log-in and forms
// of its own, so it stands before what the application asks of requests.
func (a *app) withDashboard(token, changes string, next http.Handler) (http.Handler, error) {
	d, err := dashboard.New(a.conn, dashboard.Options{Token: token, Topics: []string{changes}})
	if err != nil {
		return nil, err
	}
	a.dashboard = d
	mux := http.NewServeMux()
	mux.Handle(dashboardPath, http.StripPrefix("/dashboard", d))
	mux.Handle("/", next)
	return mux, nil
}
