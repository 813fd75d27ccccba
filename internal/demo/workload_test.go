package demo

import (
	"reflect"
	"slices"
	"strings"
	"testing"
)

func testCatalogue() catalogue {
	return catalogue{
		packages: []string{"fmt", "io", "net/http", "odd path"},
		symbols:  map[string][]string{"fmt": {"Print"}, "io": {"Reader.Read", "EOF"}, "net/http": {"Get"}},
		words:    []string{"print", "printf", "read", "eof", "get", "wörter"},
	}
}

func TestWorkloadIsRepeatable(t *testing.T) {
	t.Parallel()
	w := makeWorkload(testCatalogue(), 7, 5000)
	if again := makeWorkload(testCatalogue(), 7, 5000); !reflect.DeepEqual(w, again) {
		t.Error("the same seed made two workloads")
	}
	if other := makeWorkload(testCatalogue(), 8, 5000); reflect.DeepEqual(w.requests, other.requests) {
		t.Error("another seed made the same workload")
	}
	if len(w.requests) != 5000 || len(w.writes) != 5000/requestsPerWrite {
		t.Errorf("%d requests, %d writes", len(w.requests), len(w.writes))
	}
}

func TestWorkloadIsSkewedAndMixed(t *testing.T) {
	t.Parallel()
	counts := map[string]int{}
	var through [instances]int
	for _, q := range makeWorkload(testCatalogue(), 1, 10_000).requests {
		counts[q.target]++
		kind, _, _ := strings.Cut(strings.TrimPrefix(q.target, "/"), "/")
		kind, _, _ = strings.Cut(kind, "?")
		counts[kind]++
		through[q.instance]++
	}
	for kind, share := range map[string]int{"package": 6000, "search": 2500, "importers": 1400, "stats": 100} {
		if n := counts[kind]; n < share*8/10 || n > share*12/10 {
			t.Errorf("%d requests of %s, want about %d", n, kind, share)
		}
	}
	if counts["/package/fmt"] < 2*counts["/package/net/http"] {
		t.Errorf("fmt %d, net/http %d times", counts["/package/fmt"], counts["/package/net/http"])
	}
	if through[0] < 4500 || through[1] < 4500 {
		t.Errorf("instances were asked %v times", through)
	}
}

func TestRoundsAreThePartsOfTheWhole(t *testing.T) {
	t.Parallel()
	w := makeWorkload(testCatalogue(), 3, 2345)
	var requests []request
	writes, size := 0, 0
	for i := range rounds {
		part := w.round(i, rounds)
		for _, wr := range part.writes {
			if wr.after < 0 || wr.after >= len(part.requests) {
				t.Errorf("round %d: a write after request %d of %d", i, wr.after, len(part.requests))
			}
			if want := w.writes[writes]; wr.target != want.target || len(requests)+wr.after != want.after {
				t.Errorf("round %d: write %+v, want %+v", i, wr, want)
			}
			writes++
		}
		requests = append(requests, part.requests...)
		size += part.size()
	}
	if !reflect.DeepEqual(requests, w.requests) || writes != len(w.writes) || size != w.size() {
		t.Errorf("%d requests of %d, %d writes of %d, size %d of %d",
			len(requests), len(w.requests), writes, len(w.writes), size, w.size())
	}
}

func TestWritesAreReadBackThroughAll(t *testing.T) {
	t.Parallel()
	w := makeWorkload(testCatalogue(), 5, 4000)
	for _, wr := range w.writes {
		kinds := 3
		if strings.Contains(wr.target, "symbol=") {
			kinds = 4
		}
		if len(wr.readBack) != kinds*instances {
			t.Errorf("%s is read back by %d requests, want %d", wr.target, len(wr.readBack), kinds*instances)
		}
	}
	wr := makeWrite(seeded(1), 0, "odd path", []string{"Reader.Read"})
	if wr.target != "/package/odd%20path?symbol=Reader.Read" {
		t.Errorf("target %q", wr.target)
	}
	if last := wr.readBack[len(wr.readBack)-1]; last.target != "/search?q=read" || last.thing != "search:re" {
		t.Errorf("search %+v", last)
	}
}

func TestQueriesArePrefixes(t *testing.T) {
	t.Parallel()
	words := testCatalogue().words
	queries := pickQueries(seeded(1), words)
	if len(queries) == 0 {
		t.Fatal("no queries")
	}
	for i, q := range queries {
		if slices.Contains(queries[:i], q) {
			t.Errorf("%q twice", q)
		}
		if !slices.ContainsFunc(words, func(w string) bool { return strings.HasPrefix(w, q) }) {
			t.Errorf("%q begins no word", q)
		}
		if len([]rune(q)) < 3 {
			t.Errorf("%q is too short", q)
		}
	}
}

func TestSearchThing(t *testing.T) {
	t.Parallel()
	for query, want := range map[string]string{
		"re": "search:re", "ReadAll": "search:re", "r": "search:r", "": "search:", "Éa1": "search:éa", "日本語": "search:日本",
	} {
		if got := searchThing(query); got != want {
			t.Errorf("%q: %q, want %q", query, got, want)
		}
	}
}
