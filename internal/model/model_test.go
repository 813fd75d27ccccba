package model_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"reflect"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/larder-go/larder/conn"
	"github.com/larder-go/larder/embedded"
	"github.com/larder-go/larder/internal/entry"
	"github.com/larder-go/larder/internal/generation"
	"github.com/larder-go/larder/internal/lease"
	"github.com/larder-go/larder/internal/model"
	"github.com/larder-go/larder/internal/redistest"
	"github.com/larder-go/larder/redisconn"
)

func TestMain(m *testing.M) { os.Exit(redistest.Run(m)) }

// collector is a connection that remembers the scripts it is asked for.
type collector struct {
	conn.Conn
	scripts map[string]*conn.Script
}

func (c collector) Eval(_ context.Context, s *conn.Script, _, _ []string) (conn.Value, error) {
	name := model.Name(s.Text())
	if strings.Contains(s.Text(), "What the scripts of generations share") {
		name = "generation " + name
	}
	c.scripts[name] = s
	return conn.Value{}, nil
}

func (c collector) Tracker() (conn.Tracker, bool) { return nil, false }

func (c collector) EvalEach(ctx context.Context, s *conn.Script, calls ...conn.ScriptCall) []conn.Result {
	_, _ = c.Eval(ctx, s, nil, nil)
	return make([]conn.Result, len(calls))
}

// scripts are all of the cache's.
func scripts(t *testing.T) map[string]*conn.Script {
	t.Helper()
	ctx := t.Context()
	c := collector{model.New(1).Connect(), map[string]*conn.Script{}}
	_, _ = lease.Acquire(ctx, c, lease.Request{})
	_, _ = lease.Fill(ctx, c, lease.Value{})
	_, _ = lease.RenewEach(ctx, c, make([]lease.HeldLease, 1), 0)
	_, _ = lease.Release(ctx, c, "", 0, lease.Ending{})
	_, _ = lease.Invalidate(ctx, c, "")
	_ = lease.Entomb(ctx, c, "", 0, 0)
	_, _ = lease.Bar(ctx, c, "", 0, 0)
	_, _ = lease.Lift(ctx, c, lease.Value{})
	_ = generation.Bump(ctx, c, "")
	_ = generation.Bar(ctx, c, 0, 0, "")
	_ = generation.Lift(ctx, c, 0, "")
	table := generation.NewTable(c, time.Hour, time.Second)
	_ = table.Capture(ctx, []*generation.Generation{table.Get("")}, make([]generation.Value, 1))
	if len(c.scripts) != 12 {
		t.Fatalf("%d scripts", len(c.scripts))
	}
	return c.scripts
}

func word(n uint64) string { return string(entry.Append(nil, entry.Header{ID: n}, nil, "")[12:20]) }

// call is one that is drawn.
type call struct {
	name, key string
	args      []string
}

