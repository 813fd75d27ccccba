package describe

import (
	"testing"
	"time"
)

type pair[A, B any] struct {
	a A
	b B
}

func TestWords(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ got, want string }{
		{Type[string](), "string"},
		{Type[*time.Time](), "*time.Time"},
		{Type[map[string][]int](), "map[string][]int"},
		{Type[pair[time.Time, int]](), "describe.pair[time.Time,int]"},
		{Type[pair[pair[int, bool], string]](), "describe.pair[describe.pair[int,bool],string]"},
		{Duration(0), "0s"},
		{Duration(1500 * time.Millisecond), "1.5s"},
		{Duration(5 * time.Minute), "5m"},
		{Duration(10 * time.Second), "10s"},
		{Duration(time.Hour), "1h"},
		{Duration(90 * time.Minute), "1h30m"},
		{Duration(24 * time.Hour), "24h"},
		{Duration(7 * 24 * time.Hour), "7d"},
		{Duration(49 * time.Hour), "49h"},
		{Duration(time.Hour + time.Second), "1h0m1s"},
		{Bytes(0), "0 B"},
		{Bytes(1500), "1500 B"},
		{Bytes(64 << 20), "64 MiB"},
		{Bytes(1 << 50), "1048576 GiB"},
		{Join("a", "", "b"), "a; b"},
		{Join("", If(false, "x"), If(true, "y")), "y"},
	} {
		if tt.got != tt.want {
			t.Errorf("%q, want %q", tt.got, tt.want)
		}
	}
}
