package redisconn

import (
	"context"
	"strings"

	"github.com/larder-go/larder/conn"
)

// discover asks the server what it is.
func (c *client) discover(ctx context.Context) (conn.Capabilities, error) {
	caps := conn.Capabilities{Server: "redis", Cluster: c.cluster, Blocking: true}
	v, err := c.reply(ctx, "INFO", c.rc.Do(ctx, c.rc.B().Arbitrary("INFO", "server").Build()))
	if conn.Code(err) == "NOPERM" {
		return caps, nil // an access rule hides the version
	}
	if err != nil {
		return caps, err
	}
	info := fields(v.Str)
	caps.Version = info["redis_version"]
	if version, ok := info["valkey_version"]; ok {
		caps.Server, caps.Version = "valkey", version
	}
	if info["redis_mode"] == "cluster" && !c.cluster {
		return caps, errIsCluster
	}
	return caps, nil
}

// fields reads the lines of an INFO reply.
func fields(info string) map[string]string {
	m := make(map[string]string)
	for line := range strings.Lines(info) {
		if name, value, ok := strings.Cut(strings.TrimRight(line, "\r\n"), ":"); ok {
			m[name] = value
		}
	}
	return m
}
