package embedded

import (
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/larder-go/larder/conn"
)

// inWords prints a reply in one line: nil as "-", a failure as its first words.
func inWords(v conn.Value, err error) string {
	if err != nil {
		return strings.TrimPrefix(err.Error(), "conn: the server answered: ")
	}
	switch v.Kind {
	case conn.Nil:
		return "-"
	case conn.Array, conn.Map:
		parts := make([]string, len(v.Elems))
		for i, e := range v.Elems {
			parts[i] = inWords(e, nil)
		}
		return strings.Join(parts, " ")
	}
	s, _ := v.Text()
	return s
}

// TestFieldExpiry is a dialogue, by the documentation of Redis 7.4 and 8.0. The
// clock stands at 1,700,000,000.123 s; "+500ms" moves it.
func TestFieldExpiry(t *testing.T) {
	for name, lines := range map[string][]string{
		"set and read": {
			"HSET h a 1 b 2 c 3 > 3",
			"HEXPIRE h 10 FIELDS 2 a x > 1 -2",
			"HTTL h FIELDS 3 a b x > 10 -1 -2",
			"HPTTL h FIELDS 2 a b > 10000 -1",
			"HEXPIRETIME h FIELDS 1 a > 1700000011",
			"HPEXPIRETIME h FIELDS 1 a > 1700000010123",
			"HPEXPIRE h 2500 FIELDS 1 b > 1",
			"HTTL h FIELDS 1 b > 3",
			"HPERSIST h FIELDS 3 a c x > 1 -1 -2",
			"HTTL h FIELDS 1 a > -1",
			"+2500ms",
			"HGET h b > -",
			"HMGET h a b c > 1 - 3",
			"HLEN h > 2",
		},
		"points in time": {
			"HSET h a 1 b 2 > 2",
			"HEXPIREAT h 1700000001 FIELDS 1 a > 1",
			"HPEXPIREAT h 1700000000124 FIELDS 1 b > 1",
			"+1ms",
			"HGETALL h > a 1",
			"+900ms",
			"EXISTS h > 0",
			"HTTL h FIELDS 1 a > -2",
		},
		"past deletes": {
			"HSET h a 1 b 2 > 2",
			"HEXPIRE h 0 FIELDS 1 a > 2",
			"HEXPIREAT h 1 FIELDS 2 b b > 2 -2",
			"EXISTS h > 0",
			"HEXPIRE h 10 FIELDS 1 a > -2",
		},
		"conditions": {
			"HSET h a 1 > 1",
			"HEXPIRE h 10 XX FIELDS 1 a > 0",
			"HEXPIRE h 10 GT FIELDS 1 a > 0",
			"HEXPIRE h 10 LT FIELDS 1 a > 1",
			"HEXPIRE h 20 NX FIELDS 1 a > 0",
			"HEXPIRE h 5 GT FIELDS 1 a > 0",
			"HEXPIRE h 20 GT FIELDS 1 a > 1",
			"HEXPIRE h 30 LT FIELDS 1 a > 0",
			"HEXPIRE h 7 xx FIELDS 1 a > 1",
			"HTTL h FIELDS 1 a > 7",
		},
		"writes": {
			"HSET h a 1 b 1 c 1 d 1 > 4",
			"HEXPIRE h 10 FIELDS 4 a b c d > 1 1 1 1",
			"HSET h a 2 > 0",
			"HINCRBY h b 1 > 2",
			"HDEL h c > 1",
			"HSETNX h d 9 > 0",
			"HTTL h FIELDS 4 a b c d > -1 10 -2 10",
			"HSET h c 1 > 1",
			"HTTL h FIELDS 1 c > -1",
			"+10s",
			"HGETALL h > a 2 c 1",
		},
		"keys": {
			"HSET {k}h a 1 > 1",
			"HEXPIRE {k}h 10 FIELDS 1 a > 1",
			"COPY {k}h {k}c > 1",
			"RENAME {k}h {k}r > OK",
			"HTTL {k}r FIELDS 1 a > 10",
			"HTTL {k}c FIELDS 1 a > 10",
			"HSET {k}h a 2 > 1",
			"HTTL {k}h FIELDS 1 a > -1",
			"DEL {k}r > 1",
			"HSET {k}r a 3 > 1",
			"HTTL {k}r FIELDS 1 a > -1",
			"SET {k}c x > OK",
			"DEL {k}c > 1",
			"HSET {k}c a 4 > 1",
			"+10s",
			"HGET {k}c a > 4",
			"HEXPIRE {k}c 10 FIELDS 1 a > 1",
			"FLUSHALL > OK",
			"HSET {k}c a 5 > 1",
			"+10s",
			"HGET {k}c a > 5",
		},
		"a key's own deadline": {
			"HSET h a 1 > 1",
			"HEXPIRE h 10 FIELDS 1 a > 1",
			"EXPIRE h 5 > 1",
			"+5s",
			"EXISTS h > 0",
			"HSET h a 2 > 1",
			"+10s",
			"HGET h a > 2",
			"HEXPIRE h 1 FIELDS 1 a > 1",
			"EXPIRE h 100 > 1",
			"+1s",
			"TTL h > -2",
			"HSET h a 3 > 1",
			"TTL h > -1",
		},
		"the whole keyspace": {
			"HSET h a 1 > 1",
			"HPEXPIRE h 10 FIELDS 1 a > 1",
			"DBSIZE > 1",
			"+10ms",
			"DBSIZE > 0",
			"KEYS * > ",
		},
		"hgetex": {
			"HSET h a 1 b 2 > 2",
			"HGETEX h FIELDS 2 a x > 1 -",
			"HTTL h FIELDS 1 a > -1",
			"HGETEX h EX 10 FIELDS 2 a b > 1 2",
			"HTTL h FIELDS 2 a b > 10 10",
			"HGETEX h PERSIST FIELDS 1 a > 1",
			"HTTL h FIELDS 2 a b > -1 10",
			"HGETEX h PX 1500 FIELDS 1 a > 1",
			"HPTTL h FIELDS 1 a > 1500",
			"HGETEX h EXAT 1700000020 FIELDS 1 a > 1",
			"HEXPIRETIME h FIELDS 1 a > 1700000020",
			"HGETEX h PXAT 1 FIELDS 2 a b > 1 2",
			"EXISTS h > 0",
			"HGETEX h FIELDS 1 a > -",
		},
		"hgetdel": {
			"HSET h a 1 b 2 c 3 > 3",
			"HGETDEL h FIELDS 3 a x a > 1 - -",
			"HGETALL h > b 2 c 3",
			"HGETDEL h FIELDS 2 b c > 2 3",
			"EXISTS h > 0",
			"HGETDEL h FIELDS 1 a > -",
		},
		"hsetex": {
			"HSETEX h EX 10 FIELDS 2 a 1 b 2 > 1",
			"HTTL h FIELDS 2 a b > 10 10",
			"HSETEX h FNX FIELDS 2 a 9 c 9 > 0",
			"HSETEX h FXX FIELDS 2 a 9 c 9 > 0",
			"HSETEX h FXX KEEPTTL FIELDS 1 a 3 > 1",
			"HTTL h FIELDS 1 a > 10",
			"HSETEX h FIELDS 1 a 4 > 1",
			"HTTL h FIELDS 1 a > -1",
			"HSETEX h FNX PX 500 FIELDS 1 c 5 > 1",
			"HMGET h a b c > 4 2 5",
			"HSETEX h EXAT 1 FIELDS 1 c 6 > 1",
			"HEXISTS h c > 0",
			"+10s",
			"HGETALL h > a 4",
		},
		"errors": {
			"SET s x > OK",
			"HEXPIRE s 10 FIELDS 1 a > WRONGTYPE Operation against a key holding the wrong kind of value",
			"HGETEX s FIELDS 1 a > WRONGTYPE Operation against a key holding the wrong kind of value",
			"HSETEX s FIELDS 1 a b > WRONGTYPE Operation against a key holding the wrong kind of value",
			"HTTL s FIELDS 1 a > WRONGTYPE Operation against a key holding the wrong kind of value",
			"HEXPIRE h 10 FIELDS 1 > ERR wrong number of arguments for 'hexpire' command",
			"HEXPIRE h x FIELDS 1 a > ERR value is not an integer or out of range",
			"HEXPIRE h -1 FIELDS 1 a > ERR invalid expire time, must be >= 0",
			"HEXPIRE h 9223372036854775807 FIELDS 1 a > ERR invalid expire time in 'hexpire' command",
			"HPEXPIRE h 281474976710654 FIELDS 1 a > ERR invalid expire time in 'hpexpire' command",
			"HEXPIRE h 10 NX GT FIELDS 1 a > ERR Mandatory argument FIELDS is missing or not at the right position",
			"HEXPIRE h 10 FIELDS 2 a > ERR The `numfields` parameter must match the number of arguments",
			"HEXPIRE h 10 FIELDS 0 a > ERR Parameter `numFields` should be greater than 0",
			"HSETEX h FIELDS 1 a 1 b > ERR The `numfields` parameter must match the number of arguments",
			"HSETEX h EX 1 KEEPTTL FIELDS 1 a 1 > ERR syntax error",
			"HSETEX h FNX FXX FIELDS 1 a 1 > ERR syntax error",
			"HGETEX h EX 1 PERSIST FIELDS 1 a > ERR syntax error",
			"HGETEX h KEEPTTL FIELDS 1 a > ERR syntax error",
			"HGETEX h EX > ERR wrong number of arguments for 'hgetex' command",
			"HGETEX h EX FIELDS 1 a > ERR value is not an integer or out of range",
			"HSETEX h EX 1 a 1 > ERR syntax error",
		},
	} {
		t.Run(name, func(t *testing.T) {
			c, advance := ticking(t)
			for _, line := range lines {
				if d, ok := strings.CutPrefix(line, "+"); ok {
					by, err := time.ParseDuration(d)
					if err != nil {
						t.Fatal(err)
					}
					advance(by)
					continue
				}
				command, want, _ := strings.Cut(line, " > ")
				args := strings.Fields(command)
				v, err := c.Do(t.Context(), conn.Cmd(args[0], args[1:]...))
				got := inWords(v, err)
				if args[0] == "HGETALL" {
					got = sortedPairs(got)
				}
				if got != want {
					t.Errorf("%s\n got %s\nwant %s", command, got, want)
				}
			}
		})
	}
}

