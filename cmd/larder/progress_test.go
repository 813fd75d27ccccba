package main

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
)

func TestProgressOffTerminal(t *testing.T) {
	t.Parallel()
	var b bytes.Buffer
	p := newProgress(&b, false)
	p.step("building", 1, 0)
	p.step("building", 2, 0)
	p.step("asking", 1, 9)
	p.clear()
	if got := b.String(); got != "building …\nasking …\n" {
		t.Errorf("got %q", got)
	}
	b.Reset()
	p = newProgress(&b, true)
	p.step("building", 1, 0)
	if b.Len() > 0 {
		t.Errorf("quiet, and yet %q", b.String())
	}
}

func TestProgressOnTerminal(t *testing.T) {
	t.Parallel()
	var b bytes.Buffer
	p := &progress{w: &b, terminal: true}
	p.step("asking", 1, 9)
	p.step("asking", 2, 9) // too soon
	p.step("done", 3, 0)
	p.clear()
	p.clear()
	if got, want := b.String(), "\r\x1b[Kasking: 1 of 9\r\x1b[Kdone: 3\r\x1b[K"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestIsTerminal(t *testing.T) {
	t.Parallel()
	f, err := os.Create(filepath.Join(t.TempDir(), "file"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if isTerminal(f) || isTerminal(&bytes.Buffer{}) {
		t.Error("a file or a buffer passes for a terminal")
	}
}
