package session

import (
	"encoding/base64"
	"encoding/json"
	"strconv"
	"strings"
	"time"

	"github.com/larder-go/larder/internal/sealing"
)

// envelope is a session as it lies in Redis:
//
//	{"rev":"…","gen":"…","created":…,"expires":…,"user":"…","data":…}
//
// in exactly this order, as the scripts read its beginning. With encryption the
// last member is "sealed", in base64. docs/session.md is the description for others.
type envelope struct {
	rev, gen         string
	created, expires int64 // Unix milliseconds of Redis
	user             string
	data             string // JSON
}

// encode returns the whole session.
func (e envelope) encode(sealer sealer, hash string) string {
	b := make([]byte, 0, 128+len(e.user)+len(e.data))
	b = append(append(b, `{"rev":"`...), e.rev...)
	b = append(append(b, `","gen":"`...), e.gen...)
	b = strconv.AppendInt(append(b, `","created":`...), e.created, 10)
	b = strconv.AppendInt(append(b, `,"expires":`...), e.expires, 10)
	return string(e.appendTail(append(b, ','), sealer, hash))
}

// tail returns what follows after the members that the script of Create writes.
func (e envelope) tail(sealer sealer, hash string) string {
	return string(e.appendTail(nil, sealer, hash))
}

func (e envelope) appendTail(b []byte, sealer sealer, hash string) []byte {
	user, _ := json.Marshal(e.user) // a string
	b = append(append(b, `"user":`...), user...)
	if len(sealer) == 0 {
		b = append(append(b, `,"data":`...), e.data...)
		return append(b, '}')
	}
	b = append(b, `,"sealed":"`...)
	b = base64.StdEncoding.AppendEncode(b, sealer.seal(e.data, hash, e.user))
	return append(b, '"', '}')
}

// parseEnvelope is the inverse of encode; anything else is not ok. The data may
// be any text still.
func parseEnvelope(raw string, sealer sealer, hash string) (e envelope, ok bool) {
	p := parser{raw, true}
	p.skip(`{"rev":"`)
	e.rev = p.until('"')
	p.skip(`,"gen":"`)
	e.gen = p.until('"')
	p.skip(`,"created":`)
	e.created = p.integer()
	p.skip(`"expires":`)
	e.expires = p.integer()
	p.skip(`"user":`)
	e.user = p.text()
	if !p.ok || !strings.HasSuffix(p.rest, "}") {
		return e, false
	}
	p.rest = p.rest[:len(p.rest)-1]
	if data, plain := strings.CutPrefix(p.rest, `,"data":`); plain {
		// With keys, data in clear is not accepted: whoever can write to Redis
		// could put it there.
		e.data = data
		return e, len(sealer) == 0
	}
	p.skip(`,"sealed":"`)
	text := p.until('"')
	if !p.ok || p.rest != "" {
		return e, false
	}
	sealed, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		return e, false
	}
	e.data, ok = sealer.open(sealed, hash, e.user)
	return e, ok
}

// parser takes a text apart from its beginning.
type parser struct {
	rest string
	ok   bool
}

func (p *parser) skip(s string) {
	rest, ok := strings.CutPrefix(p.rest, s)
	p.rest, p.ok = rest, p.ok && ok
}

func (p *parser) until(end byte) string {
	s, rest, ok := strings.Cut(p.rest, string(end))
	p.rest, p.ok = rest, p.ok && ok
	return s
}

func (p *parser) integer() int64 {
	n, err := strconv.ParseInt(p.until(','), 10, 64)
	p.ok = p.ok && err == nil && n > 0
	return n
}

// text takes a JSON string.
func (p *parser) text() (s string) {
	if !strings.HasPrefix(p.rest, `"`) {
		p.ok = false
		return ""
	}
	for i := 1; i < len(p.rest); i++ {
		switch p.rest[i] {
		case '\\':
			i++
		case '"':
			quoted := p.rest[:i+1]
			p.rest = p.rest[i+1:]
			if !strings.Contains(quoted, `\`) {
				return quoted[1:i]
			}
			p.ok = p.ok && json.Unmarshal([]byte(quoted), &s) == nil
			return s
		}
	}
	p.ok = false
	return ""
}

// sealer encrypts data, bound to its session and user: it does not pass for the
// data of another one. Without keys it is not used.
type sealer []*sealing.Key

func newSealer(keys []Key) sealer {
	s := make(sealer, len(keys))
	for i, k := range keys {
		s[i] = k.key
	}
	return s
}

func (s sealer) ring(hash, user string) *sealing.Ring {
	return sealing.NewRing([]byte("larder session\x00"+hash+user), s...)
}

func (s sealer) seal(data, hash, user string) []byte {
	r := s.ring(hash, user)
	b := r.Reserve(make([]byte, 0, len(data)+sealing.Overhead+sealing.MaxIDBytes))
	return r.Seal(append(b, data...), 0)
}

func (s sealer) open(sealed []byte, hash, user string) (string, bool) {
	if len(s) == 0 {
		return "", false
	}
	data, err := s.ring(hash, user).Open(sealed)
	return string(data), err == nil
}

// moment converts a time of Redis.
func moment(ms int64) time.Time { return time.UnixMilli(ms) }
