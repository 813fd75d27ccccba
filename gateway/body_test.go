package gateway

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestParseCommand(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		body string
		want []string
		err  error
	}{
		{`["GET","k"]`, []string{"GET", "k"}, nil},
		{" [ \"GET\" ,\t\"k\"\r\n] \n", []string{"GET", "k"}, nil},
		{`["set","b",true,false,1,-0.50,1e+9,12345678901234567890]`, []string{"set", "b", "true", "false", "1", "-0.50", "1e+9", "12345678901234567890"}, nil},
		{`["a","\"\\\/\b\f\n\r\t\u0041\u00e9\ud83d\ude00"]`, []string{"a", "\"\\/\b\f\n\r\tAé😀"}, nil},
		{`["a","\ud83d","\ud83dx","\ude00","\ud83d\u0041"]`, []string{"a", "\ufffd", "\ufffdx", "\ufffd", "\ufffdA"}, nil},
		{"[\"a\",\"\xff\"]", []string{"a", "\xff"}, nil},
		{`["a",""]`, []string{"a", ""}, nil},
		{`[""]`, []string{""}, nil},
		{`[1]`, []string{"1"}, nil},
		{`[]`, nil, errEmptyCommand},
		{`["a",null]`, nil, errNullArgument},
		{``, nil, errParseCommand},
		{`null`, nil, errParseCommand},
		{`"GET"`, nil, errParseCommand},
		{`{"a":1}`, nil, errParseCommand},
		{`["a"`, nil, errParseCommand},
		{`["a",]`, nil, errParseCommand},
		{`[,"a"]`, nil, errParseCommand},
		{`["a" "b"]`, nil, errParseCommand},
		{`["a"]]`, nil, errParseCommand},
		{`["a"]x`, nil, errParseCommand},
		{`["a",["b"]]`, nil, errParseCommand},
		{`["a",{"b":1}]`, nil, errParseCommand},
		{`["a]`, nil, errParseCommand},
		{`["a\`, nil, errParseCommand},
		{`["\x"]`, nil, errParseCommand},
		{`["\u12"]`, nil, errParseCommand},
		{`["\u12g4"]`, nil, errParseCommand},
		{`["\ud83d\u12"]`, nil, errParseCommand},
		{"[\"a\nb\"]", nil, errParseCommand},
		{`[01]`, nil, errParseCommand},
		{`[-]`, nil, errParseCommand},
		{`[1.]`, nil, errParseCommand},
		{`[.5]`, nil, errParseCommand},
		{`[1e]`, nil, errParseCommand},
		{`[+1]`, nil, errParseCommand},
		{`[NaN]`, nil, errParseCommand},
		{`[tru]`, nil, errParseCommand},
		{`[nul]`, nil, errParseCommand},
		{"\xef\xbb\xbf[\"a\"]", nil, errParseCommand},
	} {
		var p parser
		p.reset([]byte(tt.body))
		err := p.command()
		if err != tt.err { //nolint:errorlint // the very one
			t.Errorf("%s: %v, want %v", tt.body, err, tt.err)
		} else if err == nil && !slices.Equal(p.args(), tt.want) {
			t.Errorf("%s: %q, want %q", tt.body, p.args(), tt.want)
		}
	}
}

func TestParsePipeline(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		body string
		rows int
		err  error
	}{
		{`[["a"],["b","c"],[]]`, 3, nil},
		{` [ [ ] , [ "a" ] ] `, 2, nil},
		{`[["a",null],["b"]]`, 2, nil},
		{`[]`, 0, errEmptyPipeline},
		{`[ ] x`, 0, errParsePipeline},
		{`[["a"],["a"],["a"],["a"]]`, 0, errMaxPipeline},
		{``, 0, errParsePipeline},
		{`["a"]`, 0, errParsePipeline},
		{`[["a"],"b"]`, 0, errParsePipeline},
		{`[["a"],]`, 0, errParsePipeline},
		{`[["a"]`, 0, errParsePipeline},
		{`[["a"]]]`, 0, errParsePipeline},
		{`[[["a"]]]`, 0, errParsePipeline},
		{`{}`, 0, errParsePipeline},
	} {
		var p parser
		p.reset([]byte(tt.body))
		err := p.pipeline(3)
		if err != tt.err { //nolint:errorlint // the very one
			t.Errorf("%s: %v, want %v", tt.body, err, tt.err)
		} else if err == nil && len(p.rows) != tt.rows {
			t.Errorf("%s: %d rows, want %d", tt.body, len(p.rows), tt.rows)
		}
	}
}

// The number of allocations does not depend on the number of arguments.
func TestParseAllocations(t *testing.T) {
	body := []byte(`[` + strings.Repeat(`["SET","some key","some \"value\"",12],`, 200) + `["PING"]]`)
	var p parser
	n := testing.AllocsPerRun(20, func() {
		p.reset(body)
		if err := p.pipeline(1000); err != nil || len(p.args()) != 801 {
			t.Fatal(err)
		}
	})
	if n > 2 {
		t.Errorf("%v allocations for 200 commands, want 2", n)
	}
}

// FuzzPipeline compares the parser with encoding/json.
func FuzzPipeline(f *testing.F) {
	for _, s := range []string{
		`[["SET","k","v"],["GET","k"],[]]`, `[["\ud83d\ude00",1e5,true,null]]`, `[[`, `[]`, `[["\\\"\u0000"]] `, `[[-0.0]]`, `[["a",["b"]]]`,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		var p parser
		p.reset(slices.Clone(body))
		err := p.pipeline(1000)
		if err == errMaxPipeline { //nolint:errorlint // the very one
			return
		}
		var want [][]any
		d := json.NewDecoder(bytes.NewReader(body))
		d.UseNumber()
		reference := json.Valid(body) && d.Decode(&want) == nil && want != nil
		for _, row := range want {
			if row == nil { // null for an array
				reference = false
			}
			for _, a := range row {
				switch a.(type) {
				case []any, map[string]any:
					reference = false
				}
			}
		}
		if reference && len(want) == 0 {
			if err != errEmptyPipeline { //nolint:errorlint // the very one
				t.Fatalf("%q: %v", body, err)
			}
			return
		}
		if reference != (err == nil) {
			t.Fatalf("%q: %v, encoding/json: %v", body, err, reference)
		}
		if err != nil || !utf8.Valid(body) {
			return
		}
		var all []string
		for _, row := range want {
			for _, a := range row {
				switch a := a.(type) {
				case string:
					all = append(all, a)
				case json.Number:
					all = append(all, a.String())
				case bool:
					all = append(all, map[bool]string{true: "true", false: "false"}[a])
				case nil:
					all = append(all, "null")
				}
			}
		}
		if got := p.args(); !slices.Equal(got, all) {
			t.Fatalf("%q: %q, want %q", body, got, all)
		}
	})
}
