package statement

import (
	"testing"

	"github.com/larder-go/larder/internal/statement"
)

// FuzzText compares the analyser with PostgreSQL's parser on any text.
func FuzzText(f *testing.F) {
	for _, sql := range corpus(f) {
		f.Add(sql)
	}
	f.Fuzz(func(t *testing.T, sql string) {
		tree, err := parse(sql)
		if err != nil {
			return
		}
		if wrong := compare(statement.Analyze(sql), tree); wrong != "" {
			t.Errorf("%s\n%s", sql, wrong)
		}
	})
}
