package larder_test

import (
	"errors"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/larder-go/larder"
	"github.com/larder-go/larder/embedded"
)

func TestOptionsAreChecked(t *testing.T) {
	type options = larder.Options[string, int]
	good := options{Namespace: "n", TTL: time.Minute, Local: true}
	for name, tt := range map[string]struct {
		change func(*options)
		field  string // "" where it is accepted
	}{
		"as it is":              {func(*options) {}, ""},
		"no namespace":          {func(o *options) { o.Namespace = "" }, "Namespace"},
		"colon in namespace":    {func(o *options) { o.Namespace = "a:b" }, "Namespace"},
		"space in namespace":    {func(o *options) { o.Namespace = "a b" }, "Namespace"},
		"newline in namespace":  {func(o *options) { o.Namespace = "a\n" }, "Namespace"},
		"tilde namespace":       {func(o *options) { o.Namespace = "~a" }, "Namespace"},
		"namespace not UTF-8":   {func(o *options) { o.Namespace = "\xff" }, "Namespace"},
		"long namespace":        {func(o *options) { o.Namespace = strings.Repeat("n", 101) }, "Namespace"},
		"longest namespace":     {func(o *options) { o.Namespace = strings.Repeat("n", 100) }, ""},
		"namespace with braces": {func(o *options) { o.Namespace = "a{b}-c.d/e" }, ""},
		"no TTL":                {func(o *options) { o.TTL = 0 }, "TTL"},
		"negative TTL":          {func(o *options) { o.TTL = -1 }, "TTL"},
		"TTL too short":         {func(o *options) { o.TTL = time.Microsecond }, "TTL"},
		"TTL too long":          {func(o *options) { o.TTL = math.MaxInt64 }, "TTL"},
		"negative StaleFor":     {func(o *options) { o.StaleFor = -1 }, "StaleFor"},
		"negative NegativeTTL":  {func(o *options) { o.NegativeTTL = -1 }, "NegativeTTL"},
		"tiny NegativeTTL":      {func(o *options) { o.NegativeTTL = 1 }, "NegativeTTL"},
		"negative L1TTL":        {func(o *options) { o.L1TTL = -1 }, "L1TTL"},
		"negative LoadTimeout":  {func(o *options) { o.LoadTimeout = -1 }, "LoadTimeout"},
		"negative CacheTimeout": {func(o *options) { o.CacheTimeout = -1 }, "CacheTimeout"},
		"negative RetryAfter":   {func(o *options) { o.RetryAfter = -1 }, "RetryAfter"},
		"short Lease":           {func(o *options) { o.Lease = time.Millisecond }, "Lease"},
		"long Lease":            {func(o *options) { o.Lease = 2 * time.Hour }, "Lease"},
		"Jitter of all":         {func(o *options) { o.Jitter = 1 }, "Jitter"},
		"Jitter not a number":   {func(o *options) { o.Jitter = math.NaN() }, "Jitter"},
		"no Jitter":             {func(o *options) { o.Jitter = -1 }, ""},
		"negative MaxKeyBytes":  {func(o *options) { o.MaxKeyBytes = -1 }, "MaxKeyBytes"},
		"negative MaxValue":     {func(o *options) { o.MaxValueBytes = -1 }, "MaxValueBytes"},
		"huge MaxValue":         {func(o *options) { o.MaxValueBytes = 1 << 30 }, "MaxValueBytes"},
		"local without L1":      {func(o *options) { o.L1MaxBytes = -1 }, "L1MaxBytes"},
		"no conn, not local":    {func(o *options) { o.Local = false }, "conn"},
	} {
		t.Run(name, func(t *testing.T) {
			o := good
			tt.change(&o)
			c, err := larder.New(nil, o)
			if tt.field == "" {
				if err != nil {
					t.Fatal(err)
				}
				if err := c.Close(); err != nil {
					t.Fatal(err)
				}
				return
			}
			oe, ok := errors.AsType[*larder.OptionError](err)
			if !ok || oe.Field != tt.field || oe.Allowed == "" || !strings.Contains(err.Error(), oe.Allowed) {
				t.Errorf("error %v, want one that names %s and what is allowed", err, tt.field)
			}
		})
	}
}

func TestNewRefusesWhatCannotWork(t *testing.T) {
	c, err := embedded.Open(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close() }()
	if _, err := larder.New(c, larder.Options[string, int]{Namespace: "n", TTL: time.Minute, Local: true}); err == nil {
		t.Error("a local cache took a connection")
	}
	if _, err := larder.New(c, larder.Options[float64, int]{Namespace: "n", TTL: time.Minute}); err == nil || !strings.Contains(err.Error(), "float64") {
		t.Errorf("keys that cannot be encoded: %v", err)
	}
	if err := larder.InvalidateTags(t.Context(), nil, "x"); err == nil {
		t.Error("tags were invalidated on no connection")
	}
	if err := larder.InvalidateTags(t.Context(), c, ""); err == nil {
		t.Error("the empty tag was accepted")
	}
}

func TestErrorsPrintNoKeysOrValues(t *testing.T) {
	c, err := larder.New(nil, larder.Options[string, int]{Namespace: "n", TTL: time.Minute, Local: true})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close() }()
	_, err = c.Get(t.Context(), "secret")
	le, ok := errors.AsType[*larder.Error](err)
	if !ok || !errors.Is(err, larder.ErrNoLoader) || le.Op != "get" || le.Namespace != "n" || le.Key != "secret" {
		t.Errorf("%#v", err)
	}
	if strings.Contains(err.Error(), "secret") {
		t.Errorf("the key is printed: %v", err)
	}
}
