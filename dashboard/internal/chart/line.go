package chart

import (
	"fmt"
	"html/template"
	"math"
	"strings"
	"time"
)

// Series is one row of figures, each of one step of time.
type Series struct {
	Name   string
	Values []float64
}

// Options say how series are drawn. The zero value of each but Says is allowed.
type Options struct {
	// Says is the text alternative: what the chart is of, and what it shows.
	Says string
	// From is the moment of the first value, Step the time from one to the next.
	From time.Time
	Step time.Duration
	// Format writes a value, Scale one at the side. Nil means %.3g, and Format.
	Format, Scale func(float64) string
	// Top is the value at the upper edge. 0 means one that fits.
	Top float64
	// Stacked puts each series on top of the one before; series must not be
	// negative.
	Stacked bool
	// Area fills the room below a line.
	Area bool
}

// maxTips bounds the steps that tell their figures to who points at them.
const maxTips = 120

// Lines draws series over time, with labels, a legend and a table of the figures.
func Lines(o Options, series ...Series) template.HTML {
	if o.Format == nil {
		o.Format = func(v float64) string { return fmt.Sprintf("%.3g", v) }
	}
	if o.Scale == nil {
		o.Scale = o.Format
	}
	drawn := make([]Series, len(series))
	copy(drawn, series)
	if o.Stacked {
		drawn = stack(series)
	}
	top := o.Top
	if top == 0 {
		for _, s := range drawn {
			top = max(top, highest(s.Values))
		}
		top = nice(top)
	}
	n := 0
	for _, s := range series {
		n = max(n, len(s.Values))
	}
	var b strings.Builder
	b.WriteString(`<figure class="chart">`)
	fmt.Fprintf(&b, `<div class="plot"><div class="scale" aria-hidden="true"><span>%s</span><span>%s</span><span>%s</span></div>`,
		esc(o.Scale(top)), esc(o.Scale(top/2)), esc(o.Scale(0)))
	b.WriteString(`<svg viewBox="0 0 1000 100" preserveAspectRatio="none" `)
	alternative(&b, o.Says)
	b.WriteString(`><path class="grid" d="M0 2H1000M0 50H1000M0 98H1000"/>`)
	for i, s := range drawn {
		var floor []float64
		if o.Stacked && i > 0 {
			floor = drawn[i-1].Values
		}
		for _, p := range parts(s.Values) {
			if o.Stacked || o.Area {
				fmt.Fprintf(&b, `<path class="fill c%d" d="%s"/>`, i+1, p.area(s.Values, floor, top))
			}
			fmt.Fprintf(&b, `<path class="line c%d%s" d="%s"/>`, i+1, p.dot(), p.line(s.Values, top))
		}
	}
	o.tips(&b, series, n)
	b.WriteString(`</svg></div>`)
	o.moments(&b, n)
	o.legend(&b, series)
	o.table(&b, series, n)
	b.WriteString(`</figure>`)
	return template.HTML(b.String()) //nolint:gosec // numbers and escaped text only
}

// stack makes the sums that are drawn.
func stack(series []Series) []Series {
	drawn := make([]Series, len(series))
	for i, s := range series {
		sums := make([]float64, len(s.Values))
		for j, v := range s.Values {
			sums[j] = v
			if i > 0 && j < len(drawn[i-1].Values) {
				if below := drawn[i-1].Values[j]; isNumber(below) {
					sums[j] += below
				}
			}
		}
		drawn[i] = Series{Name: s.Name, Values: sums}
	}
	return drawn
}

// tips are strips across the drawing that say what the figures of a step are.
func (o Options) tips(b *strings.Builder, series []Series, n int) {
	if n < 2 || n > maxTips {
		return
	}
	w := width / float64(n-1)
	for i := range n {
		var says []string
		for _, s := range series {
			if i < len(s.Values) && isNumber(s.Values[i]) {
				says = append(says, s.Name+" "+o.Format(s.Values[i]))
			}
		}
		if len(says) == 0 {
			continue
		}
		fmt.Fprintf(b, `<rect class="tip" x="%s" width="%s" height="100"><title>%s</title></rect>`,
			decimal(at(i, n)-w/2), decimal(w), esc(o.moment(i)+" · "+strings.Join(says, " · ")))
	}
}

func (o Options) moment(i int) string {
	if o.Step == 0 {
		return fmt.Sprint(i + 1)
	}
	layout := "15:04"
	if o.Step >= time.Hour {
		layout = "2 Jan 15:04"
	}
	return o.From.Add(time.Duration(i) * o.Step).UTC().Format(layout)
}

// moments are the labels below.
func (o Options) moments(b *strings.Builder, n int) {
	if o.Step == 0 || n < 2 {
		return
	}
	fmt.Fprintf(b, `<div class="moments" aria-hidden="true"><span>%s</span><span>%s</span><span>%s</span></div>`,
		esc(o.moment(0)), esc(o.moment((n-1)/2)), esc(o.moment(n-1)))
}

func (o Options) legend(b *strings.Builder, series []Series) {
	if len(series) < 2 {
		return
	}
	b.WriteString(`<figcaption>`)
	for i, s := range series {
		fmt.Fprintf(b, `<span class="key"><svg viewBox="0 0 10 10" aria-hidden="true"><rect class="swatch c%d" width="10" height="10" rx="2"/></svg>%s</span>`,
			i+1, esc(s.Name))
	}
	b.WriteString(`</figcaption>`)
}

// table holds the figures, newest first.
func (o Options) table(b *strings.Builder, series []Series, n int) {
	b.WriteString(`<details><summary>The figures</summary><div class="scroll" tabindex="0" role="region" aria-label="The figures of the chart"><table><thead><tr><th scope="col">Time</th>`)
	for _, s := range series {
		fmt.Fprintf(b, `<th scope="col" class="n">%s</th>`, esc(s.Name))
	}
	b.WriteString(`</tr></thead><tbody>`)
	for i := n - 1; i >= 0; i-- {
		fmt.Fprintf(b, `<tr><th scope="row">%s</th>`, esc(o.moment(i)))
		for _, s := range series {
			text := "–"
			if i < len(s.Values) && isNumber(s.Values[i]) {
				text = o.Format(s.Values[i])
			}
			fmt.Fprintf(b, `<td class="n">%s</td>`, esc(text))
		}
		b.WriteString(`</tr>`)
	}
	b.WriteString(`</tbody></table></div></details>`)
}

// nice is the next of 1, 2, 5, 10 … above v.
func nice(v float64) float64 {
	if v <= 0 || !isNumber(v) {
		return 1
	}
	unit := math.Pow(10, math.Floor(math.Log10(v)))
	for _, m := range []float64{1, 2, 5} {
		if v <= m*unit*(1+1e-9) {
			return m * unit
		}
	}
	return 10 * unit
}

func esc(s string) string { return template.HTMLEscapeString(s) }
