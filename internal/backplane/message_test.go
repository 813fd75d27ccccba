package backplane

import (
	"slices"
	"strings"
	"testing"
)

const testOrigin = "0123456789a"

func TestMessages(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("l", maxMessage+1)
	many := make([]string, 1000)
	for i := range many {
		many[i] = strings.Repeat("k", i%300)
	}
	for name, tt := range map[string]struct {
		keys     []string
		messages int
	}{
		"all keys":         {nil, 1},
		"one":              {[]string{"user:1"}, 1},
		"several":          {[]string{"user:1", "~tag:a", "user:2"}, 1},
		"odd ones":         {[]string{"", "3:abc", "a\x00\xffb\n"}, 1},
		"one over a bound": {[]string{"a", long, "b"}, 3},
		"many":             {many, 9},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ms := messages(testOrigin, tt.keys)
			if len(ms) != tt.messages {
				t.Errorf("%d messages, want %d", len(ms), tt.messages)
			}
			var got []string
			for _, m := range ms {
				origin, keys, err := parse(m)
				if err != nil || origin != testOrigin {
					t.Fatalf("from %q, %v", origin, err)
				}
				if len(m) > maxMessage && len(keys) > 1 {
					t.Errorf("%d keys in a message of %d bytes", len(keys), len(m))
				}
				got = append(got, keys...)
			}
			if !slices.Equal(got, tt.keys) {
				t.Errorf("%.100q became %.100q", tt.keys, got)
			}
		})
	}
}

// The bytes are what processes of different versions share.
func TestMessageOnTheWire(t *testing.T) {
	t.Parallel()
	if got := messages(testOrigin, []string{"user:42", "~ns:user"}); !slices.Equal(got, []string{"10123456789a7:user:428:~ns:user"}) {
		t.Errorf("got %q", got)
	}
	if one, two := newOrigin(), newOrigin(); len(one) != originLen || one == two {
		t.Errorf("origins like %q", one)
	}
}

func TestUnreadableMessages(t *testing.T) {
	t.Parallel()
	for _, m := range []string{
		"", "1", "2" + testOrigin, "1" + testOrigin + "x", "1" + testOrigin + "1", "1" + testOrigin + "2:a",
		"1" + testOrigin + "-1:a", "1" + testOrigin + "99999999999:a", "1" + testOrigin + "1:a1",
	} {
		if _, keys, err := parse(m); err == nil {
			t.Errorf("%q was read as %q", m, keys)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add(messages(testOrigin, nil)[0])
	f.Add(messages(testOrigin, []string{"a", "", "bc"})[0])
	f.Add("1" + testOrigin + "007:keep it")
	f.Fuzz(func(t *testing.T, m string) {
		origin, keys, err := parse(m)
		if err != nil {
			if keys != nil {
				t.Errorf("%q: keys with an error", m)
			}
			return
		}
		if _, again, err := parse(messages(origin, keys)[0]); err != nil || len(m) <= maxMessage && !slices.Equal(keys, again) {
			t.Errorf("%q: %q became %q, %v", m, keys, again, err)
		}
	})
}
