package gateway

import (
	"errors"
	"unicode/utf16"
	"unicode/utf8"
)

var (
	errParseCommand  = errors.New("ERR failed to parse command")
	errParsePipeline = errors.New("ERR failed to parse pipeline request")
	errEmptyCommand  = errors.New("ERR empty command")
	errEmptyPipeline = errors.New("ERR empty pipeline request")
	errEmptyRow      = errors.New("ERR empty pipeline command")
	errNullArgument  = errors.New("ERR null args are not supported")
	errMaxPipeline   = errors.New("ERR max pipeline size exceeded")
)

// parser reads JSON commands. It knows the part of JSON that they are made of:
// arrays of strings, numbers, booleans and nulls. It does not recurse, and
// allocates for a whole request, not for each argument: what arguments decode to
// is collected in text.
type parser struct {
	src  []byte
	at   int
	text []byte
	ends []int  // of each argument in text
	rows []span // of each command in ends
}

// span is a command's part of the arguments.
type span struct {
	end  int // of its arguments
	null bool
}

func (p *parser) reset(src []byte) {
	p.src, p.at = src, 0
	p.text, p.ends, p.rows = p.text[:0], p.ends[:0], p.rows[:0]
}

// command reads one array and nothing after it.
func (p *parser) command() error {
	if !p.row() || !p.end() {
		return errParseCommand
	}
	switch {
	case p.rows[0].null:
		return errNullArgument
	case len(p.ends) == 0:
		return errEmptyCommand
	}
	return nil
}

// pipeline reads an array of at most so many arrays.
func (p *parser) pipeline(most int) error {
	if !p.open() {
		return errParsePipeline
	}
	if p.peek() == ']' {
		p.at++
		if !p.end() {
			return errParsePipeline
		}
		return errEmptyPipeline
	}
	for {
		if len(p.rows) == most {
			return errMaxPipeline
		}
		if !p.row() {
			return errParsePipeline
		}
		switch p.peek() {
		case ',':
			p.at++
		case ']':
			p.at++
			if !p.end() {
				return errParsePipeline
			}
			return nil
		default:
			return errParsePipeline
		}
	}
}

// row reads one array of scalars.
func (p *parser) row() bool {
	if !p.open() {
		return false
	}
	null := false
	if p.peek() == ']' {
		p.at++
		p.rows = append(p.rows, span{end: len(p.ends)})
		return true
	}
	for {
		ok := false
		switch c := p.peek(); {
		case c == '"':
			ok = p.str()
		case c == '-' || c >= '0' && c <= '9':
			ok = p.number()
		case c == 't':
			ok = p.word("true")
		case c == 'f':
			ok = p.word("false")
		case c == 'n':
			ok = p.word("null")
			null = true
		}
		if !ok {
			return false
		}
		p.ends = append(p.ends, len(p.text))
		switch p.peek() {
		case ',':
			p.at++
		case ']':
			p.at++
			p.rows = append(p.rows, span{len(p.ends), null})
			return true
		default:
			return false
		}
	}
}

// peek skips white space and returns the next byte, or 0 at the end.
func (p *parser) peek() byte {
	for ; p.at < len(p.src); p.at++ {
		switch c := p.src[p.at]; c {
		case ' ', '\t', '\r', '\n':
		default:
			return c
		}
	}
	return 0
}

func (p *parser) open() bool {
	if p.peek() != '[' {
		return false
	}
	p.at++
	return true
}

// end tells whether nothing but white space follows.
func (p *parser) end() bool {
	p.peek()
	return p.at == len(p.src)
}

func (p *parser) word(w string) bool {
	if len(p.src)-p.at < len(w) || string(p.src[p.at:p.at+len(w)]) != w {
		return false
	}
	p.text = append(p.text, w...)
	p.at += len(w)
	return true
}

// number keeps the literal text: large numbers are not to lose digits.
func (p *parser) number() bool {
	start := p.at
	if p.src[p.at] == '-' {
		p.at++
	}
	first := p.at
	digits := p.digits()
	if digits == 0 || digits > 1 && p.src[first] == '0' {
		return false
	}
	if p.at < len(p.src) && p.src[p.at] == '.' {
		p.at++
		if p.digits() == 0 {
			return false
		}
	}
	if p.at < len(p.src) && (p.src[p.at]|0x20) == 'e' {
		p.at++
		if p.at < len(p.src) && (p.src[p.at] == '+' || p.src[p.at] == '-') {
			p.at++
		}
		if p.digits() == 0 {
			return false
		}
	}
	p.text = append(p.text, p.src[start:p.at]...)
	return true
}

func (p *parser) digits() int {
	start := p.at
	for p.at < len(p.src) && p.src[p.at] >= '0' && p.src[p.at] <= '9' {
		p.at++
	}
	return p.at - start
}

// str reads a string. Bytes that are not UTF-8 are taken as they are.
func (p *parser) str() bool {
	p.at++
	start := p.at
	for p.at < len(p.src) {
		switch c := p.src[p.at]; {
		case c == '"':
			p.text = append(p.text, p.src[start:p.at]...)
			p.at++
			return true
		case c == '\\':
			p.text = append(p.text, p.src[start:p.at]...)
			if !p.escape() {
				return false
			}
			start = p.at
		case c < ' ':
			return false
		default:
			p.at++
		}
	}
	return false
}

func (p *parser) escape() bool {
	p.at++
	if p.at == len(p.src) {
		return false
	}
	c := p.src[p.at]
	p.at++
	switch c {
	case '"', '\\', '/':
	case 'b':
		c = '\b'
	case 'f':
		c = '\f'
	case 'n':
		c = '\n'
	case 'r':
		c = '\r'
	case 't':
		c = '\t'
	case 'u':
		return p.codeUnit()
	default:
		return false
	}
	p.text = append(p.text, c)
	return true
}

// codeUnit reads what follows \u. A surrogate without its partner becomes U+FFFD.
func (p *parser) codeUnit() bool {
	r, ok := p.hex()
	if !ok {
		return false
	}
	if utf16.IsSurrogate(r) {
		first := r
		r = utf8.RuneError
		if p.at+1 < len(p.src) && p.src[p.at] == '\\' && p.src[p.at+1] == 'u' {
			back := p.at
			p.at += 2
			second, ok := p.hex()
			if !ok {
				return false
			}
			if r = utf16.DecodeRune(first, second); r == utf8.RuneError {
				p.at = back
			}
		}
	}
	p.text = utf8.AppendRune(p.text, r)
	return true
}

func (p *parser) hex() (r rune, ok bool) {
	if len(p.src)-p.at < 4 {
		return 0, false
	}
	for _, c := range p.src[p.at : p.at+4] {
		switch {
		case c >= '0' && c <= '9':
			c -= '0'
		case c >= 'a' && c <= 'f':
			c -= 'a' - 10
		case c >= 'A' && c <= 'F':
			c -= 'A' - 10
		default:
			return 0, false
		}
		r = r<<4 | rune(c)
	}
	p.at += 4
	return r, true
}

// args makes the arguments of all commands: two allocations in all.
func (p *parser) args() []string {
	text := string(p.text)
	args := make([]string, len(p.ends))
	start := 0
	for i, end := range p.ends {
		args[i] = text[start:end]
		start = end
	}
	return args
}
