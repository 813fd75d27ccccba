package strategy

import (
	"fmt"
	"strings"
)

// What stands in a document comes from whoever may write to Redis. In a Markdown text it
// may be anything but markup, HTML, or something that turns a terminal around.

// line makes one line of a text.
func line(s string) string {
	return strings.Join(strings.Fields(strings.Map(func(r rune) rune {
		switch {
		case r == '\n', r == '\r', r == '\t':
			return ' '
		case isControl(r):
			return '\uFFFD'
		}
		return r
	}, s)), " ")
}

var markup = strings.NewReplacer(
	`\`, `\\`, "`", "\\`", `*`, `\*`, `_`, `\_`, `[`, `\[`, `]`, `\]`, `~`, `\~`, `|`, `\|`, `#`, `\#`, `!`, `\!`,
	`<`, `&lt;`, `>`, `&gt;`, `&`, `&amp;`, `://`, `&#58;//`, `$`, `\$`,
)

// prose makes a text stand for itself.
func prose(s string) string { return markup.Replace(line(s)) }

// code makes a text a code span, outside of tables.
func code(s string) string {
	s = line(s)
	if s == "" {
		return ""
	}
	longest, run := 0, 0
	for _, r := range s {
		if r == '`' {
			run++
			longest = max(longest, run)
		} else {
			run = 0
		}
	}
	fence := strings.Repeat("`", longest+1)
	if longest > 0 {
		return fence + " " + s + " " + fence
	}
	return fence + s + fence
}

// cell makes a text a code span in a table, where a pipe would end the cell even there.
func cell(s string) string { return strings.ReplaceAll(code(s), "|", `\|`) }

// label makes a text the label of a node of a diagram.
func label(s string) string {
	var b strings.Builder
	for _, r := range line(s) {
		switch r {
		case '"', '\'', '#', '&', '<', '>', '`', '\\', ';', '{', '}', '[', ']', '(', ')', '|', '%', '@', '*', '_':
			// Mermaid's own form: the number between '#' and ';'.
			fmt.Fprintf(&b, "#%d;", r)
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}
