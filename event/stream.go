package event

import (
	"cmp"
	"context"
	"errors"
	"strconv"
	"strings"
	"time"

	"github.com/larder-go/larder/conn"
)

var (
	errNoData = errors.New("event: the entry of the stream has no field named data")
	errReply  = errors.New("event: the stream's reply has an unexpected form")
)

// received is one message as it came.
type received struct {
	id                   streamID // durable only
	channel, event, data string
	whole                bool // there is data
}

// streamID is the id of an entry of a stream.
type streamID struct{ ms, seq uint64 }

func (a streamID) String() string {
	return strconv.FormatUint(a.ms, 10) + "-" + strconv.FormatUint(a.seq, 10)
}

func (a streamID) compare(b streamID) int {
	return cmp.Or(cmp.Compare(a.ms, b.ms), cmp.Compare(a.seq, b.seq))
}

// parseID takes ids as Redis writes them, and milliseconds alone.
func parseID(s string) (id streamID, ok bool) {
	ms, seq, both := strings.Cut(s, "-")
	id.ms, ok = number(ms)
	if both && ok {
		id.seq, ok = number(seq)
	}
	return id, ok
}

func number(s string) (uint64, bool) {
	n, err := strconv.ParseUint(s, 10, 64)
	return n, err == nil
}

// batch is how many entries are read at once.
func (h *hub) batch() int { return min(h.opt.Buffer, 256) }

// read returns entries after an id. whole is false where that id is not in the
// stream any more, so that entries between it and the first one may be missing.
func (h *hub) read(ctx context.Context, after streamID) (list []received, whole bool, err error) {
	cmds := []conn.Command{conn.Key("XRANGE", h.name, "("+after.String(), "+", "COUNT", strconv.Itoa(h.batch()))}
	if after != (streamID{}) {
		// After the entries: what is still there now was there when they were read.
		cmds = append(cmds, conn.Key("XRANGE", h.name, after.String(), after.String(), "COUNT", "1"))
	}
	results := h.conn.Pipeline(ctx, cmds...)
	for _, r := range results {
		if r.Err != nil {
			return nil, false, r.Err
		}
	}
	list, err = parseEntries(h.name, results[0].Value)
	return list, len(results) == 1 || len(results[1].Value.Elems) == 1, err
}

// tip returns the id of the last entry, the zero id if there is none.
func (h *hub) tip(ctx context.Context) (streamID, error) {
	v, err := h.conn.Do(ctx, conn.Key("XREVRANGE", h.name, "+", "-", "COUNT", "1"))
	if err != nil {
		return streamID{}, err
	}
	list, err := parseEntries(h.name, v)
	if err != nil || len(list) == 0 {
		return streamID{}, err
	}
	return list[0].id, nil
}

func parseEntries(name string, v conn.Value) ([]received, error) {
	out := make([]received, 0, len(v.Elems))
	for _, e := range v.Elems {
		if len(e.Elems) != 2 {
			return nil, errReply
		}
		id, ok := parseID(e.Elems[0].Str)
		if !ok {
			return nil, errReply
		}
		r := received{id: id, channel: name, event: DefaultEvent}
		fields := e.Elems[1].Elems
		for i := 0; i+1 < len(fields); i += 2 {
			switch fields[i].Str {
			case "data":
				r.data, r.whole = fields[i+1].Str, true
			case "event":
				r.event = fields[i+1].Str
			}
		}
		out = append(out, r)
	}
	return out, nil
}

// follow reads the stream whenever it may have grown, for all feeds that are not
// behind.
func (p *pump) follow(ctx context.Context) {
	poll := time.NewTicker(p.hub.opt.Poll)
	defer poll.Stop()
	for tries := 0; ; {
		select {
		case <-p.wake:
		case <-poll.C:
			// Where it is not live the stream is read as soon as it is.
			if !p.isLive() {
				continue
			}
		case <-ctx.Done():
			return
		}
		for {
			err := p.advance(ctx)
			if err == nil {
				tries = 0
				break
			}
			p.hub.opt.Logger.WarnContext(ctx, "event: the stream cannot be read, it is tried again", "error", err)
			if !pause(ctx, backoff(tries)) {
				return
			}
			tries++
		}
	}
}

// advance hands over what the stream has and the feeds have not.
func (p *pump) advance(ctx context.Context) error {
	last, attempt, reconnected, err := p.position(ctx)
	if err != nil {
		return err
	}
	for {
		list, whole, err := p.hub.read(ctx, last)
		if err != nil {
			return err
		}
		if !whole {
			again := false
			if last, again, err = p.lostSight(ctx, last, len(list) > 0, reconnected); err != nil {
				return err
			}
			if again {
				continue
			}
		}
		for _, r := range list {
			last = r.id
			p.hub.received.Add(1)
			p.hub.mu.Lock()
			feeds := p.feeds
			p.last = r.id // who attaches from here on gets what follows
			p.hub.mu.Unlock()
			p.deliver(ctx, feeds, r)
		}
		if len(list) < p.hub.batch() {
			break
		}
	}
	p.hub.mu.Lock()
	defer p.hub.mu.Unlock()
	if attempt == p.attempt && attempt == p.confirmation {
		p.reconnected = false
		p.upLocked()
	}
	return nil
}

// position returns the last id that the feeds were given, the number of the present
// attempt to subscribe if that has been confirmed, and whether the connection was
// lost since the stream was last read to its end.
func (p *pump) position(ctx context.Context) (last streamID, attempt int, reconnected bool, err error) {
	h := p.hub
	h.mu.Lock()
	last, known := p.last, p.known
	attempt, reconnected = p.confirmation, p.reconnected
	h.mu.Unlock()
	if known {
		return last, attempt, reconnected, nil
	}
	if last, err = h.tip(ctx); err != nil {
		return last, attempt, false, err
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	p.last, p.known = last, true
	return last, attempt, false, nil
}

// lostSight finds out what it means that the last entry is no longer in the stream;
// more says that there are later ones. Where the stream has to be read again it
// says from where.
func (p *pump) lostSight(ctx context.Context, last streamID, more, reconnected bool) (from streamID, again bool, err error) {
	h := p.hub
	gap := more // some of those between may have been trimmed
	if !more {
		tip, err := h.tip(ctx)
		if err != nil {
			return last, false, err
		}
		switch {
		case tip == (streamID{}):
			// It has expired, which nobody has missed anything by; or the server
			// came back without it.
			from, gap = tip, reconnected
		case tip.compare(last) < 0:
			// The server came back with less, by a clock that is behind: all that
			// there is now is new to us, or has been before.
			from, again, gap = streamID{}, true, true
		default:
			return last, true, nil // it has grown meanwhile
		}
	} else {
		from = last
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	p.last = from
	for _, f := range p.feeds {
		if from != last {
			f.rewind()
		}
		if gap {
			f.gap(GapError{Reason: Trimmed})
		}
	}
	return from, again, nil
}
