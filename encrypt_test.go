package larder_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/larder-go/larder"
)

// secret is 32 bytes that differ, in a text that would be recognized.
func secret(seed byte) []byte {
	return fmt.Appendf(nil, "secret-%02d-of-thirty-two-bytes-.", seed)[:32]
}

func key(tb testing.TB, id string, seed byte) larder.EncryptionKey {
	tb.Helper()
	s := secret(seed)
	k, err := larder.NewEncryptionKey(id, s)
	if err != nil {
		tb.Fatal(err)
	}
	clear(s) // the key has copied it
	return k
}

func encrypted[V any](tb testing.TB, codec larder.Codec[V], keys ...larder.EncryptionKey) larder.Codec[V] {
	tb.Helper()
	c, err := larder.Encrypt(codec, keys...)
	if err != nil {
		tb.Fatal(err)
	}
	return c
}

func TestEncryptRoundTrip(t *testing.T) {
	for name, value := range map[string][]byte{
		"empty": nil, "short": []byte("larder"), "long": text(100_000), "noise": noise(5000),
	} {
		for _, codec := range []larder.Codec[[]byte]{
			encrypted(t, larder.Bytes(), key(t, "k1", 1)),
			encrypted(t, larder.Compress(larder.Bytes(), larder.CompressOptions{}), key(t, "k1", 1)),
			larder.Compress(encrypted(t, larder.Bytes(), key(t, "k1", 1)), larder.CompressOptions{}),
		} {
			b, err := codec.Append([]byte("head"), value)
			if err != nil || string(b[:4]) != "head" {
				t.Fatalf("%s, %s: %q, %v", codec.Name(), name, b[:min(4, len(b))], err)
			}
			if len(value) > 0 && bytes.Contains(b, value[:6]) {
				t.Errorf("%s, %s: the value is in clear", codec.Name(), name)
			}
			if got, err := codec.Decode(b[4:]); err != nil || !bytes.Equal(got, value) {
				t.Errorf("%s, %s: %d bytes back of %d: %v", codec.Name(), name, len(got), len(value), err)
			}
		}
	}
}

func TestEncryptRotation(t *testing.T) {
	before, after := key(t, "2026-09", 1), key(t, "2026-10", 2)
	steps := []larder.Codec[string]{
		encrypted(t, larder.JSON[string](), before),
		encrypted(t, larder.JSON[string](), before, after),
		encrypted(t, larder.JSON[string](), after, before),
		encrypted(t, larder.JSON[string](), after),
	}
	// The step at which a process stands against the one that wrote the entry.
	readable := [4][4]bool{
		{true, true, false, false},
		{true, true, true, true},
		{true, true, true, true},
		{false, false, true, true},
	}
	for reader, from := range readable {
		for writer, want := range from {
			b, err := steps[writer].Append(nil, "larder")
			if err != nil {
				t.Fatal(err)
			}
			got, err := steps[reader].Decode(b)
			if (err == nil && got == "larder") != want || (err != nil) == want {
				t.Errorf("step %d reads step %d: %q, %v; want readable: %v", reader, writer, got, err, want)
			}
		}
		if steps[reader].Name() != "aes-gcm+json" {
			t.Errorf("step %d is named %q", reader, steps[reader].Name())
		}
	}
}

// A value does not pass for one of another type or codec, though its bytes could
// be read as one.
func TestEncryptBindsCodecAndType(t *testing.T) {
	type account struct{ ID, Owner int }
	type order struct{ ID, Owner int32 }
	k := key(t, "k1", 1)
	b, err := encrypted(t, larder.JSON[account](), k).Append(nil, account{1, 2})
	if err != nil {
		t.Fatal(err)
	}
	if got, err := encrypted(t, larder.JSON[order](), k).Decode(b); err == nil {
		t.Errorf("an account was read as the order %v", got)
	}
	if b, err = encrypted(t, named{"latin-1"}, k).Append(nil, "larder"); err != nil {
		t.Fatal(err)
	}
	if got, err := encrypted(t, named{"utf-8"}, k).Decode(b); err == nil {
		t.Errorf("one codec's bytes were read by another, as %q", got)
	}
}

