package chart

import (
	"encoding/xml"
	"errors"
	"io"
	"math"
	"strings"
	"testing"
	"time"
)

// wellFormed parses a drawing as XML, which is stricter than HTML.
func wellFormed(t *testing.T, s string) {
	t.Helper()
	d := xml.NewDecoder(strings.NewReader("<x>" + s + "</x>"))
	for {
		if _, err := d.Token(); errors.Is(err, io.EOF) {
			return
		} else if err != nil {
			t.Fatalf("not well-formed: %v\n%s", err, s)
		}
	}
}

func TestDrawingsStayWithinTheirFrame(t *testing.T) {
	nan, inf := math.NaN(), math.Inf(1)
	for name, values := range map[string][]float64{
		"nothing":     nil,
		"one":         {5},
		"zeros":       {0, 0, 0},
		"gaps":        {nan, 1, 2, nan, nan, 3, nan},
		"only gaps":   {nan, nan},
		"infinite":    {1, inf, 2},
		"large":       {1e18, 1, 3e18},
		"single dots": {1, nan, 1},
	} {
		t.Run(name, func(t *testing.T) {
			for _, o := range []Options{{}, {Stacked: true}, {Area: true, Top: 1}, {From: time.Unix(0, 0), Step: time.Minute}} {
				s := string(Lines(o, Series{"a", values}, Series{"b", values}))
				wellFormed(t, s)
				if strings.Contains(s, "NaN") || strings.Contains(s, "Inf") {
					t.Errorf("a value that is no number was drawn: %s", s)
				}
			}
			s := string(Spark(values, "says"))
			wellFormed(t, s)
			if strings.Contains(s, "NaN") || strings.Contains(s, "-") && strings.Contains(s, "L-") {
				t.Errorf("outside its frame: %s", s)
			}
		})
	}
}

func TestTextIsEscaped(t *testing.T) {
	evil := `"><script>alert(1)</script>`
	s := string(Lines(Options{Says: evil, From: time.Unix(0, 0), Step: time.Minute}, Series{evil, []float64{1, 2}}, Series{"b", []float64{1, 2}}))
	s += string(Spark([]float64{1}, evil)) + string(Share(.5, evil))
	wellFormed(t, s)
	if strings.Contains(s, "<script") {
		t.Errorf("a name became markup: %s", s)
	}
}

func TestLinesSayWhatTheyShow(t *testing.T) {
	from := time.Date(2026, 1, 2, 14, 0, 0, 0, time.UTC)
	s := string(Lines(Options{Says: "Hits over time", From: from, Step: time.Minute, Top: 10},
		Series{"hits", []float64{1, 2, 3}}, Series{"misses", []float64{0, math.NaN(), 5}}))
	for _, want := range []string{
		`role="img" aria-label="Hits over time"`, `<span>14:00</span><span>14:01</span><span>14:02</span>`,
		`<title>14:02 · hits 3 · misses 5</title>`, `<th scope="row">14:01</th><td class="n">2</td><td class="n">–</td>`,
		`<span>10</span><span>5</span><span>0</span>`,
	} {
		if !strings.Contains(s, want) {
			t.Errorf("no %s in\n%s", want, s)
		}
	}
}

func TestStackedSeriesStandOnEachOther(t *testing.T) {
	got := stack([]Series{{"a", []float64{1, math.NaN(), 3}}, {"b", []float64{1, 2, 3}}})
	if v := got[1].Values; v[0] != 2 || v[1] != 2 || v[2] != 6 {
		t.Errorf("sums %v, want 2 2 6", v)
	}
}

func TestScalesEndAtRoundNumbers(t *testing.T) {
	for v, want := range map[float64]float64{0: 1, 1: 1, 1.1: 2, 3: 5, 7: 10, 0.003: 0.005, 1234: 2000, math.NaN(): 1} {
		if got := nice(v); math.Abs(got-want) > 1e-9 {
			t.Errorf("nice(%v) = %v, want %v", v, got, want)
		}
	}
}
