package larder_test

import (
	"os"
	"regexp"
	"strings"
	"testing"
)

// Go code in the README is compiled and run: each block stands in
// example_test.go, indented by one tab.
func TestReadmeCodeIsAnExample(t *testing.T) {
	readme, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	examples, err := os.ReadFile("example_test.go")
	if err != nil {
		t.Fatal(err)
	}
	blocks := regexp.MustCompile("(?s)```go\n(.*?)```").FindAllStringSubmatch(string(readme), -1)
	if len(blocks) == 0 {
		t.Fatal("no Go code in the README")
	}
	for _, block := range blocks {
		var indented strings.Builder
		for line := range strings.Lines(block[1]) {
			if line != "\n" {
				indented.WriteString("\t")
			}
			indented.WriteString(line)
		}
		if !strings.Contains(string(examples), indented.String()) {
			t.Errorf("not in example_test.go:\n%s", block[1])
		}
	}
}

// What the README links to is there.
func TestReadmeLinks(t *testing.T) {
	for _, file := range []string{"README.md", "CONTRIBUTING.md", "docs/architecture.md", "docs/consistency.md", "docs/wire-format.md"} {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		dir := ""
		if i := strings.LastIndex(file, "/"); i >= 0 {
			dir = file[:i+1]
		}
		for _, m := range regexp.MustCompile(`\]\(([^)#]+)\)`).FindAllStringSubmatch(string(text), -1) {
			if strings.Contains(m[1], "://") {
				continue
			}
			if _, err := os.Stat(dir + m[1]); err != nil {
				t.Errorf("%s links to %s: %v", file, m[1], err)
			}
		}
	}
}
