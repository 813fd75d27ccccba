package statement

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "rewrite the golden files")

const corpusFile = "testdata/corpus.txt"

// corpus calls each with the statements of the corpus, and returns its text with what
// each returned as the answers.
func corpus(tb testing.TB, each func(sql, want string) string) string {
	tb.Helper()
	b, err := os.ReadFile(corpusFile)
	if err != nil {
		tb.Fatal(err)
	}
	var out strings.Builder
	var sql []string
	for line := range strings.Lines(string(b)) {
		line = strings.TrimSuffix(line, "\n")
		want, answer := strings.CutPrefix(line, "=> ")
		switch {
		case answer:
			line = "=> " + each(strings.Join(sql, "\n"), want)
			sql = nil
		case line != "" && !strings.HasPrefix(line, "# "):
			sql = append(sql, line)
		}
		out.WriteString(line + "\n")
	}
	if sql != nil {
		tb.Fatalf("%s: the last statement has no answer", corpusFile)
	}
	return out.String()
}

func TestCorpus(t *testing.T) {
	got := corpus(t, func(sql, want string) string {
		got := describe(Analyze(sql))
		if got != want && !*update {
			t.Errorf("%s\n got %s\nwant %s", sql, got, want)
		}
		return got
	})
	if *update {
		if err := os.WriteFile(corpusFile, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

var kindNames = map[Kind]string{
	Unknown: "unknown", Select: "select", Write: "write", Schema: "schema",
	Session: "session", Begin: "begin", Commit: "commit", Rollback: "rollback",
	Savepoint: "savepoint", Harmless: "harmless",
}

// describe puts a statement into one line.
func describe(s Statement) string {
	parts := []string{kindNames[s.Kind]}
	if s.Why != "" {
		parts[0] += " (" + s.Why + ")"
	}
	part := func(what string, values []string) {
		if len(values) > 0 {
			parts = append(parts, what+" "+strings.Join(values, ", "))
		}
	}
	part("reads", names(s.Reads))
	for _, w := range s.Writes {
		how := map[How]string{Insert: "inserts", Update: "updates", Delete: "deletes"}[w.How]
		name := names([]Name{w.Name})[0]
		if w.Columns != nil {
			name += " (" + strings.Join(w.Columns, ", ") + ")"
		}
		part(how, []string{name})
	}
	part("calls", names(s.Functions))
	part("casts", names(s.Casts))
	part("operators", s.Operators)
	var pins []string
	for _, p := range s.Pins {
		if p.Param > 0 {
			pins = append(pins, fmt.Sprintf("%s=$%d", p.Column, p.Param))
		} else {
			pins = append(pins, fmt.Sprintf("%s=%q", p.Column, p.Literal))
		}
	}
	part("pins", pins)
	if s.Params > 0 {
		parts = append(parts, fmt.Sprintf("params %d", s.Params))
	}
	switch h := s.Hint; {
	case h.Err != nil:
		parts = append(parts, "error "+h.Err.Error())
	case h.Off:
		parts = append(parts, "hint off")
	case h.Given:
		parts = append(parts, fmt.Sprintf("hint %v %v", h.TTL, h.Tags))
	}
	return strings.Join(parts, "; ")
}

func names(list []Name) (out []string) {
	for _, n := range list {
		if n.Schema != "" {
			out = append(out, n.Schema+"."+n.Name)
		} else {
			out = append(out, n.Name)
		}
	}
	return out
}
