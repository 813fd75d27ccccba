package ratelimit

import (
	_ "embed"

	"github.com/larder-go/larder/conn"
)

var (
	//go:embed prelude.lua
	prelude string
	//go:embed fixed_window.lua
	fixedText string
	//go:embed sliding_window.lua
	slidingText string
	//go:embed token_bucket.lua
	bucketText string
	//go:embed gcra.lua
	gcraText string
	//go:embed cached_window.lua
	cachedText string

	// scripts decide; cachedWindow uses the first for the calls that it does not
	// decide by itself.
	scripts = [...]*conn.Script{
		fixedWindow:   conn.NewScript(prelude + fixedText),
		slidingWindow: conn.NewScript(prelude + slidingText),
		tokenBucket:   conn.NewScript(prelude + bucketText),
		gcra:          conn.NewScript(prelude + gcraText),
		cachedWindow:  conn.NewScript(prelude + fixedText),
	}
	addScript = conn.NewScript(cachedText)
)
