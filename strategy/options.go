package strategy

import (
	"fmt"
	"log/slog"
	"runtime/debug"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/larder-go/larder/internal/describe"
)

// The defaults of Options.
const (
	DefaultMinTTL = time.Second
	DefaultMaxTTL = 30 * 24 * time.Hour
	DefaultRenew  = 30 * time.Second
	DefaultKeep   = 24 * time.Hour
)

// What may be declared.
const (
	maxNameBytes    = 512
	maxTextBytes    = 2000
	maxList         = 32
	maxDeclarations = 1000
	maxBodyBytes    = 1 << 20
)

// Options are the settings of New. Service is required.
type Options struct {
	// Service is the name that the document lists the declarations under: that of the
	// program, the same in all its processes. 1 to 100 bytes without control
	// characters.
	Service string

	// Version tells deployments apart: two that run at the same time are both shown.
	// Empty means the version of the program's build (the module's, or the revision
	// of the repository), "unknown" if it has none; up to 100 bytes.
	Version string

	// Convention is what names look like. The zero value means DefaultConvention.
	Convention Convention

	// MinTTL and MaxTTL are what a TTL may be. 0 means DefaultMinTTL (1 s) and
	// DefaultMaxTTL (30 days); negative is an error.
	MinTTL, MaxTTL time.Duration

	// Strict refuses declarations that leave out what the document would warn of:
	// Purpose, Owner, Criticality, and, where they apply, Why, Staleness and
	// Invalidation.
	Strict bool

	// Renew is how often a process says that it is alive; three times that without it,
	// and it is not counted any more. 0 means DefaultRenew (30 s); at least 10 ms, at
	// most 1 h.
	Renew time.Duration

	// Keep is for how long declarations stay readable after the last process has
	// ended. 0 means DefaultKeep (24 h); at least three times Renew, at most a year.
	Keep time.Duration

	// Logger hears of what no caller is told: that Redis does not take the
	// declarations, and that other services claim the same keys (Warn). Nil means
	// silence.
	Logger *slog.Logger
}

func (o Options) withDefaults() Options {
	for value, def := range map[*time.Duration]time.Duration{
		&o.MinTTL: DefaultMinTTL, &o.MaxTTL: DefaultMaxTTL, &o.Renew: DefaultRenew, &o.Keep: DefaultKeep,
	} {
		if *value == 0 {
			*value = def
		}
	}
	if o.Version == "" {
		o.Version = buildVersion()
	}
	if o.Convention == (Convention{}) {
		o.Convention = DefaultConvention
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	return o
}

func (o Options) validate() error {
	label := func(s string) bool {
		return s != "" && len(s) <= 100 && utf8.ValidString(s) && !strings.ContainsFunc(s, isControl)
	}
	switch {
	case !label(o.Service):
		return optionError("Service", fmt.Sprintf("%q", o.Service), `the program's name, 1 to 100 bytes, such as "shop"`)
	case !label(o.Version):
		return optionError("Version", fmt.Sprintf("%q", o.Version), "up to 100 bytes without control characters, or nothing for the build's")
	case o.MinTTL < time.Millisecond:
		return optionError("MinTTL", o.MinTTL, "at least 1ms, or 0 for 1s")
	case o.MaxTTL < o.MinTTL:
		return optionError("MaxTTL", o.MaxTTL, fmt.Sprintf("at least MinTTL (%s), or 0 for 30 days", describe.Duration(o.MinTTL)))
	case o.Renew < 10*time.Millisecond || o.Renew > time.Hour:
		return optionError("Renew", o.Renew, "10ms to 1h, or 0 for 30s")
	case o.Keep < 3*o.Renew || o.Keep > 366*24*time.Hour:
		return optionError("Keep", o.Keep, fmt.Sprintf("%s (three times Renew) to a year, or 0 for 24h", describe.Duration(3*o.Renew)))
	}
	return o.Convention.validate()
}

// buildVersion is what the linker knows of the program.
func buildVersion() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	revision, dirty := "", ""
	for _, s := range info.Settings {
		switch {
		case s.Key == "vcs.revision":
			revision = s.Value[:min(len(s.Value), 12)]
		case s.Key == "vcs.modified" && s.Value == "true":
			dirty = "+dirty"
		}
	}
	switch {
	case revision != "":
		return revision + dirty
	case info.Main.Version != "" && info.Main.Version != "(devel)":
		return info.Main.Version
	}
	return "unknown"
}
