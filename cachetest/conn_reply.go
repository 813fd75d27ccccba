package cachetest

import (
	"errors"
	"reflect"
	"strings"
	"testing"

	"github.com/larder-go/larder/conn"
)

func (s *connSuite) replies(t *testing.T) {
	c := s.handle(t)
	str, list, hash, none := key("string"), key("list"), key("hash"), key("none")
	bulk := func(v string) conn.Value { return conn.Value{Kind: conn.Bulk, Str: v} }
	number := func(n int64) conn.Value { return conn.Value{Kind: conn.Int, Int: n} }
	array := func(e ...conn.Value) conn.Value { return conn.Value{Kind: conn.Array, Elems: e} }

	for _, step := range []struct {
		name string
		cmd  conn.Command
		want conn.Value
	}{
		{"status", conn.Key("SET", str, "7"), conn.Value{Kind: conn.Status, Str: "OK"}},
		{"bulk", conn.Key("GET", str), bulk("7")},
		{"lower-case name", conn.Key("get", str), bulk("7")},
		{"integer", conn.Key("INCRBY", str, "-17"), number(-10)},
		{"nil", conn.Key("GET", none), conn.Value{}},
		{"nil of SET NX", conn.Key("SET", str, "x", "NX"), conn.Value{}},
		{"set empty", conn.Key("SET", str, ""), conn.Value{Kind: conn.Status, Str: "OK"}},
		{"empty is not nil", conn.Key("GET", str), bulk("")},
		{"push", conn.Key("RPUSH", list, "a", "b"), number(2)},
		{"array", conn.Key("LRANGE", list, "0", "-1"), array(bulk("a"), bulk("b"))},
		{"empty array", conn.Key("LRANGE", none, "0", "-1"), conn.Value{Kind: conn.Array}},
		{"nil in array", conn.Key("HMGET", hash, "f"), array(conn.Value{})},
	} {
		t.Run(step.name, func(t *testing.T) {
			if got := must(t, c, step.cmd); !equal(got, step.want) {
				t.Errorf("got %+v, want %+v", got, step.want)
			}
		})
	}

	t.Run("pairs", func(t *testing.T) { // a map, or an array from servers without maps
		must(t, c, conn.Key("HSET", hash, "f", "v"))
		v := must(t, c, conn.Key("HGETALL", hash))
		got, err := v.List()
		if err != nil || !equal(array(got...), array(bulk("f"), bulk("v"))) {
			t.Errorf("got %+v, %v", got, err)
		}
	})
	t.Run("nested", func(t *testing.T) {
		v, err := c.Eval(t.Context(), conn.NewScript(`return {1, {'a', {}}, false, redis.error_reply('MINE inside')}`), []string{str}, nil)
		want := array(number(1), array(bulk("a"), array()), conn.Value{}, conn.Value{Kind: conn.Failure, Str: "MINE inside"})
		if err != nil || !equal(v, want) {
			t.Errorf("got %+v, %v; want %+v", v, err, want)
		}
	})
	t.Run("errors", func(t *testing.T) {
		_, err := c.Do(t.Context(), conn.Key("GET", list))
		wantServerError(t, err, "WRONGTYPE")
		_, err = c.Do(t.Context(), conn.Key("LARDER.NONE", str, "secret-value"))
		wantServerError(t, err, "ERR")
	})
	t.Run("invalid commands", func(t *testing.T) {
		for _, cmd := range []conn.Command{{}, conn.Cmd(""), {Args: []string{"GET", str}, KeyAt: 2}, {Args: []string{"GET", str}, KeyAt: -1}} {
			if v, err := c.Do(t.Context(), cmd); err == nil {
				t.Errorf("%+v answered %+v", cmd, v)
			} else if errors.Is(err, conn.ErrUnavailable) {
				t.Errorf("%+v: %v must not be ErrUnavailable: trying again does not help", cmd, err)
			}
		}
	})
	t.Run("binary", func(t *testing.T) {
		all := make([]byte, 256)
		for i := range all {
			all[i] = byte(i)
		}
		k, v := key("\x00\r\n\xff"), "\r\n$-1\r\n"+string(all)
		must(t, c, conn.Key("SET", k, v))
		if got := must(t, c, conn.Key("GET", k)); !equal(got, bulk(v)) {
			t.Errorf("got %q", got.Str)
		}
	})
	t.Run("big", func(t *testing.T) {
		big := strings.Repeat("0123456789abcdef", 4<<20/16)
		must(t, c, conn.Key("SET", str, big))
		if got := must(t, c, conn.Key("GET", str)); got.Str != big {
			t.Errorf("got %d bytes, want %d", len(got.Str), len(big))
		}
		must(t, c, conn.Key("DEL", str))
	})
}

// equal compares replies; empty and absent elements are the same.
func equal(a, b conn.Value) bool {
	if len(a.Elems) != len(b.Elems) {
		return false
	}
	for i := range a.Elems {
		if !equal(a.Elems[i], b.Elems[i]) {
			return false
		}
	}
	a.Elems, b.Elems = nil, nil
	return reflect.DeepEqual(a, b)
}

func wantServerError(t *testing.T, err error, code string) {
	t.Helper()
	var se *conn.ServerError
	if !errors.As(err, &se) || se.Code() != code || errors.Is(err, conn.ErrUnavailable) {
		t.Errorf("got error %v, want a reply with code %s that is not ErrUnavailable", err, code)
	} else if strings.HasPrefix(se.Text, code+" "+code) {
		t.Errorf("the code is doubled: %s", se.Text)
	}
}
