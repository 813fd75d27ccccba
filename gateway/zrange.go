package gateway

import (
	"slices"
	"strconv"
	"strings"

	"github.com/larder-go/larder/conn"
)

// prepareZRange lets LIMIT stand without BYSCORE and BYLEX, which Redis refuses:
// it then takes part of the range of ranks.
func prepareZRange(_ *planner, r *row) {
	limit := -1
	for i := 4; i < len(r.args); i++ {
		switch {
		case strings.EqualFold(r.args[i], "BYSCORE"), strings.EqualFold(r.args[i], "BYLEX"):
			return
		case strings.EqualFold(r.args[i], "LIMIT"):
			limit = i
		}
	}
	if limit < 0 || limit+2 >= len(r.args) {
		return
	}
	offset, err := strconv.Atoi(r.args[limit+1])
	n, err2 := strconv.Atoi(r.args[limit+2])
	if err != nil || err2 != nil {
		r.fail(&conn.ServerError{Text: textNotInteger})
		return
	}
	r.args = slices.Delete(slices.Clone(r.args), limit, limit+3)
	width := 1
	if slices.ContainsFunc(r.args[4:], func(a string) bool { return strings.EqualFold(a, "WITHSCORES") }) {
		width = 2
	}
	r.differ().finish = func(v conn.Value, err error) (conn.Value, error) {
		if err == nil {
			v.Elems = limited(v.Elems, offset, n, width)
		}
		return v, err
	}
}

// limited takes n members from offset on; a negative n means all. A member is
// one element, or width elements where they are not in pairs.
func limited(elems []conn.Value, offset, n, width int) []conn.Value {
	if len(elems) > 0 && elems[0].Kind == conn.Array {
		width = 1
	}
	members := len(elems) / width
	if offset < 0 || offset >= members {
		return nil
	}
	end := members
	if n >= 0 && n < members-offset {
		end = offset + n
	}
	return elems[offset*width : end*width]
}
