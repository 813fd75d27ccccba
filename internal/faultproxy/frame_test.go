package faultproxy

import (
	"bufio"
	"math/rand/v2"
	"strings"
	"testing"
)

func TestReadFrame(t *testing.T) {
	t.Parallel()
	for _, whole := range []string{
		"+OK\r\n", "-ERR no\r\n", ":-1\r\n", "_\r\n", ",1.5\r\n", "#t\r\n", "(123\r\n",
		"$0\r\n\r\n", "$-1\r\n", "*-1\r\n", "*0\r\n", "$4\r\n\r\n\r\n\r\n", "=7\r\ntxt:abc\r\n",
		"*2\r\n*1\r\n:1\r\n$1\r\na\r\n", "%1\r\n+a\r\n~2\r\n:1\r\n:2\r\n", "|1\r\n+ttl\r\n:3\r\n$1\r\nx\r\n",
		">2\r\n$10\r\ninvalidate\r\n_\r\n", ">3\r\n$7\r\nmessage\r\n$1\r\nc\r\n$1\r\nm\r\n",
		">3\r\n$9\r\nsubscribe\r\n$1\r\nc\r\n:1\r\n",
	} {
		f, err := readFrame(bufio.NewReader(strings.NewReader(whole + "+next\r\n")))
		if err != nil || string(f.bytes) != whole {
			t.Errorf("%q: %q, %v", whole, f.bytes, err)
		}
		if want := strings.Contains(whole, "invalidate") || strings.Contains(whole, "message"); f.push != want {
			t.Errorf("%q: a push: %v", whole, f.push)
		}
	}
	for _, bad := range []string{"", "+OK", "+\n", "x\r\n", "$x\r\n", "$3\r\nab", "*2\r\n:1\r\n", "\r\n", strings.Repeat("*1\r\n", 100)} {
		if f, err := readFrame(bufio.NewReader(strings.NewReader(bad))); err == nil {
			t.Errorf("%q was read as %q", bad, f.bytes)
		}
	}
}

// The same seed draws the same faults, and all kinds come up.
func TestDraw(t *testing.T) {
	t.Parallel()
	a, b := rand.New(rand.NewPCG(1, 2)), rand.New(rand.NewPCG(1, 2))
	seen := map[Kind]bool{}
	for range 200 {
		f, g := Draw(a), Draw(b)
		if f != g || f.Kind.String() == "" {
			t.Fatalf("%+v, %+v", f, g)
		}
		seen[f.Kind] = true
	}
	if len(seen) != int(Refuse) {
		t.Errorf("kinds %v", seen)
	}
}

func FuzzReadFrame(f *testing.F) {
	f.Add([]byte(">2\r\n$10\r\ninvalidate\r\n*1\r\n$1\r\nk\r\n"))
	f.Add([]byte("%1\r\n+a\r\n|1\r\n+b\r\n:1\r\n,2\r\n"))
	f.Add([]byte("$5\r\nab"))
	f.Fuzz(func(t *testing.T, in []byte) {
		fr, err := readFrame(bufio.NewReader(strings.NewReader(string(in))))
		if err == nil && !strings.HasPrefix(string(in), string(fr.bytes)) {
			t.Errorf("%q was read as %q", in, fr.bytes)
		}
	})
}
