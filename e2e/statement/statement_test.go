package statement

import (
	"os"
	"strings"
	"testing"

	"github.com/larder-go/larder/internal/statement"
)

// corpus returns the statements of the analyser's corpus.
func corpus(tb testing.TB) (all []string) {
	tb.Helper()
	b, err := os.ReadFile("../../internal/statement/testdata/corpus.txt")
	if err != nil {
		tb.Fatal(err)
	}
	var sql []string
	for line := range strings.Lines(string(b)) {
		switch line = strings.TrimSuffix(line, "\n"); {
		case strings.HasPrefix(line, "=> "):
			all, sql = append(all, strings.Join(sql, "\n")), nil
		case line != "" && !strings.HasPrefix(line, "# "):
			sql = append(sql, line)
		}
	}
	return all
}

// TestCorpus compares what the corpus says with PostgreSQL's parser. The corpus also
// says which statements are not understood; most of those PostgreSQL does not take.
func TestCorpus(t *testing.T) {
	var taken, unknown int
	for _, sql := range corpus(t) {
		tree, err := parse(sql)
		if err != nil {
			continue
		}
		taken++
		s := statement.Analyze(sql)
		if s.Kind == statement.Unknown {
			unknown++
		}
		if wrong := compare(s, tree); wrong != "" {
			t.Errorf("%s\n%s", sql, wrong)
		}
	}
	t.Logf("PostgreSQL takes %d statements; %d of them are not understood", taken, unknown)
	if taken < 300 || unknown > 45 {
		t.Errorf("PostgreSQL takes %d statements, want 300 or more; %d of them are not understood, want 45 at most", taken, unknown)
	}
}
