package ratelimit

import (
	"strconv"
	"strings"
	"testing"

	"github.com/larder-go/larder/conn"
)

// FuzzReply: what a script or another program's counter says is a decision or an
// error, and numbers stay in their ranges.
func FuzzReply(f *testing.F) {
	f.Add("1 10 3 4")
	f.Add("7")
	f.Add("0 x")
	f.Add("1e300 -1 0.5")
	f.Fuzz(func(t *testing.T, joined string) {
		words := strings.Split(joined, " ")
		list := conn.Value{Kind: conn.Array}
		for _, w := range words {
			v := conn.Value{Kind: conn.Bulk, Str: w}
			if n, err := strconv.ParseInt(w, 10, 64); err == nil {
				v = conn.Value{Kind: conn.Int, Int: n}
			}
			list.Elems = append(list.Elems, v)
		}
		if _, err := readReply(list, 10); err == nil && len(words) < 3 {
			t.Errorf("%q is a decision", joined)
		}
		text := conn.Value{Kind: conn.Bulk, Str: joined}
		if n, ok := dynamicLimit(text); ok && (n < 0 || n > MaxLimit) {
			t.Errorf("%q is the limit %d", joined, n)
		}
		if n, err := whole(text); err == nil && (n < -(1<<53) || n > 1<<53) {
			t.Errorf("%q is the number %d", joined, n)
		}
		_, _ = count(text)
		_ = lastDenied(list, 10)
	})
}

// FuzzDenyList: a list is refused, or knows each of its lines.
func FuzzDenyList(f *testing.F) {
	f.Add("# a list\n192.0.2.1\n2001:db8::/32\nbad robot\n")
	f.Add("::ffff:192.0.2.0/120\n0.0.0.0/0\nfe80::1%eth0")
	f.Fuzz(func(t *testing.T, list string) {
		d, err := ParseDenyList(strings.NewReader(list))
		if err != nil {
			return
		}
		for line := range strings.Lines(list) {
			v := strings.TrimSpace(line)
			if v == "" || v[0] == '#' || strings.Contains(v, "/") {
				continue
			}
			if !d.names(v) && !d.covers(v) {
				t.Errorf("%q does not know %q", list, v)
			}
		}
	})
}
