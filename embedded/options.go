package embedded

import (
	"fmt"
	"time"
)

// Defaults of Options.
const (
	DefaultMaxKeys       = 1_000_000
	DefaultMaxValueBytes = 64 << 20
	DefaultScriptTimeout = 5 * time.Second
)

// Options configures an Engine. The zero Options is valid.
type Options struct {
	// MaxKeys is how many keys the engine holds; writes that would create more
	// are refused with an OOM error. Zero means DefaultMaxKeys; negative values
	// are refused.
	MaxKeys int

	// MaxValueBytes bounds one argument of a command and one string value, in
	// bytes. Zero means DefaultMaxValueBytes; negative values are refused.
	MaxValueBytes int

	// ScriptTimeout is how long a script may run, in which time it keeps all
	// other commands waiting. Zero means DefaultScriptTimeout; negative values
	// are refused.
	ScriptTimeout time.Duration

	// Now is the engine's clock, for tests. Nil means time.Now. Expiry that no
	// command notices is still driven by real time.
	Now func() time.Time
}

func (o Options) withDefaults() Options {
	if o.MaxKeys == 0 {
		o.MaxKeys = DefaultMaxKeys
	}
	if o.MaxValueBytes == 0 {
		o.MaxValueBytes = DefaultMaxValueBytes
	}
	if o.ScriptTimeout == 0 {
		o.ScriptTimeout = DefaultScriptTimeout
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	return o
}

func (o Options) validate() error {
	switch {
	case o.MaxKeys < 0:
		return fmt.Errorf("embedded: Options.MaxKeys is %d, must be at least 0 (0 means %d)", o.MaxKeys, DefaultMaxKeys)
	case o.MaxValueBytes < 0:
		return fmt.Errorf("embedded: Options.MaxValueBytes is %d, must be at least 0 (0 means %d)", o.MaxValueBytes, DefaultMaxValueBytes)
	case o.ScriptTimeout < 0:
		return fmt.Errorf("embedded: Options.ScriptTimeout is %v, must be at least 0 (0 means %v)", o.ScriptTimeout, DefaultScriptTimeout)
	}
	return nil
}
