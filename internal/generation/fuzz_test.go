package generation

import (
	"strings"
	"testing"
)

// Whatever Redis holds is none, a barrier, or a generation whose parts are within
// bounds; and none admits nothing.
func FuzzParseValue(f *testing.F) {
	f.Add("")
	f.Add(strings.Repeat("\x00", valueSize))
	f.Add(strings.Repeat("\x01", valueSize) + "host/1")
	f.Add(strings.Repeat("\x00", 24) + strings.Repeat("\xff", 8) + strings.Repeat("\x07", 8) + "barrier")
	f.Fuzz(func(t *testing.T, raw string) {
		v := ParseValue(raw)
		if len(raw) < valueSize && v != (Value{}) || len(v.By) > maxBy || v.BarredUntil != 0 && v.Number != 0 {
			t.Errorf("%q is %+v", raw, v)
		}
		if _, ok := v.Admits(0, "key", 1); ok {
			t.Errorf("%q admits an entry of no generation", raw)
		}
		if s := Share(raw); s < 0 || s >= 1 {
			t.Errorf("%q has the share %v", raw, s)
		}
		if _, ok := v.Admits(v.Number+1, raw, 1); ok && v.Number+1 != v.Previous {
			t.Errorf("%q admits a number that it does not know", raw)
		}
	})
}
