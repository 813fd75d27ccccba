package entry

import (
	"bytes"
	"encoding/hex"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "rewrite the golden files")

var sample = Header{
	Schema: 0x0102030405060708, ID: 0x1112131415161718, Incarnation: 0x2122232425262728,
	LoadedAt: 1_700_000_000_000, FreshUntil: 1_700_000_300_000, StaleUntil: 1_700_003_900_000,
	Cost: 4200, Namespace: 0x3132333435363738,
}

func TestGolden(t *testing.T) {
	leased, negative, placeholder := sample, sample, Header{Flags: Placeholder, Token: 7, LeaseUntil: 1_700_000_010_000}
	revised, tombstone := sample, Header{Flags: Placeholder, Revision: 8, StaleUntil: 1_700_000_300_000}
	barrier := Header{Flags: Placeholder | Barrier, LeaseUntil: 1_700_000_010_000}
	revised.Revision = 0x5152535455565758
	leased.Token, leased.LeaseUntil = 0x4142434445464748, 1_700_000_310_000
	negative.Flags = Negative
	for name, raw := range map[string][]byte{
		"value":       append(Append(nil, sample, nil, ""), `{"id":42}`...),
		"tagged":      append(Append(nil, sample, []Tag{{"users", 5}, {"org:7", 6}}, ""), `0`...),
		"leased":      append(Append(nil, leased, nil, ""), `{"id":42}`...),
		"revised":     append(Append(nil, revised, []Tag{{"users", 5}}, `"etag"`), `{"id":42}`...),
		"negative":    Append(nil, negative, nil, ""),
		"placeholder": Append(nil, placeholder, nil, ""),
		"tombstone":   Append(nil, tombstone, nil, ""),
		"barrier":     append(Append(nil, barrier, nil, ""), "\x00\x00\x00\x00\x00\x00\x00\x07\x00\x00\x01\x8b\xcf\xe5\x8f\x10"...),
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join("testdata", name+".hex")
			if *update {
				if err := os.WriteFile(path, []byte(hex.Dump(raw)), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if got := hex.Dump(raw); got != string(want) {
				t.Errorf("the wire format changed:\n%s\nwant\n%s", got, want)
			}
			e, err := Parse(string(raw))
			if err != nil {
				t.Fatal(err)
			}
			var tags []Tag
			e.Tags(func(tag Tag) bool { tags = append(tags, tag); return true })
			if back := append(Append(nil, e.Header, tags, e.Validator), e.Payload...); !bytes.Equal(back, raw) {
				t.Errorf("parsed and written again:\n%s", hex.Dump(back))
			}
		})
	}
}

func TestParseRefuses(t *testing.T) {
	ok := string(Append(nil, sample, []Tag{{"users", 5}}, "v"))
	edit := func(at int, b byte) string { x := []byte(ok); x[at] = b; return string(x) }
	for name, raw := range map[string]string{
		"empty":          "",
		"short":          ok[:Size-1],
		"magic":          edit(offMagic, 'x'),
		"version":        edit(offVersion, 2),
		"unknown flag":   edit(offFlags, 0x80),
		"reserved":       edit(offReserved, 1),
		"tag cut":        ok[:len(ok)-2],
		"validator cut":  ok[:len(ok)-1],
		"more tags":      edit(offTags, 2),
		"foreign string": strings.Repeat("x", 200),
	} {
		if _, err := Parse(raw); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add(string(append(Append(nil, sample, []Tag{{"users", 5}, {"", 6}}, "v"), "payload"...)))
	f.Add(string(Append(nil, Header{Flags: Placeholder}, nil, "")))
	f.Fuzz(func(t *testing.T, raw string) {
		e, err := Parse(raw)
		if err != nil {
			return
		}
		var tags []Tag
		e.Tags(func(tag Tag) bool { tags = append(tags, tag); return true })
		if back := append(Append(nil, e.Header, tags, e.Validator), e.Payload...); string(back) != raw {
			t.Errorf("%x reads as %x", raw, back)
		}
	})
}
