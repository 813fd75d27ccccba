package slot

import (
	"strings"
	"testing"
)

// FuzzOf: a key lies in the slot of its hash tag, whatever stands around it.
func FuzzOf(f *testing.F) {
	f.Add("user", "{42}")
	f.Add("{}", "}{")
	f.Fuzz(func(t *testing.T, tag, around string) {
		if Of(tag+around) >= Count {
			t.Errorf("%q is out of range", tag+around)
		}
		if tag == "" || strings.ContainsAny(tag, "{}") || strings.Contains(around, "{") {
			return
		}
		if Of(around+"{"+tag+"}"+around) != Of(tag) {
			t.Errorf("%q is not in the slot of its tag", around+"{"+tag+"}"+around)
		}
	})
}
