package strategy_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/larder-go/larder/observe"
	"github.com/larder-go/larder/strategy"
)

// Each refusal names what is wrong and says what to write.
func TestRefusals(t *testing.T) {
	t.Parallel()
	c := engine(t)
	keys := func(prefix string, change func(*observe.Subject)) observe.Subject {
		s := observe.Subject{Kind: observe.Keys, Name: "own", Prefixes: []string{prefix}, TTL: time.Minute}
		if change != nil {
			change(&s)
		}
		return s
	}
	long := strings.Repeat("x", 2001)
	for name, tt := range map[string]struct {
		subject observe.Subject
		about   strategy.About
		field   string
		says    []string
	}{
		"TTL 0": {
			keys("own:", func(s *observe.Subject) { s.TTL = 0 }), complete,
			"TTL",
			[]string{`keys "own": TTL is 0: its keys would stay for ever; write one of 1s to 30d (Options.MinTTL and MaxTTL), and set it`},
		},
		"TTL too short": {
			keys("own:", func(s *observe.Subject) { s.TTL = time.Millisecond }), complete,
			"TTL",
			[]string{"TTL is 1ms; write one of 1s to 30d"},
		},
		"TTL too long": {
			keys("own:", func(s *observe.Subject) { s.TTL = 31 * 24 * time.Hour }), complete,
			"TTL",
			[]string{"TTL is 31d; write one of 1s to 30d"},
		},
		"no invalidation": {
			cache("own"),
			strategy.About{},
			"About.Invalidation",
			[]string{"is empty, and a value may be seen for 5m; write who drops an entry, and when", "Users.Save calls Invalidate(id)"},
		},
		"no invalidation, stale": {
			keys("own:", func(s *observe.Subject) { s.TTL, s.Stale = time.Second, time.Minute }),
			strategy.About{},
			"About.Invalidation",
			[]string{"for 1m1s"},
		},
		"the same prefix": {
			cache("user"), complete,
			"Prefixes",
			[]string{`cache "user": Prefixes has "user:", which overlaps "user:" of session "users"; write a name that is no beginning of the other's`},
		},
		"a prefix within another": {
			keys("shop:cart:open:", nil), complete,
			"Prefixes",
			[]string{`"shop:cart:open:", which overlaps "shop:cart:" of cache "cart"`},
		},
		"a prefix around another": {
			keys("shop:", nil), complete,
			"Prefixes",
			[]string{`"shop:", which overlaps "shop:cart:" of cache "cart"`},
		},
		"a prefix of a whole key": {
			keys("news", nil), complete,
			"Prefixes",
			[]string{`"news", which overlaps "news:today" of topic "news"`},
		},
		"a whole key within a prefix": {
			keys("x:", func(s *observe.Subject) { s.Prefixes, s.Keys = nil, []string{"user:1"} }), complete,
			"Keys",
			[]string{`"user:1", which overlaps "user:" of session "users"`},
		},
		"a whole key twice": {
			keys("x:", func(s *observe.Subject) { s.Prefixes, s.Keys = nil, []string{"news:today"} }), complete,
			"Keys",
			[]string{`"news:today", which overlaps "news:today" of topic "news"`},
		},
		"declared before": {
			observe.Subject{Kind: observe.Session, Name: "users", Prefixes: []string{"elsewhere:"}, TTL: time.Minute},
			complete,
			"Name",
			[]string{"was declared before", "one declaration for each kind and name"},
		},
		"upper case": {
			keys("Own:", nil), complete,
			"Prefixes",
			[]string{`has "Own", which the convention does not allow; write a name of this form: namespace:key, lower-case`, "About.Irregular"},
		},
		"slashes": {
			observe.Subject{Kind: observe.Gateway, Name: "a/b"},
			complete,
			"Name",
			[]string{`"a/b"`},
		},
		"Larder's own": {
			keys("~tag:", nil),
			strategy.About{Invalidation: "none", Irregular: "it is not"},
			"Prefixes",
			[]string{"Larder's own"},
		},
		"no kind": {
			keys("own:", func(s *observe.Subject) { s.Kind = "" }), complete,
			"Kind",
			[]string{"observe.Keys"},
		},
		"no name": {
			keys("own:", func(s *observe.Subject) { s.Name = "" }), complete,
			"Name",
			[]string{"1 to 512 bytes"},
		},
		"an empty prefix": {
			keys("", nil), complete,
			"Prefixes",
			[]string{"1 to 512 bytes"},
		},
		"a long text": {
			keys("own:", nil),
			strategy.About{Invalidation: "x", WrittenBy: []string{"ok", long}},
			"About.WrittenBy",
			[]string{"has 2001 bytes; write up to 2000 bytes"},
		},
		"a long list": {
			keys("own:", nil),
			strategy.About{Invalidation: "x", Source: make([]string, 33)},
			"About.Source",
			[]string{"has 33 elements; write up to 32"},
		},
		"a criticality": {
			keys("own:", nil),
			strategy.About{Invalidation: "x", Criticality: "very"},
			"About.Criticality",
			[]string{`is "very"; write strategy.Low, Medium or High`},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := registry(t, c, strategy.Options{Service: "shop"})
			declare(t, r, observe.Subject{Kind: observe.Session, Name: "users", Prefixes: []string{"user:"}, TTL: time.Hour}, complete)
			declare(t, r, observe.Subject{Kind: observe.Cache, Name: "cart", Prefixes: []string{"shop:cart:"}, TTL: time.Hour}, complete)
			declare(t, r, observe.Subject{Kind: observe.Topic, Name: "news", Keys: []string{"news:today"}, TTL: time.Hour}, complete)
			err := r.Declare(tt.subject, tt.about)
			var e *strategy.Error
			if !errors.As(err, &e) || e.Field != tt.field || e.Kind != tt.subject.Kind {
				t.Fatalf("%v", err)
			}
			for _, s := range tt.says {
				if !strings.Contains(err.Error(), s) {
					t.Errorf("%q does not say %q", err, s)
				}
			}
			if n := len(r.Declared()); n != 3 {
				t.Errorf("%d declarations after a refusal", n)
			}
		})
	}
	r := registry(t, c, strategy.Options{Service: "shop"})
	if err := r.Declare(nil, complete); err == nil || !strings.Contains(err.Error(), "the subject is nil; write a feature") {
		t.Error(err)
	}
}

