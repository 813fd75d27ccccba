package redisconn

import (
	"strings"
	"testing"
)

// FuzzInfo: fields of INFO are found by their whole names, and hold no line end.
func FuzzInfo(f *testing.F) {
	f.Add("# Server\r\nredis_version:7.2.4\r\nrun_id:abc\r\n", "run_id")
	f.Add("run_id", "run_id")
	f.Add("a:b:c\nrun_id:\r\n", "a")
	f.Fuzz(func(t *testing.T, info, name string) {
		for key, value := range fields(info) {
			if strings.Contains(key+value, "\n") {
				t.Errorf("%q has %q: %q", info, key, value)
			}
		}
		if name == "" || strings.ContainsAny(name, "\r\n:") {
			return
		}
		if v := field(info, name); v != "" && !strings.Contains(info, name+":"+v) {
			t.Errorf("%q: %s is %q", info, name, v)
		}
	})
}
