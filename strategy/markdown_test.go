package strategy_test

import (
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/larder-go/larder/observe"
	"github.com/larder-go/larder/strategy"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// golden compares with a file of testdata.
func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("got\n%s\nwant\n%s\n(go test ./strategy -update writes the files)", got, want)
	}
}

// fleet publishes what two services declare, one of them in two versions.
func fleet(t *testing.T) *strategy.Document {
	t.Helper()
	c := engine(t)
	shared := strategy.About{
		Purpose: "tells of orders that were paid", Owner: "sales", Criticality: strategy.High, Why: "mail catches up after a day's outage",
		Invalidation: "none: it is a log", WrittenBy: []string{"shop: Orders.Pay"}, ReadBy: []string{"mail: Receipts"}, Shared: true,
	}
	orders := observe.Subject{
		Kind: observe.Topic, Name: "shop:orders", Keys: []string{"shop:orders"}, Pattern: "shop:orders", Type: "stream", Value: "shop.Order",
		TTL: 24 * time.Hour, Policy: "durable, the last 10000 messages",
	}
	for _, version := range []string{"v1", "v2"} {
		r := registry(t, c, strategy.Options{Service: "shop", Version: version})
		user := cache("user")
		user.Stale, user.Tags = time.Hour, "by key"
		about := complete
		about.Source, about.Tags = []string{"PostgreSQL: users"}, []string{"users", "tenant:<id>"}
		about.WrittenBy, about.InvalidatedBy = []string{"Users.Save"}, []string{"Users.Save", "topic shop:orders"}
		about.WarmUp = "job warm-users, each night"
		if version == "v2" {
			user.TTL, about.Why = 10*time.Minute, "they change once a month"
			declare(t, r, observe.Subject{
				Kind: observe.Limiter, Name: "@upstash/ratelimit", Prefixes: []string{"@upstash/ratelimit:"}, TTL: 21 * time.Second,
				Pattern: "@upstash/ratelimit:<identifier>:<window>", Type: "string", Bound: time.Minute, Policy: "sliding window, 10 in 10s",
			}, strategy.About{Irregular: "TypeScript's limiters share it"})
		}
		declare(t, r, user, about)
		declare(t, r, orders, shared)
		publish(t, r)
	}
	mail := registry(t, c, strategy.Options{Service: "mail", Convention: strategy.Convention{Pattern: ".*", Text: "anything goes"}})
	declare(t, mail, orders, shared)
	declare(t, mail, observe.Subject{Kind: observe.Keys, Name: "U", Prefixes: []string{"us", "m:"}, TTL: time.Minute}, strategy.About{})
	publish(t, mail)
	if err := mail.Close(); err != nil {
		t.Fatal(err)
	}
	doc := read(t, c)
	doc.At = time.Date(2026, 1, 2, 15, 4, 5, 0, time.UTC)
	for i := range doc.Services {
		s := &doc.Services[i]
		for j := range doc.Warnings {
			w := &doc.Warnings[j]
			w.Text = strings.ReplaceAll(w.Text, s.Until.Format("2006-01-02 15:04:05"), "2026-01-03 15:04:05")
		}
		s.Since, s.Until = doc.At.Add(-time.Duration(1+i)*time.Hour), doc.At.Add(24*time.Hour)
		for j := range s.Processes {
			s.Processes[j] = "host/1/abcdef"
		}
	}
	return doc
}

func TestMarkdown(t *testing.T) {
	t.Parallel()
	doc := fleet(t)
	golden(t, "fleet.md", doc.Markdown())
	if again := fleet(t).Markdown(); again != doc.Markdown() {
		t.Error("the same document is written differently")
	}
}

func TestJSON(t *testing.T) {
	t.Parallel()
	doc := fleet(t)
	b, err := json.MarshalIndent(doc, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "fleet.json", string(b)+"\n")
	var back strategy.Document
	if err := json.Unmarshal(b, &back); err != nil || !reflect.DeepEqual(&back, doc) {
		t.Errorf("%v: read back as\n%+v\nwant\n%+v", err, back, doc)
	}
	if diff := doc.Diff(&back); !diff.Empty() {
		t.Errorf("differs from itself: %+v", diff)
	}
	empty, err := json.Marshal(read(t, engine(t)))
	if err != nil || !strings.Contains(string(empty), `"services":[],"warnings":[]`) {
		t.Errorf("%v: %s", err, empty)
	}
}

func TestDiff(t *testing.T) {
	t.Parallel()
	doc := fleet(t)
	old := fleet(t)
	// As before the deployment of v2, and of mail, and with what is no longer there.
	var kept []strategy.Service
	for _, s := range old.Services {
		if s.Version == "v1" && s.Name == "shop" {
			s.Declarations = append(s.Declarations, strategy.Declaration{Subject: cache("gone")})
			kept = append(kept, s)
		}
	}
	old.Services = append(kept, strategy.Service{Name: "old", Version: "v9"})
	golden(t, "diff.md", doc.Diff(old).Markdown())
	golden(t, "nodiff.md", doc.Diff(doc).Markdown())
}

