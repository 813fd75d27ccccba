package event

import (
	"context"
	"crypto/sha256"
	_ "embed"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/larder-go/larder/conn"
	"github.com/larder-go/larder/observe"
)

//go:embed lua/publish.lua
var publishLua string

var publishScript = conn.NewScript(publishLua)

// DefaultEvent is the event of messages that were published without Named.
const DefaultEvent = "message"

const (
	maxEventBytes = 200
	maxOnceBytes  = 512
)

var (
	errEncode      = errors.New("the message cannot be encoded as JSON")
	errNotToGlob   = optionError("Options.Pattern", true, "false to publish")
	errOnceDurable = optionError("Once", "set", "only where Options.Durable is")
	errNamed       = optionError("Named", "set", "only where Options.Durable is")
)

// PublishOption is a setting of one Publish.
type PublishOption func(*publication) error

// publication is what the options of one Publish say.
type publication struct {
	event, once string
}

// Once gives a message an idempotency key: a further Publish to the same topic with
// the same key within Options.OnceWindow publishes nothing and returns the id of the
// first. So a Publish can be repeated after an error. 1 to 512 bytes; durable topics
// only.
func Once(key string) PublishOption {
	return func(p *publication) error {
		if key == "" || len(key) > maxOnceBytes {
			return optionError("the length of the key of Once", len(key), fmt.Sprintf("1 to %d bytes", maxOnceBytes))
		}
		p.once = key
		return nil
	}
}

// Named gives a message an event, which subscribers find in Message.Event and
// browsers in the type of the event. Up to 200 bytes without control characters;
// durable topics only. The default is DefaultEvent.
func Named(event string) PublishOption {
	return func(p *publication) error {
		if event == "" || len(event) > maxEventBytes || strings.ContainsFunc(event, func(r rune) bool { return r < ' ' || r == 0x7f }) {
			return optionError("the event of Named", fmt.Sprintf("of %d bytes", len(event)),
				fmt.Sprintf("1 to %d bytes without control characters", maxEventBytes))
		}
		p.event = event
		return nil
	}
}

// Publish sends a message to all subscribers. Where the topic is durable it returns
// the message's id, which is higher than that of all messages before it, and has
// stored the message; otherwise "".
func (t *Topic[T]) Publish(ctx context.Context, message T, options ...PublishOption) (id string, err error) {
	const op = "publish"
	p := publication{event: DefaultEvent}
	for _, option := range options {
		if err := option(&p); err != nil {
			return "", err
		}
	}
	h := t.hub
	switch {
	case h.isClosed():
		return "", ErrClosed
	case h.opt.Pattern:
		return "", errNotToGlob
	case p.once != "" && !h.opt.Durable:
		return "", errOnceDurable
	case p.event != DefaultEvent && !h.opt.Durable:
		return "", errNamed
	}
	data, err := json.Marshal(message)
	if err != nil {
		return "", &Error{Op: op, Err: errEncode}
	}
	if len(data) > h.opt.MaxBytes {
		return "", &Error{Op: op, Err: ErrTooLarge}
	}
	ctx, end := observe.OrNobody(h.opt.Observer).Begin(ctx, observe.Operation{Kind: observe.Topic, Name: h.name, Verb: verbPublish})
	defer func() { end(err) }()
	if h.opt.Durable {
		id, err = h.append(ctx, string(data), p)
	} else {
		_, err = h.conn.Do(ctx, h.publishing(string(data)))
	}
	if err != nil {
		return "", failed(op, err)
	}
	h.published.Add(1)
	return id, nil
}

// publishing is the command that publishes on the channel.
func (h *hub) publishing(payload string) conn.Command {
	if h.sharded {
		return conn.Key("SPUBLISH", h.name, payload)
	}
	return conn.Cmd("PUBLISH", h.name, payload)
}

// append stores and announces a message, in the form of @upstash/realtime.
func (h *hub) append(ctx context.Context, data string, p publication) (string, error) {
	keys := []string{h.name}
	if p.once != "" {
		sum := sha256.Sum256([]byte(h.name + "\x00" + p.once))
		keys = append(keys, "{"+slotTag(h.name)+"}:once:"+hex.EncodeToString(sum[:]))
	}
	channel, _ := json.Marshal(h.name) // a string
	name, _ := json.Marshal(p.event)   // a string
	payload := `{"data":` + data + `,"event":` + string(name) + `,"channel":` + string(channel) + `,"id":"`
	verb := h.publishing("").Name()
	v, err := h.conn.Eval(ctx, publishScript, keys, []string{
		data, p.event, h.name, strconv.Itoa(h.opt.MaxLen), millis(h.opt.Retention), verb, payload, millis(h.opt.OnceWindow),
	})
	return v.Str, err
}
