package session

import (
	"io"
	"net/http"
	"sync"
)

// response calls before once, when the header is about to be written.
type response struct {
	http.ResponseWriter
	once   sync.Once
	before func(http.Header)
}

var (
	_ http.Flusher  = (*response)(nil)
	_ io.ReaderFrom = (*response)(nil)
)

func (w *response) commit() {
	w.once.Do(func() { w.before(w.Header()) })
}

// WriteHeader writes the header. Informational answers come before it.
func (w *response) WriteHeader(status int) {
	if status >= 200 || status == http.StatusSwitchingProtocols {
		w.commit()
	}
	w.ResponseWriter.WriteHeader(status)
}

// Write writes the header first, if nobody has yet.
func (w *response) Write(b []byte) (int, error) {
	w.commit()
	return w.ResponseWriter.Write(b)
}

// ReadFrom lets the server send files by itself.
func (w *response) ReadFrom(r io.Reader) (int64, error) {
	w.commit()
	return io.Copy(w.ResponseWriter, r)
}

// FlushError is Flush for http.ResponseController.
func (w *response) FlushError() error {
	w.commit()
	return http.NewResponseController(w.ResponseWriter).Flush()
}

// Flush sends what was written so far, the header included.
func (w *response) Flush() { _ = w.FlushError() }

// Unwrap is for http.ResponseController: Hijack, deadlines.
func (w *response) Unwrap() http.ResponseWriter { return w.ResponseWriter }
