package chart

import (
	"math"
	"strconv"
	"strings"
)

func isNumber(v float64) bool { return !math.IsNaN(v) && !math.IsInf(v, 0) }

// highest is the largest of some values, at least a little above 0.
func highest(values []float64) float64 {
	top := 0.0
	for _, v := range values {
		if isNumber(v) {
			top = max(top, v)
		}
	}
	if top == 0 {
		return 1
	}
	return top
}

// part is a run of values without a gap, from and to inclusive.
type part struct{ from, to int }

func parts(values []float64) (all []part) {
	begun := -1
	for i, v := range values {
		switch {
		case isNumber(v) && begun < 0:
			begun = i
		case !isNumber(v) && begun >= 0:
			all, begun = append(all, part{begun, i - 1}), -1
		}
	}
	if begun >= 0 {
		all = append(all, part{begun, len(values) - 1})
	}
	return all
}

func at(i, of int) float64 {
	if of < 2 {
		return width / 2
	}
	return float64(i) * width / float64(of-1)
}

// up is where a value stands; a little room above and below keeps the line whole.
func up(v, top float64) float64 { return height - 2 - min(v/top, 1)*(height-4) }

// line goes through the values of a part. A single one is drawn as a dot, which a
// round cap makes of a line without length.
func (p part) line(values []float64, top float64) string {
	var b strings.Builder
	for i := p.from; i <= p.to; i++ {
		step(&b, i > p.from, at(i, len(values)), up(values[i], top))
	}
	if p.from == p.to {
		b.WriteString("h.01")
	}
	return b.String()
}

// area lies between the values of a part and those of floor; nil is the ground.
func (p part) area(values, floor []float64, top float64) string {
	var b strings.Builder
	for i := p.from; i <= p.to; i++ {
		step(&b, i > p.from, at(i, len(values)), up(values[i], top))
	}
	for i := p.to; i >= p.from; i-- {
		y := height
		if floor != nil && isNumber(floor[i]) && floor[i] > 0 {
			y = up(floor[i], top)
		}
		step(&b, true, at(i, len(values)), y)
	}
	return b.String() + "z"
}

func step(b *strings.Builder, on bool, x, y float64) {
	if on {
		b.WriteByte('L')
	} else {
		b.WriteByte('M')
	}
	b.WriteString(decimal(x))
	b.WriteByte(' ')
	b.WriteString(decimal(y))
}

func decimal(v float64) string {
	return strconv.FormatFloat(math.Round(v*10)/10, 'f', -1, 64)
}

// dot is the class of a part of a single value.
func (p part) dot() string {
	if p.from == p.to {
		return " dot1"
	}
	return ""
}