func sortedPairs(s string) string {
	words := strings.Fields(s)
	var pairs []string
	for i := 0; i+1 < len(words); i += 2 {
		pairs = append(pairs, words[i]+" "+words[i+1])
	}
	slices.Sort(pairs)
	return strings.Join(pairs, " ")
}

// Fields that nobody asks for go too, and those who read the hash are told.
func TestFieldsExpireInBackground(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := open(t, Options{})
		tr, _ := c.Tracker()
		var pushed []string
		defer tr.Listen(func(keys []string) { pushed = append(pushed, keys...) })()
		do(t, c, "HSET", "h", "a", "1", "b", "2")
		do(t, c, "HEXPIRE", "h", "10", "FIELDS", "1", "a")
		do(t, tr, "HGETALL", "h")
		time.Sleep(11 * time.Second)
		synctest.Wait()
		if !slices.Equal(pushed, []string{"h"}) {
			t.Errorf("pushed: %q", pushed)
		}
		if n := len(c.engine.fields.byKey) + c.engine.fields.queue.len(); n != 0 {
			t.Errorf("%d deadlines are left", n)
		}
		if v := do(t, c, "HLEN", "h"); v.Int != 1 {
			t.Errorf("%d fields are left", v.Int)
		}
	})
}

func TestFieldExpiryInScripts(t *testing.T) {
	c, advance := ticking(t)
	do(t, c, "EVAL", "redis.call('HSET', KEYS[1], 'a', '1', 'b', '2') return redis.call('HPEXPIRE', KEYS[1], 100, 'FIELDS', 1, 'a')", "1", "h")
	advance(100 * time.Millisecond)
	if v := do(t, c, "EVAL", "return redis.call('HLEN', KEYS[1])", "1", "h"); v.Int != 1 {
		t.Errorf("HLEN is %d", v.Int)
	}
}
