package upstash

import (
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/larder-go/larder/conn"
)

var (
	errEmptyCommand = errors.New("upstash: the command is empty")
	errBytes        = errors.New("upstash: an argument is not UTF-8, and the server does not take such bytes in JSON; nothing was sent")
)

// check finds what must not be sent.
func (c *Conn) check(cmd conn.Command, inTx bool) error {
	if len(cmd.Args) == 0 || cmd.Args[0] == "" {
		return errEmptyCommand
	}
	if cmd.KeyAt < 0 || cmd.KeyAt >= len(cmd.Args) {
		return fmt.Errorf("upstash: Command.KeyAt is %d; it must be an index of the %d arguments after the name, or 0 for no key", cmd.KeyAt, len(cmd.Args)-1)
	}
	if !inTx && (begins(cmd) || ends(cmd)) {
		return errOpenTx
	}
	size := 0
	for _, a := range cmd.Args {
		size += len(a) + len(`"",`)
		if !c.takesBytes && !utf8.ValidString(a) {
			return errBytes
		}
	}
	if size > c.opts.MaxRequest {
		return tooLarge(size, c.opts.MaxRequest)
	}
	return nil
}

func tooLarge(size, most int) error {
	return fmt.Errorf("upstash: the request has %d bytes, and Options.MaxRequest allows %d; nothing of it was sent", size, most)
}

// appendCommand appends a command as a JSON array.
func appendCommand(b []byte, args []string) []byte {
	b = append(b, '[')
	for i, a := range args {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendString(b, a)
	}
	return append(b, ']')
}

// appendString appends a JSON string. Bytes that are not UTF-8 stay as they are.
func appendString(b []byte, s string) []byte {
	const hex = "0123456789abcdef"
	b = append(b, '"')
	start := 0
	for i := range len(s) {
		ch := s[i]
		if ch >= ' ' && ch != '"' && ch != '\\' {
			continue
		}
		b = append(b, s[start:i]...)
		start = i + 1
		if ch < ' ' {
			b = append(b, '\\', 'u', '0', '0', hex[ch>>4], hex[ch&15])
		} else {
			b = append(b, '\\', ch)
		}
	}
	b = append(b, s[start:]...)
	return append(b, '"')
}

// begins tells whether cmd is MULTI.
func begins(cmd conn.Command) bool { return strings.EqualFold(cmd.Name(), "MULTI") }

// ends tells whether cmd is EXEC or DISCARD.
func ends(cmd conn.Command) bool {
	return strings.EqualFold(cmd.Name(), "EXEC") || strings.EqualFold(cmd.Name(), "DISCARD")
}

// readers are the commands that may be sent twice.
var readers = func() map[string]bool {
	m := make(map[string]bool)
	for name := range strings.FieldsSeq(`
		BITCOUNT BITFIELD_RO BITPOS DBSIZE DUMP ECHO EVALSHA_RO EVAL_RO EXISTS EXPIRETIME FCALL_RO GEODIST
		GEOHASH GEOPOS GEOSEARCH GET GETBIT GETRANGE HEXISTS HEXPIRETIME HGET HGETALL HKEYS HLEN HMGET
		HPEXPIRETIME HPTTL HRANDFIELD HSCAN HSTRLEN HTTL HVALS INFO KEYS LINDEX LLEN LPOS LRANGE MGET
		PEXPIRETIME PING PTTL RANDOMKEY SCAN SCARD SDIFF SINTER SINTERCARD SISMEMBER SMEMBERS SMISMEMBER
		SRANDMEMBER SSCAN STRLEN SUNION TIME TTL TYPE XLEN XRANGE XREAD XREVRANGE ZCARD ZCOUNT ZDIFF
		ZINTER ZINTERCARD ZLEXCOUNT ZMSCORE ZRANDMEMBER ZRANGE ZRANGEBYLEX ZRANGEBYSCORE ZRANK ZREVRANGE
		ZREVRANGEBYLEX ZREVRANGEBYSCORE ZREVRANK ZSCAN ZSCORE ZUNION`) {
		m[name] = true
	}
	return m
}()

func reads(cmd conn.Command) bool { return readers[strings.ToUpper(cmd.Name())] }
