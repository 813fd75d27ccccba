package strategy

import (
	"context"
	"crypto/sha256"
	_ "embed"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/larder-go/larder/conn"
)

// The keys of the registry lie in one slot of a cluster.
const (
	setsKey      = "{larder:strategy}:sets"
	processesKey = "{larder:strategy}:processes"
	setPrefix    = "{larder:strategy}:set:"
)

// What Redis may hold of all services together.
const (
	maxSets      = 1000
	maxProcesses = 10_000
)

var (
	//go:embed lua/publish.lua
	publishLua string
	//go:embed lua/list.lua
	listLua string

	publishScript = conn.NewScript(publishLua)
	listScript    = conn.NewScript(listLua)
)

// Conn is what is needed of a connection; every conn.Conn has it.
type Conn interface {
	conn.Doer
	conn.Pipeliner
	conn.Evaler
}

var _ Conn = conn.Conn(nil)

// format numbers the form of a set in Redis.
const format = 1

// set is what one version of a service declares, as it stands in Redis. Processes that
// declare the same share one.
type set struct {
	Format       int           `json:"format"`
	Service      string        `json:"service"`
	Version      string        `json:"version"`
	Convention   Convention    `json:"convention"`
	Declarations []Declaration `json:"declarations"`
}

// encode returns the set's text and its digest, which names it.
func (s set) encode() (body, digest string, err error) {
	b, err := json.Marshal(s)
	if err != nil {
		return "", "", fmt.Errorf("strategy: encode the declarations: %w", err)
	}
	sum := sha256.Sum256(b)
	return string(b), hex.EncodeToString(sum[:16]), nil
}

// publication is what a process tells Redis.
type publication struct {
	digest, body  string
	process, last string // last is the digest that it told before
	alive, keep   time.Duration
}

// send stores a set, or renews it where Redis has it already; sending the text each time
// would be the greater part of the traffic.
func (p publication) send(ctx context.Context, c conn.Evaler) error {
	bodies := []string{p.body}
	if p.last == p.digest {
		bodies = []string{"", p.body}
	}
	millis := func(d time.Duration) string { return strconv.FormatInt(d.Milliseconds(), 10) }
	for _, body := range bodies {
		v, err := c.Eval(ctx, publishScript, []string{setsKey, processesKey, setPrefix + p.digest}, []string{
			p.digest, p.process, body, millis(p.alive), millis(p.keep),
			strconv.Itoa(maxSets), strconv.Itoa(maxProcesses), p.last,
		})
		if err != nil {
			return fmt.Errorf("strategy: publish: %w", err)
		}
		if v.Int == 1 {
			return nil
		}
	}
	return fmt.Errorf("strategy: publish: %w", ErrUnreadable)
}

// listing is what list.lua returns.
type listing struct {
	now       time.Time
	digests   []string
	until     map[string]time.Time // by digest
	processes map[string][]string  // by digest
}

func list(ctx context.Context, c conn.Evaler) (l listing, err error) {
	v, err := c.Eval(ctx, listScript, []string{setsKey, processesKey}, nil)
	if conn.Code(err) == "WRONGTYPE" {
		return l, fmt.Errorf("%w: %w", ErrUnreadable, err)
	}
	if err != nil {
		return l, fmt.Errorf("strategy: read: %w", err)
	}
	reply, err := v.List()
	if err != nil || len(reply) != 3 || len(reply[1].Elems)%2 != 0 {
		return l, ErrUnreadable
	}
	l = listing{until: map[string]time.Time{}, processes: map[string][]string{}}
	if l.now, err = moment(reply[0]); err != nil {
		return l, err
	}
	for pair := range slices.Chunk(reply[1].Elems, 2) {
		digest := pair[0].Str
		if l.until[digest], err = moment(pair[1]); err != nil {
			return l, err
		}
		l.digests = append(l.digests, digest)
	}
	for _, member := range reply[2].Elems {
		digest, process, _ := strings.Cut(member.Str, " ")
		l.processes[digest] = append(l.processes[digest], process)
	}
	return l, nil
}

// moment reads Unix milliseconds. Servers write scores as floating-point numbers.
func moment(v conn.Value) (time.Time, error) {
	text, err := v.Text()
	if err != nil {
		return time.Time{}, ErrUnreadable
	}
	ms, err := strconv.ParseFloat(text, 64)
	if err != nil || ms < 0 || ms > 1e15 {
		return time.Time{}, ErrUnreadable
	}
	return time.UnixMilli(int64(ms)).UTC(), nil
}
