package gateway

import (
	"context"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// exchange is one request and its response.
type exchange struct {
	g    *Gateway
	w    http.ResponseWriter
	r    *http.Request
	role role

	encoded bool // strings as base64
	resp    bool // RESP2 in place of JSON

	// For the access log:
	begun    time.Time
	endpoint endpoint
	commands int
	status   int
	written  int
}

// The header values that are the same in many responses; never changed.
var (
	typeJSON = []string{"application/json"}
	typeRESP = []string{"application/octet-stream"}
)

// The names are in the form that http.Header has them in.
const (
	headerEncoding = "Upstash-Encoding"
	headerFormat   = "Upstash-Response-Format"
	headerSync     = "Upstash-Sync-Token"
)

// format reads in which form the client wants its answer.
func (x *exchange) format() bool {
	if h := x.r.Header[headerEncoding]; len(h) > 0 {
		x.encoded = strings.EqualFold(h[0], "base64")
	}
	if h := x.r.Header[headerFormat]; len(h) > 0 {
		switch strings.ToLower(h[0]) {
		case "", "json":
		case "resp2":
			x.resp = true
		default:
			x.refuse(http.StatusBadRequest, "ERR unsupported response format: json and resp2 are known")
			return false
		}
	}
	if x.resp && x.encoded && x.r.URL.Path != "/multi-exec" {
		x.refuse(http.StatusBadRequest, "ERR the response format resp2 can not be combined with the encoding base64")
		return false
	}
	return true
}

// refuse answers with an error that no command caused.
func (x *exchange) refuse(status int, text string) {
	x.resp = false
	x.send(status, appendError(nil, text))
}

func (x *exchange) send(status int, body []byte) {
	h := x.w.Header()
	if h["Content-Type"] = typeJSON; x.resp {
		h["Content-Type"] = typeRESP
	}
	h[headerSync] = []string{x.g.syncToken()}
	// A client that does not read would otherwise hold the goroutine for ever. A
	// body that was refused unread takes its time before the answer is written.
	_ = http.NewResponseController(x.w).SetWriteDeadline(time.Now().Add(2 * x.g.opts.BodyTimeout))
	if len(body) >= 1024 { // shorter ones get it by themselves
		h["Content-Length"] = []string{strconv.Itoa(len(body))}
	}
	x.status, x.written = status, len(body)
	x.w.WriteHeader(status)
	_, _ = x.w.Write(body)
}

// syncToken is new for every response: clients send it back to read their own
// writes, which all reads here do.
func (g *Gateway) syncToken() string {
	var b [32]byte
	return string(strconv.AppendUint(append(b[:0], g.life...), g.sync.Add(1), 36))
}

// context is the request's, bounded by the time that Redis may take.
func (x *exchange) context() context.Context { return x.g.deadlines.Context(x.r.Context()) }

// command answers POST /.
func (x *exchange) command() {
	x.endpoint = toCommand
	s := borrow()
	defer s.giveBack()
	if err := x.g.readBody(x.w, x.r, s); err != nil {
		x.failed(err)
		return
	}
	s.parser.reset(s.body)
	if err := s.parser.command(); err != nil {
		x.failed(err)
		return
	}
	x.one(s, s.parser.args())
}

// path answers a command whose arguments are the path's segments.
func (x *exchange) path(path string) {
	x.endpoint = toPath
	args, err := pathArgs(path)
	if err != nil {
		x.failed(err)
		return
	}
	s := borrow()
	defer s.giveBack()
	if err := x.g.readBody(x.w, x.r, s); err != nil {
		x.failed(err)
		return
	}
	if len(s.body) > 0 {
		args = append(args, string(s.body))
	}
	if x.r.URL.RawQuery != "" {
		if args, err = queryArgs(args, x.r.URL.RawQuery); err != nil {
			x.failed(err)
			return
		}
	}
	x.one(s, args)
}

// one executes a single command.
func (x *exchange) one(s *scratch, args []string) {
	x.commands = 1
	x.g.counters.commands.Add(1)
	s.rows = append(s.rows[:0], row{args: args})
	r := &s.rows[0]
	ctx := x.context()
	p := planner{g: x.g, role: x.role}
	if p.plan(ctx, r); !r.settled() {
		x.g.execute(ctx, s, s.rows)
	}
	s.out = s.out[:0]
	if x.resp {
		s.out = appendRESP(s.out, r)
	} else {
		s.out = x.g.appendItem(s.out, r, x.encoded)
	}
	x.g.countRow(r)
	status := http.StatusOK
	if r.res.Err != nil {
		_, status = explain(r.res.Err)
	}
	x.send(status, s.out)
}

// rows reads the commands of a pipeline.
func (x *exchange) rows(s *scratch) error {
	if err := x.g.readBody(x.w, x.r, s); err != nil {
		return err
	}
	p := &s.parser
	p.reset(s.body)
	if err := p.pipeline(x.g.opts.MaxPipeline); err != nil {
		return err
	}
	args := p.args()
	s.rows = slices.Grow(s.rows[:0], len(p.rows))[:len(p.rows)] // giveBack has cleared them
	start := 0
	for i, sp := range p.rows {
		s.rows[i].args, s.rows[i].null = args[start:sp.end:sp.end], sp.null
		start = sp.end
	}
	x.commands = len(s.rows)
	x.g.counters.commands.Add(uint64(len(s.rows)))
	return nil
}

// pipeline answers POST /pipeline.
func (x *exchange) pipeline() {
	x.endpoint = toPipeline
	s := borrow()
	defer s.giveBack()
	if err := x.rows(s); err != nil {
		x.failed(err)
		return
	}
	ctx := x.context()
	p := planner{g: x.g, role: x.role}
	for i := range s.rows {
		p.plan(ctx, &s.rows[i])
	}
	x.g.execute(ctx, s, s.rows)
	x.items(s)
}

// multi answers POST /multi-exec.
func (x *exchange) multi() {
	x.endpoint, x.resp = toMulti, false
	s := borrow()
	defer s.giveBack()
	if err := x.rows(s); err != nil {
		x.failed(err)
		return
	}
	ctx := x.context()
	p := planner{g: x.g, role: x.role, atomic: true, slot: -1}
	for i := range s.rows {
		r := &s.rows[i]
		if p.plan(ctx, r); r.settled() && r.res.Err != nil {
			x.failed(r.res.Err)
			return
		}
	}
	if err := x.g.transact(ctx, s.rows); err != nil {
		x.failed(err)
		return
	}
	x.items(s)
}

// items answers with the replies of all rows.
func (x *exchange) items(s *scratch) {
	for i := range s.rows {
		x.g.countRow(&s.rows[i])
	}
	b := s.out[:0]
	if x.resp {
		for i := range s.rows {
			b = appendRESP(b, &s.rows[i])
		}
	} else {
		b = append(b, '[')
		for i := range s.rows {
			if i > 0 {
				b = append(b, ',')
			}
			b = x.g.appendItem(b, &s.rows[i], x.encoded)
		}
		b = append(b, ']')
	}
	s.out = b
	x.send(http.StatusOK, b)
}

// failed answers with an error in the client's format.
func (x *exchange) failed(err error) {
	text, status := explain(err)
	if x.resp {
		x.send(status, appendRESPError(nil, text))
		return
	}
	x.send(status, appendError(nil, text))
}
