package gateway_test

import (
	"flag"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/larder-go/larder/conn"
	"github.com/larder-go/larder/gateway"
	"github.com/larder-go/larder/internal/redistest"
)

var update = flag.Bool("update", false, "rewrite the generated lists")

const (
	compatibilityPage = "../docs/compatibility.md"
	// commandList holds the commands of Redis 7.0 and those that 7.2, 7.4 and 8.0
	// have added, without modules.
	commandList = "testdata/commands.txt"
)

// available asks a gateway for every command that ask allows, without arguments.
func available(t *testing.T, c conn.Conn, ask func(name string) bool) (yes, no []string) {
	t.Helper()
	cl := serve(t, c, gateway.Options{})
	list, err := os.ReadFile(commandList)
	if err != nil {
		t.Fatal(err)
	}
	for name := range strings.FieldsSeq(string(list)) {
		if !ask(name) {
			continue
		}
		if a := cl.send("POST", "/", `["`+name+`"]`); strings.Contains(a.body, "ERR Command is not available: '") {
			no = append(no, strings.ToUpper(name))
		} else {
			yes = append(yes, strings.ToUpper(name))
		}
	}
	return yes, no
}

// inPage compares a generated list with the one of the page, or writes it there.
func inPage(t *testing.T, block string, names []string) {
	t.Helper()
	page, err := os.ReadFile(compatibilityPage)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, ok := strings.Cut(string(page), "<!-- generated: "+block+" -->\n")
	old, after, end := strings.Cut(rest, "<!-- end -->")
	if !ok || !end {
		t.Fatalf("%s has no block %q", compatibilityPage, block)
	}
	text := wrapped(names)
	switch {
	case old == text:
	case *update:
		page := before + "<!-- generated: " + block + " -->\n" + text + "<!-- end -->" + after
		if err := os.WriteFile(compatibilityPage, []byte(page), 0o644); err != nil { //nolint:gosec // a page of documentation
			t.Fatal(err)
		}
	default:
		t.Errorf("%s: the block %q is not what the engine says; run go test -run Compatibility ./gateway -args -update\n got %swant %s", compatibilityPage, block, old, text)
	}
}

// wrapped puts names into lines.
func wrapped(names []string) string {
	var b strings.Builder
	width := 0
	for i, name := range names {
		if i < len(names)-1 {
			name += ","
		}
		if width+1+len(name) > 80 {
			b.WriteByte('\n')
			width = 0
		} else if width > 0 {
			b.WriteByte(' ')
			width++
		}
		b.WriteString(name)
		width += len(name)
	}
	return b.String() + "\n"
}

// blockOf reads a generated list back.
func blockOf(t *testing.T, block string) []string {
	t.Helper()
	page, err := os.ReadFile(compatibilityPage)
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(page), "<!-- generated: "+block+" -->\n")
	list, _, _ := strings.Cut(rest, "<!-- end -->")
	return strings.Fields(strings.ReplaceAll(list, ",", " "))
}

// TestCompatibilityRedis: the commands that are refused on every engine, as a
// real server shows them: it has them all. A newer server may have more.
func TestCompatibilityRedis(t *testing.T) {
	c := openRedis(t, redistest.Start(t).URL())
	has := func(name string) bool {
		v, err := c.Do(t.Context(), conn.Cmd("COMMAND", "INFO", name))
		return err == nil && len(v.Elems) == 1 && !v.Elems[0].IsNil()
	}
	_, no := available(t, c, has)
	if *update {
		inPage(t, "refused", no)
		return
	}
	listed := slices.DeleteFunc(blockOf(t, "refused"), func(name string) bool { return !has(name) })
	if !slices.Equal(no, listed) {
		t.Errorf("refused are %q, the page says %q", no, listed)
	}
}

// TestCompatibilityEmbedded: what the embedded engine lacks beyond that.
func TestCompatibilityEmbedded(t *testing.T) {
	refused := blockOf(t, "refused")
	_, no := available(t, openEmbedded(t), func(name string) bool { return !slices.Contains(refused, strings.ToUpper(name)) })
	inPage(t, "embedded", no)
}
