package embedded

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/larder-go/larder/conn"
)

// FuzzExecute runs commands, a line each, their arguments separated by tabs. None
// makes the engine panic or hang, and it answers afterwards.
func FuzzExecute(f *testing.F) {
	for _, script := range []string{
		"SET\tk\tv\tEX\t10\nGET\tk", "ZADD\tz\t1\ta\t2\tb\nZRANGE\tz\t0\t-1\tWITHSCORES", "HSET\th\tf\tv\nHPEXPIRE\th\t10\tFIELDS\t1\tf\nHTTL\th\tFIELDS\t1\tf",
		"XADD\ts\t*\tf\tv\nXRANGE\ts\t-\t+\nXTRIM\ts\tMAXLEN\t~\t0", "SCAN\t0\tMATCH\t[a-\\\tCOUNT\t-1", "EVAL\treturn redis.call('GET', KEYS[1])\t1\tk",
		"MULTI\nINCR\tn\nEXEC", "CLIENT\tKILL\tTYPE\tnormal", "SETRANGE\tk\t536870911\tx", "LPUSH\tl\ta\nLRANGE\tl\t-9223372036854775808\t9223372036854775807",
		"BITFIELD\tb\tSET\tu8\t#4294967295\t1", "SORT\tl\tBY\t*\tGET\t#", "GETEX\tk\tPXAT\t-1", "KEYS\t\xff*", "PFADD\tp\ta\nPFCOUNT\tp", "GEOADD\tg\t1\t2\ta\nGEORADIUS\tg\t0\t0\t1\tkm",
	} {
		f.Add(script)
	}
	f.Fuzz(func(t *testing.T, script string) {
		e, err := New(Options{MaxKeys: 100, MaxValueBytes: 1 << 16, ScriptTimeout: 50 * time.Millisecond})
		if err != nil {
			t.Fatal(err)
		}
		defer e.Close()
		c := e.Connect()
		defer c.Close()
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		defer cancel()
		lines := strings.Split(script, "\n")
		cmds := make([]conn.Command, 0, len(lines))
		for _, line := range lines[:min(len(lines), 20)] {
			cmds = append(cmds, conn.Command{Args: strings.Split(line, "\t")})
			if strings.HasPrefix(strings.ToUpper(line), "B") && len(cmds[len(cmds)-1].Args) > 1 {
				bound, cancel := context.WithTimeout(ctx, 10*time.Millisecond) // some of these block
				_, _ = c.Do(bound, cmds[len(cmds)-1])
				cancel()
				cmds = cmds[:len(cmds)-1]
			}
		}
		for _, cmd := range cmds {
			_, _ = c.Do(ctx, cmd)
		}
		c.Pipeline(ctx, cmds...)
		again := e.Connect()
		defer again.Close()
		if v, err := again.Do(ctx, conn.Cmd("PING")); err != nil || v.Str != "PONG" {
			t.Errorf("%q: the engine answers %+v, %v", script, v, err)
		}
	})
}

// FuzzMatches: a pattern matches itself with everything escaped, and its time is
// bounded by the product of the lengths.
func FuzzMatches(f *testing.F) {
	f.Add("a*[b-d]?\\*", "axc1*")
	f.Add(strings.Repeat("*a", 50), strings.Repeat("a", 100))
	f.Add("[", "[")
	f.Add("[^]", "x")
	f.Fuzz(func(t *testing.T, pattern, s string) {
		_ = matches(pattern, s)
		var escaped strings.Builder
		for i := range len(s) {
			escaped.WriteString("\\" + s[i:i+1])
		}
		if !matches(escaped.String(), s) || !matches("*"+escaped.String()+"*", "<"+s+">") || !matches("*", s) {
			t.Errorf("%q does not match itself", s)
		}
	})
}
