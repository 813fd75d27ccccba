package session_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"strings"
	"testing"

	"github.com/larder-go/larder/conn"
	"github.com/larder-go/larder/embedded"
	"github.com/larder-go/larder/session"
)

func newKey(t testing.TB, id string, first byte) session.Key {
	t.Helper()
	secret := bytes.Repeat([]byte{first}, 32)
	secret[31]++
	k, err := session.NewKey(id, secret)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func keyOf(id session.ID, ns string) string {
	sum := sha256.Sum256([]byte(id))
	return ns + ":{" + string(id[:16]) + "}:" + hex.EncodeToString(sum[:])
}

func TestEncryption(t *testing.T) {
	t.Parallel()
	engine, err := embedded.New(embedded.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer engine.Close()
	c, ctx := engine.Connect(), soon(t)
	with := func(keys ...session.Key) *session.Store[cart] {
		return store(t, c, session.Options{Namespace: "s", Keys: keys})
	}
	raw := func(id session.ID) string {
		v, err := c.Do(ctx, conn.Key("GET", keyOf(id, "s")))
		if err != nil {
			t.Fatal(err)
		}
		return v.Str
	}
	put := func(id session.ID, value string) {
		if _, err := c.Do(ctx, conn.Key("SET", keyOf(id, "s"), value, "EX", "60")); err != nil {
			t.Fatal(err)
		}
	}
	corrupt := func(s *session.Store[cart], id session.ID, what string) {
		t.Helper()
		if got, err := s.Get(ctx, id); !errors.Is(err, session.ErrCorrupt) {
			t.Errorf("%s: %+v, %v", what, got, err)
		}
	}
	old, fresh := newKey(t, "old", 1), newKey(t, "new", 2)

	one := create(t, with(old), "42", cart{Items: 1, Name: "needle"})
	if strings.Contains(raw(one.ID), "needle") {
		t.Error("the data is in clear")
	}
	// Rotation.
	both := with(fresh, old)
	has(t, both, one.ID, 1)
	if _, err := both.Update(ctx, one.ID, func(c *cart) error { c.Items++; return nil }); err != nil {
		t.Fatal(err)
	}
	has(t, with(fresh), one.ID, 2)
	corrupt(with(old), one.ID, "a key that is not in the ring")
	corrupt(with(), one.ID, "no keys")
	renewed, err := both.Renew(ctx, one.ID, "42", nil)
	if err != nil {
		t.Fatal(err)
	}
	has(t, both, renewed.ID, 2)
	moved, err := both.Renew(ctx, renewed.ID, "43", nil)
	if err != nil {
		t.Fatal(err)
	}
	has(t, both, moved.ID, 2)
	if list, err := both.List(ctx, "43"); err != nil || len(list) != 1 || list[0].Data.Items != 2 {
		t.Errorf("%+v, %v", list, err)
	}

	// Who can write to Redis, and has no key, changes neither data nor user.
	two, admin := create(t, both, "44", cart{Items: 3}), create(t, both, "44", cart{Items: 4})
	good := raw(two.ID)
	put(two.ID, raw(admin.ID))
	corrupt(both, two.ID, "another session's value")
	put(two.ID, strings.Replace(good, `"user":"44"`, `"user":"45"`, 1))
	corrupt(both, two.ID, "another user")
	head, _, _ := strings.Cut(good, `"sealed"`)
	put(two.ID, head+`"data":{"Items":9}}`)
	corrupt(both, two.ID, "data in clear")
	put(two.ID, good)
	has(t, both, two.ID, 3)
}

func TestKeyChecks(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		id     string
		secret []byte
	}{
		"no ID":         {"", bytes.Repeat([]byte{1, 2}, 16)},
		"a long ID":     {strings.Repeat("k", 17), bytes.Repeat([]byte{1, 2}, 16)},
		"a space":       {"a b", bytes.Repeat([]byte{1, 2}, 16)},
		"AES-128":       {"k", bytes.Repeat([]byte{1, 2}, 8)},
		"no secret":     {"k", nil},
		"never filled":  {"k", make([]byte, 32)},
		"a secret's ID": {strings.Repeat("s3cr", 8), []byte("k")},
	} {
		if _, err := session.NewKey(tt.id, tt.secret); err == nil || strings.Contains(err.Error(), "s3cr") {
			t.Errorf("%s: %v", name, err)
		}
	}
	k := newKey(t, "k", 1)
	if _, err := session.New[cart](must(embedded.Open(soon(t)))(t), session.Options{Keys: []session.Key{k, k}}); err == nil {
		t.Error("one ID twice")
	}
	if k.String() != "k" || (session.Key{}).String() != "" {
		t.Error("a key is printed as its ID")
	}
}

// must closes what was opened when the test ends.
func must(c conn.Conn, err error) func(testing.TB) conn.Conn {
	return func(t testing.TB) conn.Conn {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = c.Close() })
		return c
	}
}
