package demo

import (
	"math/rand/v2"
	"net/url"
	"strings"
)

// The shape of the workload.
const (
	zipfExponent = 1.2
	// requestsPerWrite is how many requests there are to a write.
	requestsPerWrite = 200
	// maxQueries is how many different searches there are.
	maxQueries = 300
)

// workload is what a phase does: the same for the same catalogue, seed and
// numbers.
type workload struct {
	requests []request
	writes   []write
}

// request is one GET and the thing whose version its answer carries.
type request struct {
	target   string // path and query
	thing    string
	instance int
}

// write is one edit, and the requests that read what it changed, through every
// instance, as soon as its invalidation has returned.
type write struct {
	// after is the index of the request that triggers the write.
	after    int
	target   string
	instance int
	readBack []request
}

func makeWorkload(c catalogue, seed uint64, requests int) workload {
	r := seeded(seed)
	queries := pickQueries(r, c.words)
	zipf := func(n int) func() int {
		z := rand.NewZipf(r, zipfExponent, 1, uint64(n-1))
		return func() int { return int(z.Uint64()) }
	}
	anyPackage, anyQuery := zipf(len(c.packages)), zipf(len(queries))

	w := workload{requests: make([]request, 0, requests)}
	for i := range requests {
		var q request
		switch p := r.IntN(100); {
		case p < 60:
			q = pageRequest(c.packages[anyPackage()])
		case p < 85:
			q = searchRequest(queries[anyQuery()])
		case p < 99:
			q = importersRequest(c.packages[anyPackage()])
		default:
			q = statsRequest()
		}
		q.instance = r.IntN(instances)
		w.requests = append(w.requests, q)
		if i%requestsPerWrite == requestsPerWrite/2 {
			path := c.packages[anyPackage()]
			w.writes = append(w.writes, makeWrite(r, i, path, c.symbols[path]))
		}
	}
	return w
}

// seeded is a source of numbers that the seed alone decides.
func seeded(seed uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, 0x6c61726465720000)) }

func makeWrite(r *rand.Rand, after int, path string, symbols []string) write {
	w := write{after: after, target: "/package/" + escapePath(path), instance: r.IntN(instances)}
	reads := []request{pageRequest(path), importersRequest(path), statsRequest()}
	if len(symbols) > 0 {
		name := symbols[r.IntN(len(symbols))]
		w.target += "?" + url.Values{"symbol": {name}}.Encode()
		reads = append(reads, searchRequest(searchWord(name)))
	}
	for _, q := range reads {
		for q.instance = range instances {
			w.readBack = append(w.readBack, q)
		}
	}
	return w
}

func pageRequest(path string) request {
	return request{target: "/package/" + escapePath(path), thing: packageThing(path)}
}

func importersRequest(path string) request {
	return request{target: "/importers/" + escapePath(path), thing: packageThing(path)}
}

func searchRequest(query string) request {
	return request{target: "/search?" + url.Values{"q": {query}}.Encode(), thing: searchThing(query)}
}

func statsRequest() request { return request{target: "/stats", thing: statsThing} }

func escapePath(path string) string { return (&url.URL{Path: path}).EscapedPath() }

// pickQueries makes searches as people type them: the first letters of names.
func pickQueries(r *rand.Rand, words []string) []string {
	seen := map[string]bool{}
	var out []string
	for _, i := range r.Perm(len(words)) {
		letters := []rune(words[i])
		q := string(letters[:min(len(letters), 3+r.IntN(4))])
		if seen[q] || strings.TrimSpace(q) != q {
			continue
		}
		seen[q] = true
		if out = append(out, q); len(out) == maxQueries {
			break
		}
	}
	return out
}

// round returns part i of n: the requests, and the writes that they trigger
// with after counted from the part's first request.
func (w workload) round(i, n int) workload {
	from, to := len(w.requests)*i/n, len(w.requests)*(i+1)/n
	part := workload{requests: w.requests[from:to]}
	for _, wr := range w.writes {
		if from <= wr.after && wr.after < to {
			wr.after -= from
			part.writes = append(part.writes, wr)
		}
	}
	return part
}

// size is the number of requests, those that read back included.
func (w workload) size() int {
	n := len(w.requests)
	for _, wr := range w.writes {
		n += len(wr.readBack)
	}
	return n
}
