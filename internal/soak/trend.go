package soak

import (
	"slices"
	"time"
)

// point is one figure at one time.
type point struct {
	at    time.Duration
	value float64
}

// slope is how much a series grows per second: the median of the slopes between
// all pairs of points (Theil 1950, Sen 1968). A quarter of the points may be
// anything without moving it much.
func slope(series []point) float64 {
	var slopes []float64
	for i, a := range series {
		for _, b := range series[i+1:] {
			if d := (b.at - a.at).Seconds(); d > 0 {
				slopes = append(slopes, (b.value-a.value)/d)
			}
		}
	}
	return median(slopes)
}

// halves splits a series in the middle of its time.
func halves(series []point) (first, second []point) {
	middle := (series[0].at + series[len(series)-1].at) / 2
	at, _ := slices.BinarySearchFunc(series, middle, func(p point, t time.Duration) int { return int(p.at - t) })
	return series[:at], series[at:]
}

// floor is what a series does not fall below, save for its lowest tenth.
func floor(series []point) float64 {
	values := sorted(series)
	return values[len(values)/10]
}

func middle(series []point) float64 { return median(sorted(series)) }

func sorted(series []point) []float64 {
	values := make([]float64, len(series))
	for i, p := range series {
		values[i] = p.value
	}
	slices.Sort(values)
	return values
}

func median(values []float64) float64 {
	if len(values) == 0 {
		return 0
	}
	slices.Sort(values)
	n := len(values)
	if n%2 == 1 {
		return values[n/2]
	}
	return (values[n/2-1] + values[n/2]) / 2
}
