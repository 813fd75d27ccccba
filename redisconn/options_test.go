package redisconn

import (
	"context"
	"crypto/tls"
	"strings"
	"testing"
	"time"
)

func TestBadOptions(t *testing.T) {
	t.Parallel()
	nobody := func(context.Context) (string, string, error) { return "", "", nil }
	for _, x := range []struct {
		url  string
		opts Options
		want []string
	}{
		{"redis://h", Options{DialTimeout: -1}, []string{"Options.DialTimeout", "-1ns", "positive"}},
		{"redis://h", Options{KeepAlive: -1}, []string{"Options.KeepAlive ", "-1ns", "positive"}},
		{"redis://h", Options{KeepAliveTimeout: -1}, []string{"Options.KeepAliveTimeout", "-1ns", "positive"}},
		{"redis://h", Options{SilenceTimeout: -1}, []string{"Options.SilenceTimeout", "-1ns", "positive"}},
		{"redis://h", Options{CutTimeout: -1}, []string{"Options.CutTimeout", "-1ns", "positive"}},
		{"redis://h", Options{CutTimeout: time.Millisecond}, []string{"Options.CutTimeout", "1ms", "SilenceTimeout", "150ms"}},
		{"redis://h", Options{Heartbeat: -1}, []string{"Options.Heartbeat", "-1ns", "positive"}},
		{"redis://h", Options{ReadWires: -1}, []string{"Options.ReadWires", "-1", "1 to 64"}},
		{"redis://h", Options{ReadWires: 65}, []string{"Options.ReadWires", "65", "1 to 64"}},
		{"redis://h", Options{ClientName: "a b"}, []string{"Options.ClientName", `"a b"`, "ASCII"}},
		{"redis://h", Options{TLS: &tls.Config{}}, []string{"Options.TLS", "redis", "rediss"}},
		{"redis://u:hush@h", Options{Credentials: nobody}, []string{"Options.Credentials", "URL"}},
		{"redis://h", Options{SentinelCredentials: nobody}, []string{"Options.SentinelCredentials", "redis"}},
	} {
		_, err := Open(t.Context(), x.url, x.opts)
		if err == nil {
			t.Errorf("%+v was accepted", x.opts)
			continue
		}
		for _, part := range x.want {
			if !strings.Contains(err.Error(), part) {
				t.Errorf("%v does not say %q", err, part)
			}
		}
		if strings.Contains(err.Error(), "hush") {
			t.Errorf("the error tells secrets: %v", err)
		}
	}
}

func TestDefaults(t *testing.T) {
	t.Parallel()
	o, err := Options{}.withDefaults()
	if err != nil || o.DialTimeout != DefaultDialTimeout || o.KeepAlive != DefaultKeepAlive ||
		o.KeepAliveTimeout != DefaultKeepAliveTimeout || o.ReadWires != defaultWires() || o.Logger == nil {
		t.Errorf("got %+v, %v", o, err)
	}
	if o.SilenceTimeout != DefaultSilenceTimeout || o.CutTimeout != DefaultCutTimeout || o.Heartbeat != DefaultHeartbeat {
		t.Errorf("got %+v", o)
	}
	if o, err = (Options{SilenceTimeout: time.Minute}).withDefaults(); err != nil || o.CutTimeout != time.Minute {
		t.Errorf("a long SilenceTimeout: %+v, %v", o, err)
	}
}