// What is wrong is said at once, not one thing at a time.
func TestAllRefusalsAtOnce(t *testing.T) {
	t.Parallel()
	r := registry(t, engine(t), strategy.Options{Service: "shop", Strict: true})
	s := cache("Own")
	s.TTL = 100 * 24 * time.Hour
	err := r.Declare(s, strategy.About{Purpose: "p"})
	for _, want := range []string{"Prefixes", "TTL", "About.Invalidation", "About.Owner", "About.Criticality", "About.Why", "About.Staleness"} {
		if err == nil || strings.Count(err.Error(), ": "+want+" ") != 1 {
			t.Errorf("%s is not said once: %v", want, err)
		}
	}
	if err == nil || strings.Contains(err.Error(), "About.Purpose") {
		t.Error(err)
	}
}

func TestAllowed(t *testing.T) {
	t.Parallel()
	r := registry(t, engine(t), strategy.Options{Service: "shop", MinTTL: time.Millisecond, MaxTTL: time.Hour})
	for _, tt := range []struct {
		subject observe.Subject
		about   strategy.About
	}{
		{observe.Subject{Kind: observe.Cache, Name: "short", Prefixes: []string{"short:"}, TTL: time.Minute}, strategy.About{}},
		{observe.Subject{Kind: observe.Limiter, Name: "@upstash/ratelimit", Prefixes: []string{"@upstash/ratelimit:"}, TTL: time.Hour}, strategy.About{Irregular: "the prefix of TypeScript's limiters"}},
		{observe.Subject{Kind: observe.Topic, Name: "channel"}, strategy.About{}},
		{observe.Subject{Kind: observe.Topic, Name: "stream", Keys: []string{"stream"}, TTL: time.Hour}, strategy.About{}},
		{observe.Subject{Kind: observe.Topic, Name: "stream-2", Keys: []string{"stream-2"}, TTL: time.Hour}, strategy.About{}},
		{observe.Subject{Kind: observe.Keys, Name: "a:b", Prefixes: []string{"a:b:", "a:c_d.e-f:"}, TTL: time.Millisecond}, strategy.About{}},
		{observe.Subject{Kind: observe.Session, Name: "channel", Prefixes: []string{"s:"}, TTL: time.Hour}, strategy.About{}},
	} {
		if err := r.Declare(tt.subject, tt.about); err != nil {
			t.Error(err)
		}
	}
}

func TestConvention(t *testing.T) {
	t.Parallel()
	r := registry(t, engine(t), strategy.Options{Service: "shop", Convention: strategy.Convention{Pattern: "shop|shop:.*", Text: "shop:anything"}})
	if err := r.Declare(cache("shop:User"), complete); err != nil {
		t.Error(err)
	}
	for _, name := range []string{"shopping", "my-shop", "user"} { // the pattern is anchored as a whole
		if err := r.Declare(cache(name), complete); err == nil || !strings.Contains(err.Error(), "shop:anything") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// What all of them say together has a bound, and what fits can be published.
func TestBound(t *testing.T) {
	t.Parallel()
	c := engine(t)
	r := registry(t, c, strategy.Options{Service: strings.Repeat("s", 100)})
	about := strategy.About{Invalidation: strings.Repeat("\x01", 2000)} // six bytes each in JSON
	n := 0
	for ; ; n++ {
		if err := r.Declare(cache("c"+strings.Repeat("x", n)), about); err != nil {
			if !strings.Contains(err.Error(), "more than 1 MiB") {
				t.Error(err)
			}
			break
		}
	}
	publish(t, r)
	if doc := read(t, c); n < 10 || len(doc.Services) != 1 || len(doc.Services[0].Declarations) != n {
		t.Errorf("%d declarations fit", n)
	}
}

func TestOptions(t *testing.T) {
	t.Parallel()
	c := engine(t)
	for field, o := range map[string]strategy.Options{
		"Options.Service":            {},
		"Options.Version":            {Version: "a\nb"},
		"Options.MinTTL":             {MinTTL: -1},
		"Options.MaxTTL":             {MinTTL: time.Hour, MaxTTL: time.Minute},
		"Options.Renew":              {Renew: time.Millisecond},
		"Options.Keep":               {Renew: time.Minute, Keep: time.Minute},
		"Options.Convention.Text":    {Convention: strategy.Convention{Pattern: "a"}},
		"Options.Convention.Pattern": {Convention: strategy.Convention{Pattern: "a)(b", Text: "t"}},
	} {
		if field != "Options.Service" {
			o.Service = "shop"
		}
		_, err := strategy.New(c, o)
		if e := (*strategy.Error)(nil); !errors.As(err, &e) || e.Field != field || e.Write == "" {
			t.Errorf("%s: %v", field, err)
		}
	}
	if _, err := strategy.New(nil, strategy.Options{Service: "shop"}); err == nil || !strings.Contains(err.Error(), "the conn is nil") {
		t.Error(err)
	}
}
