package redisconn

import (
	"reflect"
	"testing"

	"github.com/larder-go/larder/conn"
	"github.com/larder-go/larder/internal/redistest"
)

// TestTypeField fails when the library no longer has the field that tells the
// types of replies apart: see typeField.
func TestTypeField(t *testing.T) {
	t.Parallel()
	if typeField < 0 {
		t.Fatal("rueidis.RedisMessage has no byte field typ: bulk strings and statuses, arrays and sets look alike now")
	}
}

func TestRESP3Kinds(t *testing.T) {
	t.Parallel()
	c := open(t, redistest.Shared(t).URL(), Options{})
	bulk := func(s string) conn.Value { return conn.Value{Kind: conn.Bulk, Str: s} }
	number := func(n int64) conn.Value { return conn.Value{Kind: conn.Int, Int: n} }
	for lua, want := range map[string]conn.Value{
		`return {double=1.5}`: {Kind: conn.Float, Str: "1.5"},
		`return true`:         {Kind: conn.Bool, Int: 1},
		`return false`:        {Kind: conn.Bool},
		`return nil`:          {},
		`return {ok='FINE'}`:  {Kind: conn.Status, Str: "FINE"},
		`return ''`:           bulk(""),
		`return {big_number='12345678901234567890123'}`:        {Kind: conn.BigNum, Str: "12345678901234567890123"},
		`return {verbatim_string={format='txt',string='a:b'}}`: {Kind: conn.Verbatim, Str: "a:b"},
		`return {set={x=true}}`:                                {Kind: conn.Set, Elems: []conn.Value{bulk("x")}},
		`return {map={[1]={map={k={double=2}}}}}`:              {Kind: conn.Map, Elems: []conn.Value{number(1), {Kind: conn.Map, Elems: []conn.Value{bulk("k"), {Kind: conn.Float, Str: "2"}}}}},
		`return {map={}}`:                                      {Kind: conn.Map, Elems: []conn.Value{}},
		`return {1, {err='MINE x'}, {set={}}}`:                 {Kind: conn.Array, Elems: []conn.Value{number(1), {Kind: conn.Failure, Str: "MINE x"}, {Kind: conn.Set, Elems: []conn.Value{}}}},
		`return {map={a={err='ERR inside'}}}`:                  {Kind: conn.Map, Elems: []conn.Value{bulk("a"), {Kind: conn.Failure, Str: "ERR inside"}}},
	} {
		got, err := c.Eval(t.Context(), conn.NewScript("redis.setresp(3); "+lua), nil, nil)
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: got %+v, %v; want %+v", lua, got, err, want)
		}
	}
	_, err := c.Eval(t.Context(), conn.NewScript(`return {err='ERR with its code'}`), nil, nil)
	if conn.Code(err) != "ERR" {
		t.Errorf("got %v, want the code ERR", err)
	}
}

func TestMapKeepsItsOrder(t *testing.T) {
	t.Parallel()
	c := open(t, redistest.Shared(t).URL(), Options{})
	v, err := c.Do(t.Context(), conn.Cmd("XINFO", "HELP"))
	if err != nil || v.Kind != conn.Array {
		t.Fatalf("got %+v, %v", v, err)
	}
	if v, err = c.Do(t.Context(), conn.Cmd("HELLO")); err == nil {
		t.Fatalf("HELLO was sent over a shared connection: %+v", v)
	}
	if v, err = c.Do(t.Context(), conn.Cmd("MEMORY", "STATS")); err != nil || v.Kind != conn.Map || len(v.Elems)%2 != 0 {
		t.Fatalf("got %+v, %v", v, err)
	}
	if v.Elems[0].Str != "peak.allocated" || v.Elems[2].Str != "total.allocated" {
		t.Errorf("got %s, %s first", v.Elems[0].Str, v.Elems[2].Str)
	}
}
