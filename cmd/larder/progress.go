package main

import (
	"fmt"
	"io"
	"os"
	"sync"
	"time"
)

// progressEvery is how often the line is written anew.
const progressEvery = 100 * time.Millisecond

// progress is a line that tells how far a command has got: on a terminal one
// line that is rewritten, elsewhere one line per stage.
type progress struct {
	w        io.Writer
	terminal bool

	// mu protects the following.
	mu    sync.Mutex
	stage string
	last  time.Time
}

// newProgress writes to w; if quiet is set, only where w is a terminal.
func newProgress(w io.Writer, quiet bool) *progress {
	p := &progress{w: w, terminal: isTerminal(w)}
	if quiet && !p.terminal {
		p.w = io.Discard
	}
	return p
}

func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	if !ok {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}

// step says that done of total steps of a stage are behind; total 0 means that
// it is not known.
func (p *progress) step(stage string, done, total int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	fresh := stage != p.stage
	p.stage = stage
	if !p.terminal {
		if fresh {
			fmt.Fprintf(p.w, "%s …\n", stage)
		}
		return
	}
	if now := time.Now(); fresh || now.Sub(p.last) >= progressEvery {
		p.last = now
		of := ""
		if total > 0 {
			of = fmt.Sprintf(" of %d", total)
		}
		fmt.Fprintf(p.w, "\r\x1b[K%s: %d%s", stage, done, of)
	}
}

// clear takes the line away.
func (p *progress) clear() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.terminal && p.stage != "" {
		fmt.Fprint(p.w, "\r\x1b[K")
	}
	p.stage = ""
}
