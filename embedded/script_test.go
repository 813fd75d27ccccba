package embedded

import (
	"errors"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/larder-go/larder/conn"
)

func TestScriptsByAllWays(t *testing.T) {
	c := open(t, Options{})
	s := conn.NewScript("return {KEYS[1], ARGV[1]}")
	if text := refused(t, c, "EVALSHA", s.Digest(), "1", "k", "a"); !strings.Contains(text, "NOSCRIPT") {
		t.Errorf("got %s", text)
	}
	if v := do(t, c, "SCRIPT", "LOAD", s.Text()); v.Str != s.Digest() {
		t.Errorf("got %+v", v)
	}
	for _, cmd := range [][]string{
		{"EVAL", s.Text(), "1", "k", "a"},
		{"EVAL_RO", s.Text(), "1", "k", "a"},
		{"EVALSHA", s.Digest(), "1", "k", "a"},
		{"evalsha_ro", strings.ToUpper(s.Digest()), "1", "k", "a"},
	} {
		r := c.Pipeline(t.Context(), conn.Cmd(cmd[0], cmd[1:]...))[0]
		if v := do(t, c, cmd...); len(v.Elems) != 2 || v.Elems[0].Str != "k" || v.Elems[1].Str != "a" || r.Err != nil || len(r.Value.Elems) != 2 {
			t.Errorf("%q: %+v and %+v", cmd, v, r)
		}
	}
	if v := do(t, c, "SCRIPT", "EXISTS", s.Digest(), "nosuch"); v.Elems[0].Int != 1 || v.Elems[1].Int != 0 {
		t.Errorf("got %+v", v)
	}
	do(t, c, "SCRIPT", "FLUSH", "ASYNC")
	refused(t, c, "EVALSHA", s.Digest(), "0")
	for _, cmd := range [][]string{
		{"EVAL", "return 1", "1"},
		{"EVAL", "return 1", "-1"},
		{"EVAL", "return 1", "x"},
		{"EVAL", "x x", "0"},
		{"SCRIPT", "LOAD", "x x"},
		{"SCRIPT", "KILL"},
		{"SCRIPT", "LOAD"},
		{"EVAL_RO", "return redis.call('SET', 'a', 1)", "0"},
		{"EVAL_RO", "return redis.call('PUBLISH', 'a', 1)", "0"},
	} {
		refused(t, c, cmd...)
	}
}

func TestScriptsCannotEscapeTheirCommands(t *testing.T) {
	c := open(t, Options{})
	for _, cmd := range []string{
		"EVAL", "EVALSHA", "EVAL_RO", "SCRIPT", "SUBSCRIBE", "PSUBSCRIBE", "SSUBSCRIBE", "UNSUBSCRIBE", "MULTI", "EXEC", "DISCARD", "WATCH", "UNWATCH",
		"BLPOP", "BRPOP", "BLMOVE", "BZPOPMIN", "WAIT", "AUTH", "HELLO", "CLIENT", "SELECT", "RESET", "QUIT", "COMMAND",
	} {
		v := eval(t, c, "return redis.pcall('"+cmd+"', 'x', '0', '0').err", nil)
		if v.Str != "ERR This Redis command is not allowed from script" {
			t.Errorf("%s: %q", cmd, v.Str)
		}
	}
	if v := eval(t, c, "return redis.pcall('XREAD', 'BLOCK', '0', 'STREAMS', 's', '$').err", nil); !strings.Contains(v.Str, "no blocking") {
		t.Errorf("XREAD BLOCK: %q", v.Str)
	}
}

func TestEndlessScriptDoesNotStopTheEngine(t *testing.T) {
	c := open(t, Options{ScriptTimeout: 50 * time.Millisecond})
	start := time.Now()
	_, err := c.Eval(t.Context(), conn.NewScript("redis.call('SET', 'a', 'written') while true do end"), nil, nil)
	if conn.Code(err) != "ERR" || !strings.Contains(err.Error(), "time limit of 50ms") || time.Since(start) > 5*time.Second {
		t.Errorf("got %v after %v", err, time.Since(start))
	}
	if v := do(t, c, "GET", "a"); v.Str != "written" {
		t.Errorf("got %+v", v)
	}
}

func TestCloseStopsScripts(t *testing.T) {
	c := open(t, Options{ScriptTimeout: time.Hour})
	sub := make(chan error, 1)
	ready := make(chan struct{})
	go func() {
		sub <- c.Subscribe(t.Context(), conn.Subscription{Channels: []string{"started"}, Ready: func() { close(ready) }}, func(conn.Message) {
			go func() { _ = c.engine.Close() }()
		})
	}()
	<-ready
	_, err := c.Eval(t.Context(), conn.NewScript("redis.call('PUBLISH', 'started', '') while true do end"), nil, nil)
	if err == nil || !strings.Contains(err.Error(), "closing") {
		t.Errorf("got %v", err)
	}
	if err := <-sub; !errors.Is(err, conn.ErrClosed) {
		t.Errorf("Subscribe: %v", err)
	}
}

// Transfers between two counters keep their sum, whoever looks.
func TestScriptsAndTransactionsAreAtomic(t *testing.T) {
	c := open(t, Options{})
	do(t, c, "MSET", "a", "1000", "b", "0")
	move := conn.NewScript("redis.call('DECR', KEYS[1]) local x = 0 for i = 1, 100 do x = x + i end return redis.call('INCR', KEYS[2])")
	var wg sync.WaitGroup
	for range 4 {
		client := c.engine.Connect()
		wg.Go(func() {
			for range 100 {
				if _, err := client.Eval(t.Context(), move, []string{"a", "b"}, nil); err != nil {
					t.Error(err)
				}
				r := client.Pipeline(t.Context(), conn.Cmd("MULTI"), conn.Key("DECR", "a"), conn.Key("INCR", "b"), conn.Cmd("EXEC"))
				if r[3].Err != nil {
					t.Error(r[3].Err)
				}
			}
		})
		wg.Go(func() {
			for range 200 {
				v := do(t, client, "MGET", "a", "b")
				a, _ := v.Elems[0].Int64()
				b, _ := v.Elems[1].Int64()
				if a+b != 1000 {
					t.Errorf("%d + %d", a, b)
				}
			}
		})
	}
	wg.Wait()
	if v := do(t, c, "GET", "b"); v.Str != "800" {
		t.Errorf("got %+v", v)
	}
}

func TestScriptCacheIsBounded(t *testing.T) {
	c := open(t, Options{})
	for i := range maxScripts + 10 {
		eval(t, c, "return "+strconv.Itoa(i), nil)
	}
	if n := len(c.engine.scripts); n != maxScripts {
		t.Errorf("%d scripts", n)
	}
}
