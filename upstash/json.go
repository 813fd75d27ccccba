package upstash

import (
	"encoding/base64"
	"encoding/json"
	"strconv"
	"strings"

	"github.com/larder-go/larder/conn"
)

// parseJSON reads an array of exactly n results with base64 strings.
func parseJSON(body string, n int) ([]conn.Value, error) {
	var items []struct {
		Result any     `json:"result"`
		Error  *string `json:"error"`
	}
	d := json.NewDecoder(strings.NewReader(body))
	d.UseNumber()
	if err := d.Decode(&items); err != nil || len(items) != n || d.More() {
		return nil, errReply
	}
	values := make([]conn.Value, n)
	for i, item := range items {
		if item.Error != nil {
			values[i] = conn.Value{Kind: conn.Failure, Str: *item.Error}
			continue
		}
		v, ok := fromJSON(item.Result)
		if !ok {
			return nil, errReply
		}
		values[i] = v
	}
	return values, nil
}

// fromJSON converts one result. OK is a status, as it is not base64; so is no
// other text that could not be encoded.
func fromJSON(x any) (v conn.Value, ok bool) {
	switch x := x.(type) {
	case nil:
		return v, true
	case json.Number:
		if n, err := strconv.ParseInt(x.String(), 10, 64); err == nil {
			return conn.Value{Kind: conn.Int, Int: n}, true
		}
		return conn.Value{Kind: conn.Float, Str: x.String()}, true
	case string:
		if x == "OK" {
			return conn.Value{Kind: conn.Status, Str: x}, true
		}
		b, err := base64.StdEncoding.DecodeString(x)
		if err != nil { // an error within an array
			return conn.Value{Kind: conn.Bulk, Str: x}, true
		}
		return conn.Value{Kind: conn.Bulk, Str: string(b)}, true
	case []any:
		v = conn.Value{Kind: conn.Array, Elems: make([]conn.Value, len(x))}
		for i, e := range x {
			if v.Elems[i], ok = fromJSON(e); !ok {
				return conn.Value{}, false
			}
		}
		return v, true
	}
	return v, false
}
