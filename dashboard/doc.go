// Package dashboard is a web page over what Larder's features do: hit ratios and
// latencies, namespaces beside their declared strategy, keys and why a Get of them
// hits or misses, tags, rate limits, sessions, topics, the gateway, and what happens.
//
//	d, err := dashboard.New(c, dashboard.Options{Token: os.Getenv("DASHBOARD_TOKEN")})
//	if err != nil {
//		return err
//	}
//	defer d.Close()
//	mux.Handle("/dashboard/", http.StripPrefix("/dashboard", d))
//
// A service that knows its users gives Options.Authenticate in place of a token.
//
// # Where figures come from
//
// Everything shown is read from Redis: what processes with a telemetry.Telemetry have
// written, what strategy has declared, what generations and rate-limit analytics say.
// So the dashboard sees the whole fleet, wherever it runs, and not only the process
// that it is part of. Sizes, ages and the number of keys are estimates of a walk over
// the keys, in steps of ten thousand, that goes on while somebody looks. Commands are
// bounded in number and size, and none of them is KEYS.
//
// # What is not shown
//
// Values are not, unless Options.ShowValues says so; tokens and the ids of sessions
// never are. Keys of sessions and of rate limits, which may tell who somebody is, are
// counted and not listed: see Options.Withhold.
//
// # Safety
//
// Pages work without JavaScript and forbid all that is not served with them. What
// changes something is a form with a token that belongs to the visitor; forms of other
// sites are refused. Log-ins are limited in number for each address. Names that others
// have chosen, of keys and tags and processes, are text wherever they appear.
//
// # Concurrency
//
// A Dashboard is an http.Handler for any number of requests. However many pages are
// open, Redis is asked once for each Options.Refresh; while none is, not at all, except
// for the topics of Options.Topics. Close ends the streams that keep pages up to date.
//
// # Failure
//
// Where Redis does not answer within Options.Timeout, pages say so and show what was
// known before. Nothing hangs, and nothing is retried by itself but the next reading.
package dashboard
