package fingerprint

import (
	"testing"
	"time"
)

type node struct {
	Name string `json:"name"`
	Next *node
	priv int //nolint:unused // unexported fields do not count
}

func TestOfTellsShapesApart(t *testing.T) {
	type a struct{ X int }
	type b struct{ X int64 }
	type c struct {
		X int `json:"x"`
	}
	type d struct{ Y int }
	prints := map[uint64]string{}
	for name, p := range map[string]uint64{
		"a": Of[a]("json"), "b": Of[b]("json"), "c": Of[c]("json"), "d": Of[d]("json"),
		"[]a": Of[[]a]("json"), "*a": Of[*a]("json"), "a in another codec": Of[a]("gob"),
		"map": Of[map[string]a]("json"), "time": Of[time.Time]("json"), "string": Of[string]("json"),
		"[2]int": Of[[2]int]("json"), "[3]int": Of[[3]int]("json"), "recursive": Of[node]("json"),
	} {
		if other, taken := prints[p]; taken {
			t.Errorf("%s and %s have the same fingerprint", name, other)
		}
		prints[p] = name
	}
}

// The number is part of the wire format: if it changes, every stored entry misses.
func TestOfIsStable(t *testing.T) {
	type user struct {
		ID   int64  `json:"id"`
		Name string `json:"name"`
	}
	if got, want := Of[user]("json"), uint64(0xffe3686a95d005d4); got != want {
		t.Errorf("fingerprint = %#x, want %#x", got, want)
	}
}
