package event

import (
	"strings"
	"testing"
)

// Whatever others have published becomes one event, and nothing in it becomes a
// field of another one.
func FuzzAppendEvent(f *testing.F) {
	f.Add("message", `{"id":1}`)
	f.Add("a\nid: 7", "x\r\n\r\nevent: gap\rdata: y\n")
	f.Add("", "")
	f.Fuzz(func(t *testing.T, event, data string) {
		out := string(appendEvent(nil, received{id: streamID{1, 2}, event: event, data: data}))
		body, ok := strings.CutSuffix(out, "\n\n")
		if !ok || strings.ContainsRune(out, '\r') {
			t.Fatalf("%q", out)
		}
		var got []string
		for i, line := range strings.Split(body, "\n") {
			field, value, _ := strings.Cut(line, ": ")
			switch {
			case i == 0 && line == "id: 1-2", i == 1 && field == "event" && value == event:
			case field == "data":
				got = append(got, value)
			default:
				t.Fatalf("line %q of %q", line, out)
			}
		}
		if strings.Join(got, "\n") != lineEnds.Replace(data) {
			t.Errorf("%q arrives as %q", data, got)
		}
	})
}

func FuzzParseID(f *testing.F) {
	for _, s := range []string{"0", "1-2", "18446744073709551615-18446744073709551615", "-", "1-", "+1", "1-1-1"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		id, ok := parseID(s)
		if !ok {
			return
		}
		if again, ok := parseID(id.String()); !ok || again.compare(id) != 0 {
			t.Errorf("%q is %v, then %v", s, id, again)
		}
	})
}

// Gaps that follow each other are told as one, by the worse reason.
func TestGapsAdd(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ a, b, want GapError }{
		{GapError{}, GapError{Slow, 1}, GapError{Slow, 1}},
		{GapError{Slow, 2}, GapError{}, GapError{Slow, 2}},
		{GapError{Slow, 2}, GapError{Slow, 3}, GapError{Slow, 5}},
		{GapError{Slow, 2}, GapError{Disconnected, 0}, GapError{Disconnected, 2}},
		{GapError{Trimmed, 0}, GapError{Slow, 1}, GapError{Trimmed, 1}},
	} {
		if got := tt.a.add(tt.b); got != tt.want {
			t.Errorf("%+v and %+v: %+v, want %+v", tt.a, tt.b, got, tt.want)
		}
	}
}
