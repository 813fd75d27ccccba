package cachetest

import (
	"testing"
	"time"

	"github.com/larder-go/larder/conn"
)

// recently is how old a heartbeat may be on a busy machine.
const recently = 5 * time.Second

func (s *connSuite) incarnation(t *testing.T) {
	c, other := s.handle(t), s.handle(t)
	keys := make([]string, 20)
	for i := range keys {
		keys[i] = key("k")
		id, known := c.Incarnation(keys[i])
		if !known || id == 0 {
			t.Fatalf("Incarnation(%q) = %x, %v after open", keys[i], id, known)
		}
		if same, known := other.Incarnation(keys[i]); !known || same != id {
			t.Errorf("another handle says %x, %v; want %x", same, known, id)
		}
	}
	for _, k := range keys {
		before, _ := c.Incarnation(k)
		must(t, c, conn.Key("SET", k, "x"))
		if after, known := c.Incarnation(k); !known || after != before {
			t.Errorf("Incarnation(%q) was %x, and is %x, %v", k, before, after, known)
		}
	}
}

func (s *connSuite) heard(t *testing.T) {
	tr, ok := s.handle(t).Tracker()
	if !ok {
		t.Skip("the backend does not track")
	}
	for range 20 {
		epoch, now := tr.Epoch(key("k")), conn.Uptime()
		heard := epoch.Heard()
		if heard != conn.Always && (heard <= 0 || heard > conn.Uptime() || heard < now-recently) {
			t.Errorf("heard at %v, now it is %v", heard, now)
		}
	}
}