// draw makes a call with few tokens and few keys, so that calls meet. Times are between
// unit and ten of it.
func draw(rng *rand.Rand, unit int64) call {
	ms := func() string { return fmt.Sprint(unit + rng.Int64N(9*unit)) }
	token := func() string { return word(1 + rng.Uint64N(3)) }
	revision := func() uint64 { return rng.Uint64N(3) }
	raw := func() string {
		flags := byte(0)
		if rng.IntN(4) == 0 {
			flags = entry.Negative
		}
		tags := []entry.Tag{{Name: "t", Generation: 7}}[:rng.IntN(2)]
		return string(entry.Append(nil, entry.Header{Flags: flags, Schema: 5, ID: 1 + rng.Uint64N(2), Namespace: 9, Revision: revision()}, tags, "")) + "payload"
	}
	key, tag := fmt.Sprint("n:", rng.IntN(2)), fmt.Sprint("~tag:", rng.IntN(2))
	switch rng.IntN(15) {
	case 0, 1, 2:
		mode := []lease.Mode{lease.Load, lease.Wait, lease.Ahead, lease.Set}[rng.IntN(4)]
		rejected := []string{"", word(1), word(2)}[rng.IntN(3)]
		if mode == lease.Ahead {
			rejected = fmt.Sprint(time.Now().UnixMilli() + rng.Int64N(5*unit))
		}
		return call{"acquire", key, []string{token(), ms(), rejected, string(mode), word(revision())}}
	case 3, 4, 5:
		return call{"fill", key, []string{token(), raw(), "5", ms(), ms()}}
	case 6:
		return call{"renew", key, []string{token(), ms()}}
	case 7:
		return call{"release", key, []string{token(), []string{"0", "-1", ms()}[rng.IntN(3)], []string{"0", ms()}[rng.IntN(2)]}}
	case 8:
		return call{"invalidate", key, nil}
	case 9:
		return call{"entomb", key, []string{word(revision()), ms()}}
	case 10:
		return call{"bar", key, []string{token(), ms(), []string{"", "1"}[rng.IntN(2)]}}
	case 11:
		return call{"lift", key, []string{token(), []string{"", raw()}[rng.IntN(2)], "5", ms(), ms()}}
	case 12:
		return call{"generation capture", tag, []string{token(), ms()}}
	case 13:
		return call{"generation bump", tag, []string{token(), ms(), []string{"0", ms()}[rng.IntN(2)], []string{"", token()}[rng.IntN(2)], "me"}}
	}
	if rng.IntN(2) == 0 {
		return call{"generation bar", tag, []string{token(), ms(), []string{"", "1"}[rng.IntN(2)]}}
	}
	return call{"generation lift", tag, []string{token(), word(8), ms(), "me"}}
}

var keys = []string{"n:0", "n:1", "~tag:0", "~tag:1"}

// In fake time the model and the engine, which runs the scripts themselves, agree on
// every answer, every byte and every expiry.
func TestModelIsWhatTheScriptsAre(t *testing.T) {
	t.Parallel()
	all := scripts(t)
	histories := 120
	if testing.Short() {
		histories = 30
	}
	seen := map[string]int{}
	for seed := range histories {
		synctest.Test(t, func(t *testing.T) {
			rng := rand.New(rand.NewPCG(uint64(seed), 3))
			e, err := embedded.New(embedded.Options{})
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = e.Close() }()
			real := e.Connect()
			life, _ := real.Incarnation("")
			m := model.New(life)
			c := m.Connect()
			var history []string
			for range 60 {
				time.Sleep(time.Duration(rng.IntN(40)) * time.Millisecond)
				x := draw(rng, 20)
				want, err1 := real.Eval(t.Context(), all[x.name], []string{x.key}, x.args)
				got, err2 := c.Eval(t.Context(), all[x.name], []string{x.key}, x.args)
				history = append(history, fmt.Sprintf("%s %s %q: %+v", x.name, x.key, x.args, want))
				if err1 != nil || err2 != nil || !reflect.DeepEqual(want, got) {
					t.Fatalf("seed %d: the model answers %+v, %v; want %v\n%s", seed, got, err2, err1, strings.Join(history, "\n"))
				}
				seen[fmt.Sprint(x.name, " ", state(want))]++
				for _, key := range keys {
					raw, ttl := m.Raw(key)
					v, err := real.Do(t.Context(), conn.Key("GET", key))
					left, err2 := real.Do(t.Context(), conn.Key("PTTL", key))
					if err != nil || err2 != nil || v.Str != raw || left.Int != ttl {
						t.Fatalf("seed %d: %s is %q for %d ms in the model; %q for %d ms, %v, %v\n%s",
							seed, key, raw, ttl, v.Str, left.Int, err, err2, strings.Join(history, "\n"))
					}
				}
			}
		})
	}
	t.Log(seen)
	for _, want := range []string{"acquire 0", "acquire 1", "acquire 2", "acquire 3", "acquire 4", "acquire 5", "fill 0", "fill 1", "fill 2", "lift 1", "release 1", "renew 1", "bar 0", "generation bump 0"} {
		if seen[want] == 0 && !testing.Short() {
			t.Errorf("%s never came up", want)
		}
	}
}

