package redisconn

import (
	"errors"
	"fmt"
	"net/url"
	"path"
	"slices"
	"strconv"
	"strings"
)

// target is what a URL says.
type target struct {
	scheme             string // as written, lower case
	tls                bool
	cluster            bool
	unix               bool
	addrs              []string // host:port, or the path of the socket
	master             string   // the name that sentinels know; empty without sentinels
	database           int
	username, password string
}

// The schemes, by what they lead to.
var schemes = func() map[string]target {
	m := map[string]target{"unix": {unix: true}}
	for _, name := range []string{"redis", "valkey"} {
		for _, s := range []string{"", "s"} {
			m[name+s] = target{tls: s != ""}
			m[name+s+"+cluster"] = target{tls: s != "", cluster: true}
			m[name+s+"+sentinel"] = target{tls: s != "", master: "?"}
		}
	}
	return m
}()

const allowedSchemes = "redis, rediss, unix, redis+cluster, rediss+cluster, redis+sentinel, rediss+sentinel, or valkey in place of redis"

// bad is an error about one part of the URL. It never holds text of the URL
// that could be a password in the wrong place: net/url's errors do.
func bad(part, format string, args ...any) error {
	return fmt.Errorf("redisconn: URL: %s: %s", part, fmt.Sprintf(format, args...))
}

// parseURL reads a URL of the forms that the package documents.
func parseURL(raw string) (target, error) {
	if raw == "" {
		return target{}, errors.New("redisconn: the URL is empty (is the variable set that it comes from?); nothing is used in its place")
	}
	if strings.ContainsFunc(raw, func(r rune) bool { return r <= ' ' || r == 0x7f }) {
		return target{}, bad("text", "it contains spaces or line ends; remove them, or write them percent-encoded")
	}
	scheme, rest, ok := strings.Cut(raw, "://")
	scheme = strings.ToLower(scheme)
	t, known := schemes[scheme]
	switch {
	case !ok:
		return t, bad("scheme", "missing; a URL starts with one of %s, and ://", allowedSchemes)
	case !known:
		return t, bad("scheme", "unknown; allowed: %s", allowedSchemes)
	}
	t.scheme = scheme

	end := strings.IndexAny(rest, "/?#")
	if end < 0 {
		end = len(rest)
	}
	authority, tail := rest[:end], rest[end:]
	if authority != "" && !strings.Contains(authority, "@") && strings.Contains(tail, "@") {
		return t, bad("credentials", "one of / ? # stands before the @; write it percent-encoded (%%2F %%3F %%23)")
	}
	if strings.Contains(tail, "#") {
		return t, bad("fragment", "not allowed; write # percent-encoded (%%23)")
	}
	location, query, _ := strings.Cut(tail, "?")
	hosts, err := t.credentials(authority)
	if err != nil {
		return t, err
	}
	params, err := t.parameters(query)
	if err != nil {
		return t, err
	}
	switch {
	case t.unix:
		return t.socket(hosts, location, params)
	case t.master != "":
		return t.sentinels(hosts, location)
	case t.cluster:
		return t.nodes(hosts, location, params)
	}
	return t.single(hosts, location)
}

// credentials takes user and password off the authority and returns the rest.
func (t *target) credentials(authority string) (hosts string, err error) {
	at := strings.LastIndexByte(authority, '@')
	if at < 0 {
		return authority, nil
	}
	user, pass, _ := strings.Cut(authority[:at], ":")
	if t.username, err = url.PathUnescape(user); err == nil {
		t.password, err = url.PathUnescape(pass)
	}
	if err != nil {
		return "", bad("credentials", "bad percent-encoding; %% is followed by two hexadecimal digits")
	}
	return authority[at+1:], nil
}

// parameters checks the query against what the scheme knows.
func (t *target) parameters(query string) (url.Values, error) {
	allowed := ""
	switch {
	case t.unix:
		allowed = "db"
	case t.cluster:
		allowed = "addr"
	}
	params, err := url.ParseQuery(query)
	if err != nil {
		return nil, bad("parameter", "bad encoding")
	}
	for name, values := range params {
		switch {
		case allowed == "":
			return nil, bad("parameter", "%s:// takes none", t.scheme)
		case name != allowed:
			return nil, bad("parameter", "unknown; %s:// takes %s only", t.scheme, allowed)
		case allowed == "db" && len(values) > 1:
			return nil, bad("parameter", "db is given %d times; once is allowed", len(values))
		}
	}
	return params, nil
}

func (t target) single(hosts, location string) (target, error) {
	if strings.Contains(hosts, ",") {
		return t, bad("host", "%s:// takes one; for several use redis+cluster:// or redis+sentinel://", t.scheme)
	}
	addr, err := address(hosts, "6379")
	if err != nil {
		return t, err
	}
	t.addrs = []string{addr}
	t.database, err = database(strings.TrimPrefix(location, "/"))
	return t, err
}

func (t target) nodes(hosts, location string, params url.Values) (target, error) {
	if db := strings.TrimPrefix(location, "/"); db != "" && db != "0" {
		return t, bad("database", "a cluster has database 0 only")
	}
	for _, h := range slices.Concat(strings.Split(hosts, ","), params["addr"]) {
		addr, err := address(h, "6379")
		if err != nil {
			return t, err
		}
		if !slices.Contains(t.addrs, addr) {
			t.addrs = append(t.addrs, addr)
		}
	}
	return t, nil
}

func (t target) sentinels(hosts, location string) (target, error) {
	name, db, _ := strings.Cut(strings.TrimPrefix(location, "/"), "/")
	master, err := url.PathUnescape(name)
	if err != nil || master == "" {
		return t, bad("master", "missing or badly encoded; the form is %s://host:26379,host:26379/master[/database]", t.scheme)
	}
	t.master = master
	for h := range strings.SplitSeq(hosts, ",") {
		addr, err := address(h, "26379")
		if err != nil {
			return t, err
		}
		t.addrs = append(t.addrs, addr)
	}
	t.database, err = database(db)
	return t, err
}

func (t target) socket(hosts, location string, params url.Values) (target, error) {
	file, err := url.PathUnescape(location)
	if hosts != "" || err != nil || !path.IsAbs(file) || file == "/" {
		return t, bad("path", "the form is unix:///absolute/path/to/redis.sock, or unix://user:password@/absolute/path")
	}
	t.addrs = []string{file}
	t.database, err = database(params.Get("db"))
	return t, err
}

// database reads a database number; nothing means 0.
func database(s string) (int, error) {
	if s == "" {
		return 0, nil
	}
	n, err := strconv.Atoi(s)
	if err != nil || n < 0 {
		return 0, bad("database", "not a number; it must be 0 or more")
	}
	return n, nil
}
