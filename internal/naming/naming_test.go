package naming

import (
	"strings"
	"testing"
)

func TestIsNamespace(t *testing.T) {
	for ns, want := range map[string]bool{
		"user": true, "a{b}-c.d/e": true, "é": true, strings.Repeat("n", MaxNamespaceBytes): true,
		"": false, "~a": false, "a:b": false, "a b": false, "a\n": false, "\x7f": false, "\xff": false,
		strings.Repeat("n", MaxNamespaceBytes+1): false,
	} {
		if got := IsNamespace(ns); got != want {
			t.Errorf("%q: %v, want %v", ns, got, want)
		}
	}
}

func TestIsTag(t *testing.T) {
	for tag, want := range map[string]bool{
		"users": true, "a:b c": true, strings.Repeat("t", MaxTagBytes): true,
		"": false, strings.Repeat("t", MaxTagBytes+1): false,
	} {
		if got := IsTag(tag); got != want {
			t.Errorf("%q: %v, want %v", tag, got, want)
		}
	}
}

func TestGlobEscape(t *testing.T) {
	if got, want := GlobEscape(`a*b?[c]\`), `a\*b\?\[c\]\\`; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}
