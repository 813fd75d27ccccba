package conn

import (
	"crypto/sha1" //nolint:gosec // Redis names scripts by their SHA-1
	"encoding/hex"
)

// Script is a Lua script and the digest by which servers know it.
type Script struct {
	text, digest string
}

// NewScript prepares a script. The text is usually embedded from a .lua file.
func NewScript(text string) *Script {
	sum := sha1.Sum([]byte(text)) //nolint:gosec // see above
	return &Script{text: text, digest: hex.EncodeToString(sum[:])}
}

// Text is the script's source.
func (s *Script) Text() string { return s.text }

// Digest is the lower-case hexadecimal SHA-1 of the text.
func (s *Script) Digest() string { return s.digest }
