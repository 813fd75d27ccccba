package session

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"log/slog"
	"strings"
)

const (
	// placeBytes say where a session lies, secretBytes are random.
	placeBytes, secretBytes = 12, 32
	placeChars, secretChars = 16, 43
)

// ID lets its holder into a session. It is printed as "[session id]"; convert it to
// a string to hand it to the client.
type ID string

// String returns a constant.
func (ID) String() string { return "[session id]" }

// GoString returns a constant.
func (id ID) GoString() string { return id.String() }

// LogValue returns a constant.
func (id ID) LogValue() slog.Value { return slog.StringValue(id.String()) }

// valid tells whether the id may be one of ours.
func (id ID) valid() bool {
	return len(id) == placeChars+secretChars && !strings.ContainsFunc(string(id), func(r rune) bool {
		return (r < '0' || r > '9') && (r < 'A' || r > 'Z') && (r < 'a' || r > 'z') && r != '-' && r != '_'
	})
}

// place is where all sessions of one user lie: the hash tag of their keys.
type place string

// newID makes an id for a session of user; sessions without a user are scattered.
func newID(namespace, user string) ID {
	b := make([]byte, placeBytes+secretBytes)
	_, _ = rand.Read(b) // never fails
	secret := base64.RawURLEncoding.EncodeToString(b[placeBytes:])
	if user == "" {
		return ID(base64.RawURLEncoding.EncodeToString(b[:placeBytes]) + secret)
	}
	return ID(string(placeOf(namespace, user)) + secret)
}

// placeOf is the place of a user, 96 bits: nobody finds a name that shares it with
// another one's, and it is no secret.
func placeOf(namespace, user string) place {
	sum := sha256.Sum256([]byte("larder session user\x00" + namespace + "\x00" + user))
	return place(base64.RawURLEncoding.EncodeToString(sum[:placeBytes]))
}

// address names the keys of one session.
type address struct {
	place                      place
	hash                       string // SHA-256 of the id, hexadecimal
	session, generation, index string
}

// at is the address of a session with the given hash; its keys lie in one slot.
func at(namespace string, p place, hash string) address {
	prefix := namespace + ":{" + string(p) + "}:"
	return address{place: p, hash: hash, session: prefix + hash, generation: prefix + "generation", index: prefix + "index"}
}

func (id ID) address(namespace string) address {
	sum := sha256.Sum256([]byte(id))
	return at(namespace, place(id[:placeChars]), hex.EncodeToString(sum[:]))
}

// handle names a session without letting anybody in.
func (a address) handle() string { return string(a.place) + "." + a.hash }

// parseHandle is the inverse of handle.
func parseHandle(namespace, handle string) (a address, ok bool) {
	p, hash, ok := strings.Cut(handle, ".")
	if !ok || len(p) != placeChars || strings.ContainsAny(p, "{}") {
		return a, false
	}
	if b, err := hex.DecodeString(hash); err != nil || len(b) != sha256.Size {
		return a, false
	}
	return at(namespace, place(p), hash), true
}

// nonce is 96 random bits in 16 characters, for revisions and generations.
func nonce() string {
	b := make([]byte, nonceBytes)
	_, _ = rand.Read(b) // never fails
	return base64.RawURLEncoding.EncodeToString(b)
}

const nonceBytes = 12