// state is the first number of an answer.
func state(v conn.Value) int64 {
	if len(v.Elems) > 0 {
		return v.Elems[0].Int
	}
	return v.Int
}

// On a real Redis, whose time and life are its own, the answers are the same where
// nothing depends on the moment, and so are the bytes but for times and life.
func TestModelIsWhatRedisDoes(t *testing.T) {
	t.Parallel()
	c, err := redisconn.Open(t.Context(), redistest.Start(t).URL(), redisconn.Options{CutTimeout: 30 * time.Second, SilenceTimeout: 30 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close() }()
	all := scripts(t)
	for seed := range 15 {
		if _, err := c.Do(t.Context(), conn.Cmd("FLUSHALL")); err != nil {
			t.Fatal(err)
		}
		rng := rand.New(rand.NewPCG(uint64(seed), 4))
		m := model.New(1)
		mc := m.Connect()
		var history []string
		for range 60 {
			x := draw(rng, 300_000)
			want, err1 := c.Eval(t.Context(), all[x.name], []string{x.key}, x.args)
			got, err2 := mc.Eval(t.Context(), all[x.name], []string{x.key}, x.args)
			history = append(history, fmt.Sprintf("%s %s %q: %d", x.name, x.key, x.args, state(want)))
			if err1 != nil || err2 != nil || state(want) != state(got) {
				t.Fatalf("seed %d: the model answers %d, %v; Redis %d, %v\n%s", seed, state(got), err2, state(want), err1, strings.Join(history, "\n"))
			}
			for _, key := range keys {
				raw, _ := m.Raw(key)
				v, err := c.Do(t.Context(), conn.Key("GET", key))
				if err != nil || timeless(key, v.Str) != timeless(key, raw) {
					t.Fatalf("seed %d: %s is %q in the model, %q in Redis, %v\n%s", seed, key, raw, v.Str, err, strings.Join(history, "\n"))
				}
			}
		}
	}
}

// timeless is a value without its times and its life: those of writers too.
func timeless(key, raw string) string {
	b := []byte(raw)
	blank := func(from, to int) {
		for i := from; i < to && i < len(b); i++ {
			b[i] = 0
		}
	}
	if strings.HasPrefix(key, "~") {
		blank(8, 24)
		if len(b) >= 40 && string(b[24:32]) == "\xff\xff\xff\xff\xff\xff\xff\xff" {
			for i := 32; i < len(b); i += 16 {
				blank(i, i+8)
			}
			for i := 48; i < len(b); i += 16 {
				blank(i, i+8)
			}
		}
		return string(b)
	}
	blank(20, 52)
	blank(64, 72)
	if len(b) > 2 && b[2] >= 8 {
		for i := 98; i < len(b); i += 16 {
			blank(i, i+8)
		}
	}
	return string(b)
}

func TestPushes(t *testing.T) {
	t.Parallel()
	m := model.New(1)
	c, other := m.Connect(), m.Connect()
	tr, _ := c.Tracker()
	var heard []string
	stop := tr.Listen(func(keys []string) { heard = append(heard, keys...) })
	if _, err := tr.Do(t.Context(), conn.Key("GET", "n:1")); err != nil {
		t.Fatal(err)
	}
	all := scripts(t)
	acquire := []string{word(1), "1000", "", "load", word(0)}
	for range 2 { // the second change is of a key that is not tracked any more
		if _, err := other.Eval(t.Context(), all["acquire"], []string{"n:1"}, acquire); err != nil {
			t.Fatal(err)
		}
		if _, err := other.Do(t.Context(), conn.Key("DEL", "n:1")); err != nil {
			t.Fatal(err)
		}
	}
	tr.Announce("x")
	stop()
	tr.Announce("y")
	if got := strings.Join(heard, " "); got != "n:1 x" {
		t.Errorf("heard %q", got)
	}
	if _, err := c.Do(t.Context(), conn.Cmd("FLUSHALL")); err == nil {
		t.Error("an unknown command is no error")
	}
	if _, err := c.Eval(t.Context(), conn.NewScript("return 1"), []string{"k"}, nil); err == nil {
		t.Error("an unknown script is no error")
	}
}
