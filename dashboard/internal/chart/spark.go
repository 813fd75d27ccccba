package chart

import (
	"fmt"
	"html/template"
	"strings"
)

// The coordinates of a drawing; it is stretched to its place.
const (
	width  = 1000.0
	height = 100.0
)

// Spark is a small line without axes, for a cell of a table. says is its text
// alternative; where the cells beside it tell the same, "" hides it from screen
// readers.
func Spark(values []float64, says string) template.HTML {
	top := highest(values)
	var b strings.Builder
	b.WriteString(`<svg class="spark" viewBox="0 0 1000 100" preserveAspectRatio="none" `)
	alternative(&b, says)
	b.WriteString(`>`)
	for _, p := range parts(values) {
		fmt.Fprintf(&b, `<path class="fill" d="%s"/><path class="line%s" d="%s"/>`, p.area(values, nil, top), p.dot(), p.line(values, top))
	}
	b.WriteString(`</svg>`)
	return template.HTML(b.String()) //nolint:gosec // numbers and escaped text only
}

// Share is a bar from 0 to 1, for a cell of a table. The number stands beside it, so
// that screen readers need not hear of it.
func Share(of float64, class string) template.HTML {
	if !isNumber(of) {
		of = 0
	}
	of = min(max(of, 0), 1)
	//nolint:gosec // a number, and a class that the caller chose
	return template.HTML(fmt.Sprintf(`<svg class="share" viewBox="0 0 1000 100" preserveAspectRatio="none" aria-hidden="true">`+
		`<rect class="rail" width="1000" height="100"/><rect class="bar %s" width="%.0f" height="100"/></svg>`,
		template.HTMLEscapeString(class), of*width))
}

func alternative(b *strings.Builder, says string) {
	if says == "" {
		b.WriteString(`aria-hidden="true"`)
		return
	}
	fmt.Fprintf(b, `role="img" aria-label="%s"`, template.HTMLEscapeString(says))
}
