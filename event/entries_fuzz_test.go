package event

import (
	"strings"
	"testing"

	"github.com/larder-go/larder/conn"
)

// FuzzEntries reads what another program may have put into a stream: fields in any
// number and order. A message is whole if and only if there is a field data.
func FuzzEntries(f *testing.F) {
	f.Add("1-1", "data\x00{}\x00event\x00x")
	f.Add("1", "event\x00x")
	f.Add("x", "data")
	f.Add("1-0", "data\x00a\x00data\x00b\x00data")
	f.Fuzz(func(t *testing.T, id, joined string) {
		fields := strings.Split(joined, "\x00")
		list := conn.Value{Kind: conn.Array}
		whole := false
		for i, field := range fields {
			list.Elems = append(list.Elems, conn.Value{Kind: conn.Bulk, Str: field})
			whole = whole || i%2 == 0 && i+1 < len(fields) && field == "data"
		}
		entry := conn.Value{Kind: conn.Array, Elems: []conn.Value{{Kind: conn.Bulk, Str: id}, list}}
		got, err := parseEntries("topic", conn.Value{Kind: conn.Array, Elems: []conn.Value{entry, entry}})
		if _, ok := parseID(id); ok != (err == nil) {
			t.Fatalf("%q: %v", id, err)
		}
		if err != nil {
			return
		}
		if len(got) != 2 || got[0] != got[1] || got[0].whole != whole || got[0].channel != "topic" {
			t.Errorf("%q %q: %+v", id, fields, got)
		}
	})
}