// hostile are names that break out of tables, code, HTML, diagrams and terminals.
var hostile = []string{
	"a|b", "`code`", "``", "<script>alert(1)</script>", "a\nb\r\n# heading", "\x1b[31mred", "\u202eevil", "[link](javascript:x)",
	"![img](http://x)", "**bold** _em_ ~~s~~", `"]; click n1 "javascript:x"`, "end\n```\n", "#quot;", "\\", "https://example.com", "&lt;", "$x$", "<!--", "%%", "a\u0085b", "-->|x|",
}

func TestHostileNames(t *testing.T) {
	t.Parallel()
	for _, name := range hostile {
		doc := hostileDocument(name)
		checkHostile(t, name, doc.Markdown())
		checkHostile(t, name, doc.Diff(&strategy.Document{}).Markdown())
	}
}

// hostileDocument says the same everywhere, as somebody who may write to Redis can.
func hostileDocument(name string) *strategy.Document {
	d := strategy.Declaration{
		Subject: observe.Subject{
			Kind: observe.Kind(name), Name: name, Prefixes: []string{name}, Keys: []string{name}, Pattern: name, Type: name, Value: name, Tags: name, Policy: name,
		},
		About: strategy.About{
			Purpose: name, Owner: name, Criticality: strategy.Criticality(name), Why: name, Staleness: name, Invalidation: name, WarmUp: name,
			Source: []string{name}, WrittenBy: []string{name + "1"}, ReadBy: []string{name + "2"}, InvalidatedBy: []string{name + "3"}, Tags: []string{name}, Irregular: name,
		},
	}
	s := strategy.Service{Name: name, Version: name, Set: name, Convention: strategy.Convention{Text: name}, Declarations: []strategy.Declaration{d}}
	other := s
	other.Set = "other"
	return &strategy.Document{
		Services: []strategy.Service{s, other},
		Warnings: []strategy.Warning{{Code: strategy.Conflict, Text: name}},
	}
}

// checkHostile looks for what only the document itself may write.
func checkHostile(t *testing.T, name, md string) {
	t.Helper()
	inCode := false
	for line := range strings.Lines(md) {
		line = strings.TrimSuffix(line, "\n")
		if strings.ContainsFunc(line, func(r rune) bool { return r < ' ' || r == 0x7f || r == 0x85 || r == 0x202e }) {
			t.Errorf("%q: a control character in %q", name, line)
		}
		if strings.HasPrefix(line, "```") {
			if line != "```" && line != "```mermaid" {
				t.Errorf("%q: a fence %q", name, line)
			}
			inCode = !inCode
			continue
		}
		if inCode {
			if strings.Contains(line, "click") && !strings.HasPrefix(line, "    n") || strings.Count(line, `"`) != 0 && strings.Count(line, `"`) != 2 {
				t.Errorf("%q: in the diagram: %q", name, line)
			}
			continue
		}
		bare := withoutCode(line)
		for _, bad := range []string{"<", "](", "://", "**bold**", "![", "$x$"} {
			if strings.Contains(bare, bad) {
				t.Errorf("%q: %q in %q", name, bad, line)
			}
		}
		if strings.HasPrefix(line, "|") {
			cells := strings.Count(strings.ReplaceAll(line, `\|`, ""), "|") - 1
			if cells != 5 && cells != 8 {
				t.Errorf("%q: %d cells in %q", name, cells, line)
			}
		}
	}
	if inCode {
		t.Errorf("%q: a fence stays open", name)
	}
}

// withoutCode removes the code spans and escapes of a line, as CommonMark finds them.
func withoutCode(line string) string {
	var out strings.Builder
	for i := 0; i < len(line); {
		if line[i] == '\\' && i+1 < len(line) {
			out.WriteByte('_') // it stands for itself
			i += 2
			continue
		}
		if line[i] != '`' {
			out.WriteByte(line[i])
			i++
			continue
		}
		n := 0
		for i+n < len(line) && line[i+n] == '`' {
			n++
		}
		end := closing(line, i+n, n)
		if end < 0 {
			out.WriteString(line[i : i+n])
			i += n
			continue
		}
		i = end
	}
	return out.String()
}

// closing finds the end of a code span whose fence has n backticks, -1 for none.
func closing(line string, from, n int) int {
	for i := from; i < len(line); {
		if line[i] != '`' {
			i++
			continue
		}
		m := 0
		for i+m < len(line) && line[i+m] == '`' {
			m++
		}
		if i += m; m == n {
			return i
		}
	}
	return -1
}

func FuzzMarkdown(f *testing.F) {
	for _, name := range hostile {
		f.Add(name)
	}
	f.Fuzz(func(t *testing.T, name string) { checkHostile(t, name, hostileDocument(name).Markdown()) })
}
