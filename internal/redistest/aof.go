package redistest

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// Appended is the size of the append-only file, with all that the server has
// acknowledged so far. The server must have been started with "--appendonly", "yes".
func (s *Server) Appended() int64 {
	s.tb.Helper()
	err := poll(s.done, func() error {
		info, err := s.Do("INFO", "persistence")
		if err == nil && !strings.Contains(info, "aof_buffer_length:0\r\n") {
			err = fmt.Errorf("not all is written, or there is no append-only file")
		}
		return err
	})
	if err != nil {
		s.tb.Fatalf("redistest: %v", err)
	}
	st, err := os.Stat(s.appendFile())
	if err != nil {
		s.tb.Fatalf("redistest: %v", err)
	}
	return st.Size()
}

// StopLosing ends the process as a power failure does that finds the append-only
// file on the disk as it was when Appended returned size: what the server has
// acknowledged since is lost. Killing the process alone loses nothing, because
// the kernel keeps what was written.
func (s *Server) StopLosing(size int64) {
	s.tb.Helper()
	s.Stop()
	if err := os.Truncate(s.appendFile(), size); err != nil {
		s.tb.Fatalf("redistest: %v", err)
	}
}

// appendFile is the part of the append-only file that grows. It is the first one
// as long as nothing makes the server rewrite it.
func (s *Server) appendFile() string {
	return filepath.Join(s.dir, "appendonlydir", "appendonly.aof.1.incr.aof")
}
