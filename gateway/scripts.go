package gateway

import (
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/larder-go/larder/conn"
)

const (
	// maxScripts and maxScriptBytes bound the scripts that are remembered under
	// the digest of a text that the server does not accept. A forgotten one is
	// answered with NOSCRIPT, upon which clients send the text again.
	maxScripts     = 1000
	maxScriptBytes = 16 << 20

	keyLocking  = "allow-key-locking"
	textNotBusy = "NOTBUSY No scripts in execution right now."
)

// scripts remembers scripts whose first line asks for allow-key-locking, which
// is Upstash's own flag: servers are given the text without it, clients go on
// naming the digest of what they wrote. It is independent of the connection, so
// that a restarted server changes nothing.
type scripts struct {
	known atomic.Int64 // len(texts), to be read without the lock

	mu    sync.Mutex // protects the following
	texts map[string]string
	order []string // digests, the oldest first
	bytes int
}

// text returns what stands for a digest.
func (s *scripts) text(digest string) (string, bool) {
	if s.known.Load() == 0 {
		return "", false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	text, ok := s.texts[strings.ToLower(digest)]
	return text, ok
}

func (s *scripts) remember(digest, text string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, ok := s.texts[digest]; ok || len(text) > maxScriptBytes {
		return
	}
	if s.texts == nil {
		s.texts = make(map[string]string)
	}
	s.texts[digest] = text
	s.order = append(s.order, digest)
	s.bytes += len(text)
	for len(s.order) > maxScripts || s.bytes > maxScriptBytes {
		s.bytes -= len(s.texts[s.order[0]])
		delete(s.texts, s.order[0])
		s.order = s.order[1:]
	}
	s.known.Store(int64(len(s.texts)))
}

func (s *scripts) forget() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.texts, s.order, s.bytes = nil, nil, 0
	s.known.Store(0)
}

// withoutKeyLocking takes the flag off the first line of a script and tells
// whether it was there.
func withoutKeyLocking(text string) (stripped string, found bool) {
	if !strings.HasPrefix(text, "#!") {
		return text, false
	}
	line, rest, _ := strings.Cut(text, "\n")
	words := strings.Fields(line)
	for i, w := range words {
		list, ok := strings.CutPrefix(w, "flags=")
		if !ok {
			continue
		}
		flags := strings.Split(list, ",")
		kept := slices.DeleteFunc(flags, func(f string) bool { return f == keyLocking })
		if len(kept) == len(flags) {
			continue
		}
		found = true
		words[i] = ""
		if len(kept) > 0 {
			words[i] = "flags=" + strings.Join(kept, ",")
		}
	}
	if !found {
		return text, false
	}
	return strings.TrimRight(strings.Join(words, " "), " ") + "\n" + rest, true
}

// accepted is text as the server accepts it, remembered if that is another one.
func (g *Gateway) accepted(text string) (stripped, digest string, changed bool) {
	stripped, changed = withoutKeyLocking(text)
	if !changed {
		return text, "", false
	}
	digest = conn.NewScript(text).Digest()
	if g.noShebang { // the line stays, for the numbers of the others
		_, rest, _ := strings.Cut(stripped, "\n")
		stripped = "\n" + rest
	}
	g.scripts.remember(digest, stripped)
	return stripped, digest, true
}

func prepareEval(p *planner, r *row) {
	if text, _, changed := p.g.accepted(r.args[1]); changed {
		r.args = slices.Clone(r.args)
		r.args[1] = text
	}
}

// prepareEvalSHA sends the text of a script that the server knows by another
// digest: that works in every order, in transactions and after a restart.
func prepareEvalSHA(p *planner, r *row) {
	text, ok := p.g.scripts.text(r.args[1])
	if !ok {
		return
	}
	r.args = slices.Clone(r.args)
	r.args[0] = strings.Replace(r.args[0], "SHA", "", 1)
	r.args[1] = text
}

func prepareScript(p *planner, r *row) {
	if len(r.args) < 2 {
		r.fail(wrongArity("script"))
		return
	}
	switch sub := strings.ToUpper(r.args[1]); {
	case sub == "KILL" && len(r.args) == 2:
		r.fail(&conn.ServerError{Text: textNotBusy})
	case sub == "LOAD" && len(r.args) == 3:
		prepareScriptLoad(p, r)
	case sub == "EXISTS" && len(r.args) > 2:
		prepareScriptExists(p, r)
	case sub == "FLUSH" && len(r.args) <= 3:
		p.g.scripts.forget()
		p.everywhere(r, sameEverywhere)
	case sub == "LOAD", sub == "EXISTS", sub == "FLUSH", sub == "KILL":
		r.fail(wrongArity("script|" + strings.ToLower(sub)))
	default:
		r.fail(notAvailable("SCRIPT " + r.args[1]))
	}
}

func prepareScriptLoad(p *planner, r *row) {
	if text, digest, changed := p.g.accepted(r.args[2]); changed {
		r.args = slices.Clone(r.args)
		r.args[2] = text
		r.differ().finish = func(v conn.Value, err error) (conn.Value, error) {
			if err == nil {
				v = conn.Value{Kind: conn.Bulk, Str: digest}
			}
			return v, err
		}
	}
	p.everywhere(r, sameEverywhere)
}

func prepareScriptExists(p *planner, r *row) {
	p.everywhere(r, func(replies []conn.Value) conn.Value {
		all := replies[0]
		for _, v := range replies[1:] {
			for i := range min(len(all.Elems), len(v.Elems)) {
				all.Elems[i].Int &= v.Elems[i].Int
			}
		}
		return all
	})
	digests, s := r.args[2:], &p.g.scripts
	if s.known.Load() == 0 {
		return
	}
	r.differ().finish = func(v conn.Value, err error) (conn.Value, error) {
		for i, digest := range digests {
			if _, ok := s.text(digest); ok && err == nil && i < len(v.Elems) {
				v.Elems[i].Int = 1
			}
		}
		return v, err
	}
}
