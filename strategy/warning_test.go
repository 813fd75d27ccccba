package strategy_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/larder-go/larder/conn"
	"github.com/larder-go/larder/observe"
	"github.com/larder-go/larder/strategy"
)

// What two services claim is reported, to readers and to both of them.
func TestConflicts(t *testing.T) {
	t.Parallel()
	everywhere(t, func(t *testing.T, c conn.Conn) {
		shop := registry(t, c, strategy.Options{Service: "shop"})
		mail := registry(t, c, strategy.Options{Service: "mail"})
		declare(t, shop, cache("user"), complete)
		declare(t, shop, cache("page"), complete)
		declare(t, mail, cache("user"), complete)
		declare(t, mail, observe.Subject{Kind: observe.Keys, Name: "all", Prefixes: []string{"pa"}, TTL: time.Minute}, complete)
		declare(t, mail, cache("mine"), complete)
		publish(t, shop)
		publish(t, mail)
		want := []string{
			`conflict: "pa" of keys "all" ("mail") and "page:" of cache "page" ("shop") can be the same keys; rename one of them`,
			`conflict: cache "user" is declared by "mail" and by "shop"; give one of them another name, or set About.Shared in both where they mean the same`,
		}
		for _, r := range []*strategy.Registry{shop, mail} {
			warnings, err := r.Check(soon(t))
			if err != nil {
				t.Fatal(err)
			}
			check(t, warnings, want...)
		}
		check(t, read(t, c).Warnings, want...)
		other := registry(t, c, strategy.Options{Service: "other"})
		declare(t, other, cache("own"), complete)
		publish(t, other)
		if warnings, err := other.Check(soon(t)); err != nil || len(warnings) != 0 {
			t.Errorf("what does not concern it: %v, %v", warnings, err)
		}
	})
}

func check(t *testing.T, got []strategy.Warning, want ...string) {
	t.Helper()
	var texts []string
	for _, w := range got {
		texts = append(texts, string(w.Code)+": "+w.Text)
	}
	if a, b := strings.Join(texts, "\n"), strings.Join(want, "\n"); a != b {
		t.Errorf("got\n%s\nwant\n%s", a, b)
	}
}

func TestShared(t *testing.T) {
	t.Parallel()
	c := engine(t)
	about := complete
	about.Shared = true
	stream := func(retention time.Duration) observe.Subject {
		return observe.Subject{Kind: observe.Topic, Name: "orders", Keys: []string{"orders"}, Type: "stream", TTL: retention}
	}
	shop := registry(t, c, strategy.Options{Service: "shop"})
	mail := registry(t, c, strategy.Options{Service: "mail"})
	declare(t, shop, stream(time.Hour), about)
	declare(t, mail, stream(time.Hour), about)
	publish(t, shop)
	publish(t, mail)
	check(t, read(t, c).Warnings)
	odd := registry(t, c, strategy.Options{Service: "odd"})
	declare(t, odd, stream(time.Minute), about)
	publish(t, odd)
	check(t, read(t, c).Warnings,
		`differs: topic "orders" is shared by "mail" and "odd", and differs: TTL "1h" and "1m"; give it the same options in both`,
		`differs: topic "orders" is shared by "odd" and "shop", and differs: TTL "1m" and "1h"; give it the same options in both`)
}

func TestMissing(t *testing.T) {
	t.Parallel()
	c := engine(t)
	for i := range 2 { // two versions have the same faults, which are told once
		r := registry(t, c, strategy.Options{Service: "shop", Version: fmt.Sprint("v", i)})
		s := cache("user")
		s.TTL = time.Minute
		declare(t, r, s, strategy.About{Owner: "accounts"})
		declare(t, r, observe.Subject{Kind: observe.Topic, Name: "news"}, strategy.About{})
		publish(t, r)
	}
	check(t, read(t, c).Warnings,
		`missing: cache "user" of "shop": nothing is said of Purpose, Criticality, Why, Staleness, Invalidation`,
		`missing: topic "news" of "shop": nothing is said of Purpose, Owner, Criticality`)
}

// A new version that claims keys for something else is told apart from the old one.
func TestConflictBetweenVersions(t *testing.T) {
	t.Parallel()
	c := engine(t)
	for i, s := range []observe.Subject{cache("user"), {Kind: observe.Session, Name: "login", Prefixes: []string{"user:"}, TTL: time.Hour}} {
		r := registry(t, c, strategy.Options{Service: "shop", Version: fmt.Sprint("v", i)})
		declare(t, r, s, complete)
		publish(t, r)
	}
	if w := read(t, c).Warnings; len(w) != 1 || w[0].Code != strategy.Conflict || len(w[0].Services) != 1 {
		t.Errorf("%+v", w)
	}
}

// What is in Redis and not of this form is a warning, or an error where nothing is.
func TestUnreadable(t *testing.T) {
	t.Parallel()
	everywhere(t, func(t *testing.T, c conn.Conn) {
		r := registry(t, c, strategy.Options{Service: "shop"})
		declare(t, r, cache("user"), complete)
		publish(t, r)
		do := func(name, key string, args ...string) {
			t.Helper()
			if _, err := c.Do(soon(t), conn.Key(name, "{larder:strategy}:"+key, args...)); err != nil {
				t.Fatal(err)
			}
		}
		deadline := fmt.Sprint(time.Now().Add(time.Hour).UnixMilli())
		for _, digest := range []string{"newer", "broken", "string", "absent"} {
			do("ZADD", "sets", deadline, digest)
		}
		do("HSET", "set:newer", "declared", `{"format":2,"service":"future"}`, "since", "1")
		do("HSET", "set:broken", "declared", `{`, "since", "1")
		do("SET", "set:string", "x", "PX", "100000")
		doc := read(t, c)
		if services(doc) != "shop v1×1" {
			t.Errorf("%+v", doc.Services)
		}
		check(t, doc.Warnings, "unreadable: 3 sets of declarations could not be read; perhaps a newer version of Larder has written them: read them with that")
		do("SET", "sets", "x", "PX", "100000")
		if _, err := strategy.Read(soon(t), c); err == nil || !strings.Contains(err.Error(), "not of this form") {
			t.Error(err)
		}
	})
}

// Each overlap is found, and reported once.
func TestManyOverlaps(t *testing.T) {
	t.Parallel()
	c := engine(t)
	for _, service := range []string{"a", "b"} {
		r := registry(t, c, strategy.Options{Service: service})
		for i := range 100 {
			name := fmt.Sprintf("%s-%d", service, i)
			s := observe.Subject{Kind: observe.Keys, Name: name, Prefixes: []string{"x:" + name}, TTL: time.Minute}
			if service == "b" {
				s.Prefixes, s.Keys = nil, []string{fmt.Sprintf("x:a-%d:1", i)}
			}
			if err := r.Declare(s, complete); err != nil && service == "b" {
				t.Fatal(err)
			}
		}
		publish(t, r)
	}
	// "x:a-1" and the like overlap "x:a-1…" within their service, and were refused.
	if n := len(read(t, c).Warnings); n != 100 {
		t.Errorf("%d warnings", n)
	}
}
