package statement

import (
	"errors"
	"fmt"
	"strings"
	"time"
)

// line reads a comment up to the end of the line.
func (l *lexer) line() {
	body := l.sql[l.at+2:]
	if i := strings.IndexAny(body, "\r\n"); i >= 0 {
		if strings.HasPrefix(body[i:], "\r") && !strings.HasPrefix(body[i:], "\r\n") {
			l.fail("a carriage return in a comment") // ends it for some databases only
		}
		body = body[:i]
	}
	l.at += 2 + len(body)
	l.comment(body)
}

// block reads a comment between /* and */.
func (l *lexer) block() {
	body, _, ok := strings.Cut(l.sql[l.at+2:], "*/")
	switch {
	case !ok:
		l.fail("a comment is not closed")
	case strings.Contains(body+"*", "/*"):
		l.fail("a comment in a comment") // whose end is another one for other databases
	}
	l.at += min(len(body)+4, len(l.sql)-l.at)
	l.comment(body)
}

func (l *lexer) comment(body string) {
	said, ok := strings.CutPrefix(strings.TrimSpace(body), "larder:")
	if !ok {
		return
	}
	if l.hint.Given {
		l.hint.Err = errors.New("statement: more than one comment that begins with larder:; allowed is one")
		return
	}
	l.hint = parseHint(said)
}

func parseHint(said string) Hint {
	h := Hint{Given: true}
	fields := strings.Fields(said)
	if len(fields) == 1 && fields[0] == "off" {
		h.Off = true
		return h
	}
	if len(fields) == 0 {
		h.Err = errors.New(`statement: hint "": allowed are off, or ttl=<duration> and tags=<name>,<name>`)
	}
	for _, f := range fields {
		key, value, _ := strings.Cut(f, "=")
		switch {
		case key == "ttl" && h.TTL == 0:
			ttl, err := time.ParseDuration(value)
			if err != nil || ttl <= 0 {
				h.Err = fmt.Errorf("statement: hint ttl=%q: allowed is a positive duration such as 30s or 5m", value)
			}
			h.TTL = ttl
		case key == "tags" && h.Tags == nil:
			h.Tags = strings.Split(value, ",")
			for _, tag := range h.Tags {
				if tag == "" {
					h.Err = fmt.Errorf("statement: hint tags=%q: allowed are names, separated by commas without spaces", value)
				}
			}
		default:
			h.Err = fmt.Errorf("statement: hint %q: allowed are off, or ttl=<duration> and tags=<name>,<name>, each once", f)
		}
	}
	return h
}