func TestEncryptNoticesDamage(t *testing.T) {
	codec := encrypted(t, larder.Bytes(), key(t, "k1", 1))
	b, err := codec.Append(nil, []byte("larder"))
	if err != nil {
		t.Fatal(err)
	}
	for n := range b {
		if _, err := codec.Decode(b[:n:n]); err == nil {
			t.Errorf("cut to %d bytes of %d: accepted", n, len(b))
		}
	}
	for bit := range 8 * len(b) {
		damaged := bytes.Clone(b)
		damaged[bit/8] ^= 1 << (bit % 8)
		if _, err := codec.Decode(damaged); err == nil {
			t.Errorf("bit %d flipped: accepted", bit)
		}
	}
}

func TestEncryptChecksKeys(t *testing.T) {
	for name, tt := range map[string]struct {
		id     string
		secret []byte
		want   string
	}{
		"no ID":               {"", secret(1), "the length of an encryption key's ID is 0; allowed: 1 to 16 bytes"},
		"the secret as ID":    {string(secret(1)), secret(1), "the length of an encryption key's ID is 32"},
		"a space in the ID":   {"secret 1", secret(1), "printable ASCII without spaces"},
		"an ID not ASCII":     {"schlüssel", secret(1), "printable ASCII without spaces"},
		"no secret":           {"k1", nil, "the length of an encryption key's secret is 0; allowed: 32 bytes"},
		"AES-128":             {"k1", secret(1)[:16], "secret is 16; allowed: 32 bytes"},
		"secret not decoded":  {"k1", fmt.Appendf(nil, "%x", secret(1)), "secret is 64; allowed: 32 bytes"},
		"secret never filled": {"k1", make([]byte, 32), "one byte repeated"},
	} {
		_, err := larder.NewEncryptionKey(tt.id, tt.secret)
		if _, ok := errors.AsType[*larder.OptionError](err); !ok || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v, want an OptionError with %q", name, err, tt.want)
		} else if strings.Contains(err.Error(), "secret-") || strings.Contains(err.Error(), "secret 1") {
			t.Errorf("%s: the secret is in the error: %v", name, err)
		}
	}
	k := key(t, "k1", 1)
	for name, tt := range map[string]struct {
		keys []larder.EncryptionKey
		want string
	}{
		"none":       {nil, "at least 1"},
		"zero value": {[]larder.EncryptionKey{k, {}}, `keys[1] is "the zero value"`},
		"same ID":    {[]larder.EncryptionKey{k, key(t, "k2", 2), key(t, "k1", 3)}, `keys[2] is "k1"`},
	} {
		codec, err := larder.Encrypt(larder.Bytes(), tt.keys...)
		if _, ok := errors.AsType[*larder.OptionError](err); !ok || codec != nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v, want an OptionError with %q", name, err, tt.want)
		}
	}
}

// Neither a key nor what holds one shows it when printed.
func TestEncryptPrintsNoKeys(t *testing.T) {
	k := key(t, "k1", 1)
	if fmt.Sprint(k) != "k1" || fmt.Sprint(larder.EncryptionKey{}) != "" {
		t.Errorf("printed as %q", fmt.Sprint(k))
	}
	type config struct{ keys []larder.EncryptionKey }
	for _, v := range []any{k, &k, config{[]larder.EncryptionKey{k}}, encrypted(t, larder.Bytes(), k)} {
		asJSON, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		for _, text := range []string{
			fmt.Sprintf("%v", v), fmt.Sprintf("%+v", v), fmt.Sprintf("%#v", v), fmt.Sprintf("%x", v), string(asJSON),
		} {
			// Neither bytes nor an expanded key: at most an ID and pointers.
			if strings.Contains(text, "secret-") || strings.Contains(text, "115 101 99") || len(text) > 200 {
				t.Errorf("%T is printed as %s", v, text)
			}
		}
	}
}
