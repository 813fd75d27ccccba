package embedded

// matches reports whether s matches Redis' glob pattern: * ? [a-z] [^a] \x.
// It backtracks to the last star only, so its time is bounded by the product
// of the lengths.
func matches(pattern, s string) bool {
	p, i := 0, 0
	star, mark := -1, 0
	for i < len(s) {
		if p < len(pattern) && pattern[p] == '*' {
			star, mark = p, i
			p++
			continue
		}
		if n, ok := matchOne(pattern[p:], s[i]); ok {
			p += n
			i++
			continue
		}
		if star < 0 {
			return false
		}
		mark++
		p, i = star+1, mark
	}
	for p < len(pattern) && pattern[p] == '*' {
		p++
	}
	return p == len(pattern)
}

// matchOne matches one byte and returns the length of what matched it.
func matchOne(p string, c byte) (int, bool) {
	if p == "" {
		return 0, false
	}
	switch p[0] {
	case '?':
		return 1, true
	case '[':
		return matchClass(p, c)
	case '\\':
		if len(p) > 1 {
			return 2, p[1] == c
		}
	}
	return 1, p[0] == c
}

func matchClass(p string, c byte) (int, bool) {
	i, not, found := 1, false, false
	if i < len(p) && p[i] == '^' {
		not = true
		i++
	}
	for i < len(p) && p[i] != ']' {
		switch {
		case p[i] == '\\' && i+1 < len(p):
			found = found || p[i+1] == c
			i += 2
		case i+2 < len(p) && p[i+1] == '-':
			lo, hi := min(p[i], p[i+2]), max(p[i], p[i+2])
			found = found || lo <= c && c <= hi
			i += 3
		default:
			found = found || p[i] == c
			i++
		}
	}
	return min(i+1, len(p)), found != not
}
