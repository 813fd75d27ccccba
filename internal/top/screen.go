package top

import (
	"bytes"
	"context"
	"io"
	"strings"
	"time"
)

// What a terminal is told: another buffer, so that what was there comes back at the
// end; no cursor; home, and clear to the end of a line and of the screen.
const (
	enter     = "\x1b[?1049h\x1b[?25l"
	leave     = "\x1b[?25h\x1b[?1049l"
	home      = "\x1b[H"
	clearLine = "\x1b[K"
	clearRest = "\x1b[J"
)

// Screen repaints a terminal.
type Screen struct {
	// Out is the terminal. Size returns its lines, 0 where that is not known.
	Out  io.Writer
	Size func() (lines int)
	// Keys are what is typed, byte by byte; q, Ctrl-C, Ctrl-D and Escape end it. Nil
	// means that only ctx does.
	Keys <-chan byte
	// Every is the time between two paintings.
	Every time.Duration
}

// Run paints what paint writes until it is ended. An error of paint is shown, and tried
// again; one of the terminal ends it.
func (s Screen) Run(ctx context.Context, paint func(context.Context, io.Writer) error) (err error) {
	if _, err := io.WriteString(s.Out, enter); err != nil {
		return err
	}
	defer func() {
		if _, werr := io.WriteString(s.Out, leave); err == nil {
			err = werr
		}
	}()
	tick := time.NewTicker(s.Every)
	defer tick.Stop()
	keys := s.Keys
	for {
		var b bytes.Buffer
		if err := paint(ctx, &b); err != nil && ctx.Err() == nil {
			b.Reset()
			b.WriteString("larder top: " + err.Error() + "\n")
		}
		if ctx.Err() != nil {
			return nil
		}
		if _, err := io.WriteString(s.Out, s.frame(b.String())); err != nil {
			return err
		}
		for waiting := true; waiting; {
			select {
			case <-ctx.Done():
				return nil
			case k, open := <-keys:
				switch {
				case !open:
					keys = nil
				case strings.IndexByte("qQ\x03\x04\x1b", k) >= 0:
					return nil
				}
			case <-tick.C:
				waiting = false
			}
		}
	}
}

// frame is a screenful: repainting line by line does not flicker.
func (s Screen) frame(text string) string {
	lines := strings.Split(strings.TrimSuffix(text, "\n"), "\n")
	if s.Size != nil {
		if n := s.Size(); n > 1 && len(lines) > n-1 {
			lines = lines[:n-1]
		}
	}
	var b strings.Builder
	b.WriteString(home)
	for _, line := range lines {
		b.WriteString(line + clearLine + "\r\n")
	}
	b.WriteString("q quits" + clearLine + clearRest)
	return b.String()
}
