package inspect_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/larder-go/larder"
	"github.com/larder-go/larder/conn"
	"github.com/larder-go/larder/internal/inspect"
	"github.com/larder-go/larder/internal/redistest"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// scenes bring a key into every state that there is, by its golden file.
var scenes = map[string]func(*testing.T, conn.Conn, string) *scene{
	"absent": func(t *testing.T, c conn.Conn, ns string) *scene {
		return open(t, c, ns, nil)
	},
	"fresh": filled,
	"stale": func(t *testing.T, c conn.Conn, ns string) *scene {
		s := open(t, c, ns, shortFresh)
		s.get()
		s.until(isStale)
		return s
	},
	"stale-loading": func(t *testing.T, c conn.Conn, ns string) *scene {
		s := open(t, c, ns, shortFresh)
		s.get()
		s.until(isStale)
		s.holding()
		s.getHeld()
		return s
	},
	"stale-after-failure": func(t *testing.T, c conn.Conn, ns string) *scene {
		s := open(t, c, ns, func(o *larder.Options[string, user]) {
			shortFresh(o)
			o.RetryAfter = time.Hour
		})
		s.get()
		s.src.err = errSource
		s.until(func(r inspect.Report) bool {
			if _, err := s.users.Get(t.Context(), "42"); err != nil {
				t.Fatal(err) // the stale value is there
			}
			return r.Entry.Lease.Paused
		})
		return s
	},
	"failed": func(t *testing.T, c conn.Conn, ns string) *scene {
		s := open(t, c, ns, nil)
		s.src.err = errSource
		failed := s.until(func(r inspect.Report) bool { // it is remembered for a second
			s.get()
			return r.Entry != nil && r.Entry.Lease.Failed
		})
		s.seen = &failed
		return s
	},
	"barrier": func(t *testing.T, c conn.Conn, ns string) *scene {
		s := filled(t, c, ns)
		s.writing()
		return s
	},
	"barrier-contended": func(t *testing.T, c conn.Conn, ns string) *scene {
		s := open(t, c, ns, nil)
		s.writing()
		s.writing()
		return s
	},
	"tombstone": func(t *testing.T, c conn.Conn, ns string) *scene {
		s := open(t, c, ns, revised)
		s.get()
		s.invalidateBelow(7)
		return s
	},
	"tombstone-leased": func(t *testing.T, c conn.Conn, ns string) *scene {
		s := open(t, c, ns, revised)
		s.invalidateBelow(7)
		s.holding()
		s.getHeld()
		return s
	},
	"tombstone-barrier": func(t *testing.T, c conn.Conn, ns string) *scene {
		s := open(t, c, ns, revised)
		s.invalidateBelow(7)
		s.writing()
		return s
	},
	"revised": func(t *testing.T, c conn.Conn, ns string) *scene {
		s := open(t, c, ns, func(o *larder.Options[string, user]) {
			revised(o)
			o.LoadItem = func(context.Context, string, larder.Item[user]) (larder.Item[user], error) {
				return larder.Item[user]{Value: user{"Ada"}, Validator: validator}, nil
			}
			o.Load = nil
		})
		s.get()
		return s
	},
	"clearing-over": func(t *testing.T, c conn.Conn, ns string) *scene {
		s := filled(t, c, ns)
		if err := s.users.ClearOver(t.Context(), 30*time.Minute); err != nil {
			t.Fatal(err)
		}
		return s
	},
	"cleared-over": func(t *testing.T, c conn.Conn, ns string) *scene {
		s := filled(t, c, ns)
		if err := s.users.ClearOver(t.Context(), time.Millisecond); err != nil {
			t.Fatal(err)
		}
		s.until(func(r inspect.Report) bool { return r.State == inspect.Miss })
		return s
	},
	"tag-remade": func(t *testing.T, c conn.Conn, ns string) *scene {
		s := filled(t, c, ns)
		s.must("DEL", "~tag:"+ns+"/x")
		other := open(t, c, ns+"-other", func(o *larder.Options[string, user]) {
			o.Tags = func(string) []string { return []string{ns + "/x"} }
		})
		other.get()
		return s
	},
	"negative": func(t *testing.T, c conn.Conn, ns string) *scene {
		s := open(t, c, ns, func(o *larder.Options[string, user]) { o.NegativeTTL = time.Hour })
		s.src.err = larder.ErrNotFound
		s.get()
		return s
	},
	"leased": func(t *testing.T, c conn.Conn, ns string) *scene {
		s := open(t, c, ns, nil)
		s.holding()
		s.getHeld()
		return s
	},
	"tag-invalidated": func(t *testing.T, c conn.Conn, ns string) *scene {
		s := filled(t, c, ns)
		if err := larder.InvalidateTags(t.Context(), c, ns+"/users"); err != nil {
			t.Fatal(err)
		}
		return s
	},
	"tag-missing": func(t *testing.T, c conn.Conn, ns string) *scene {
		s := filled(t, c, ns)
		s.must("DEL", "~tag:"+ns+"/x")
		return s
	},
	"cleared": func(t *testing.T, c conn.Conn, ns string) *scene {
		s := filled(t, c, ns)
		if err := s.users.Clear(t.Context()); err != nil {
			t.Fatal(err)
		}
		return s
	},
	"another-life": func(t *testing.T, c conn.Conn, ns string) *scene {
		s := filled(t, c, ns)
		s.must("SETRANGE", ns+":42", "20", "another!")
		return s
	},
	"corrupt": func(t *testing.T, c conn.Conn, ns string) *scene {
		s := open(t, c, ns, nil)
		s.must("SET", ns+":42", "something else", "EX", "3600")
		return s
	},
	"version": func(t *testing.T, c conn.Conn, ns string) *scene {
		s := filled(t, c, ns)
		s.must("SETRANGE", ns+":42", "1", "\x02")
		return s
	},
	"foreign-type": func(t *testing.T, c conn.Conn, ns string) *scene {
		s := open(t, c, ns, nil)
		s.must("LPUSH", ns+":42", "a")
		return s
	},
}

func filled(t *testing.T, c conn.Conn, ns string) *scene {
	s := open(t, c, ns, nil)
	s.get()
	return s
}

func TestExplainText(t *testing.T) {
	t.Parallel()
	for name, play := range scenes {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			onEach(t, func(t *testing.T, c conn.Conn) {
				s := play(t, c, name)
				if s.seen == nil {
					rep := s.explain()
					s.seen = &rep
				}
				var b bytes.Buffer
				if err := s.seen.WriteText(&b); err != nil {
					t.Fatal(err)
				}
				golden(t, name, normal(b.String()))
			})
		})
	}
}

var (
	ids   = regexp.MustCompile(`\b[0-9a-f]{16}\b`)
	clock = regexp.MustCompile(`\d{4}-\d\d-\d\d \d\d:\d\d:\d\d`)
	spans = regexp.MustCompile(`\b\d+(\.\d+)? (ms|s|m|h|d)\b( \d+ [smh]\b)?`)
	place = regexp.MustCompile(`(?m)^(lives in +).*`)
	maker = regexp.MustCompile(`\bby \S+/\d+`)
)

// normal takes out what differs from run to run.
func normal(text string) string {
	text = maker.ReplaceAllString(text, "by PROCESS")
	text = ids.ReplaceAllString(text, "ID")
	text = clock.ReplaceAllString(text, "CLOCK")
	text = spans.ReplaceAllString(text, "TIME")
	return place.ReplaceAllString(text, "${1}SERVER")
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name+".txt")
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestExplainFigures(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, c conn.Conn) {
		r := filled(t, c, "figures").explain()
		e := r.Entry
		const hour = time.Hour
		about := func(d inspect.Duration, want time.Duration) bool {
			return d.Duration <= want && d.Duration > want-time.Minute
		}
		if r.State != inspect.Fresh || !r.Exists || r.RedisKey != "figures:42" || r.Type != "string" || !r.Expires || !about(r.TTL, 25*hour) {
			t.Errorf("%+v", r)
		}
		if e.Kind != inspect.Value || e.PayloadBytes != int64(len(`{"name":"Ada"}`)) || !about(e.FreshFor, hour) ||
			!about(e.ServedFor, 25*hour) || e.ExpiredFor.Duration != 0 || e.Age.Duration > time.Minute {
			t.Errorf("%+v", e)
		}
		if id, known := c.Incarnation("figures:42"); !known || e.Life != inspect.ThisLife || e.Incarnation != fmt.Sprintf("%016x", id) {
			t.Errorf("incarnation %s, %s", e.Incarnation, e.Life)
		}
		if len(e.Tags) != 2 || e.Tags[0].Name != "figures/users" || e.Tags[0].State != inspect.Current || e.Tags[0].Age.Duration > time.Minute ||
			e.Generation.Name != "figures" || e.Generation.State != inspect.Current {
			t.Errorf("%+v %+v", e.Generation, e.Tags)
		}
	})
}

func TestExplainReadsNoPayload(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, c conn.Conn) {
		s := filled(t, c, "large")
		const more = 300_000
		s.must("APPEND", "large:42", strings.Repeat("x", more))
		if r := s.explain(); r.State != inspect.Fresh || r.Entry.PayloadBytes != more+14 || r.Bytes <= more {
			t.Errorf("%+v, %+v", r, r.Entry)
		}
	})
}

func TestJSON(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, c conn.Conn) {
		b, err := json.Marshal(filled(t, c, "as-json").explain())
		if err != nil {
			t.Fatal(err)
		}
		var got struct {
			State, Verdict string
			TTL            *float64 `json:"ttl_ms"`
			Entry          struct {
				Age   *float64 `json:"age_ms"`
				Fresh *float64 `json:"fresh_for_ms"`
				Lease map[string]any
				Tags  []struct {
					Name, State string
					Age         *float64 `json:"age_ms"`
				}
			}
		}
		if err := json.Unmarshal(b, &got); err != nil {
			t.Fatal(err)
		}
		hour := float64(time.Hour / time.Millisecond)
		e := got.Entry
		if got.State != "fresh" || got.Verdict != "served fresh" || got.TTL == nil || e.Age == nil ||
			e.Fresh == nil || *e.Fresh > hour || *e.Fresh < hour-60_000 || e.Lease["held"] != false ||
			len(e.Tags) != 2 || e.Tags[0].State != "current" || e.Tags[0].Age == nil {
			t.Errorf("%s", b)
		}
	})
}

// Who invalidated, and when, is known to the millisecond of the server's clock.
func TestExplainWhoAndWhen(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, c conn.Conn) {
		s := filled(t, c, "who")
		if by := s.explain().Entry.Tags[0].By; by != "" {
			t.Errorf("first used by %q", by)
		}
		before := s.clock()
		if err := s.users.InvalidateTags(t.Context(), "who/users"); err != nil {
			t.Fatal(err)
		}
		after := s.clock()
		g := s.explain().Entry.Tags[0]
		host, err := os.Hostname()
		if err != nil {
			t.Fatal(err)
		}
		if want := fmt.Sprintf("%s/%d", host, os.Getpid()); g.By != want || g.At.Before(before) || g.At.After(after) {
			t.Errorf("at %v by %s; want between %v and %v, by %s", g.At, g.By, before, after, want)
		}
	})
}

func TestExplainClearOver(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, c conn.Conn) {
		e := scenes["clearing-over"](t, c, "over").explain().Entry
		g := e.Generation
		if g.State != inspect.Ending || g.Over.Duration != 30*time.Minute || g.Left.Duration <= 0 || g.Left.Duration > 30*time.Minute {
			t.Errorf("%+v", g)
		}
		if e.FreshFor != g.Left || e.ServedFor != g.Left {
			t.Errorf("fresh for %v, served for %v, though it counts for %v", e.FreshFor, e.ServedFor, g.Left)
		}
	})
}

func TestExplainFences(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, c conn.Conn) {
		for name, want := range map[string]inspect.Entry{
			"barrier":           {Kind: inspect.Barrier, Writers: &inspect.Writers{Count: 1}},
			"barrier-contended": {Kind: inspect.Barrier, Writers: &inspect.Writers{Count: 2, Contended: true}},
			"tombstone":         {Kind: inspect.Tombstone, Revision: 7},
			"tombstone-barrier": {Kind: inspect.Barrier, Revision: 7, Writers: &inspect.Writers{Count: 1}},
			"revised":           {Kind: inspect.Value, Revision: revision, ValidatorBytes: len(validator), PayloadBytes: int64(len(`{"name":"Ada"}`))},
		} {
			got := scenes[name](t, c, "fence-"+name).explain()
			if e := got.Entry; e.Kind != want.Kind || e.Revision != want.Revision || e.ValidatorBytes != want.ValidatorBytes ||
				e.PayloadBytes != want.PayloadBytes || (e.RefusedFor.Duration > 0) != strings.HasPrefix(name, "tombstone") {
				t.Errorf("%s: %+v", name, e)
			}
			if w := got.Entry.Writers; (w == nil) != (want.Writers == nil) || w != nil &&
				(w.Count != want.Writers.Count || w.Contended != want.Writers.Contended || w.Left.Duration <= 0 || w.Left.Duration > larder.DefaultLease) {
				t.Errorf("%s: %+v", name, w)
			}
			b, err := json.Marshal(got)
			if err != nil || strings.Contains(string(b), validator) {
				t.Errorf("%v: %s", err, b)
			}
		}
	})
}

func TestTokenIsNeverShown(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, c conn.Conn) {
		s := open(t, c, "secret", nil)
		s.holding()
		s.getHeld()
		token := s.must("GET", "secret:42").Str[56:64]
		rep := s.explain()
		if !rep.Entry.Lease.Held {
			t.Fatal("no lease")
		}
		b, err := json.Marshal(rep)
		if err != nil {
			t.Fatal(err)
		}
		var text bytes.Buffer
		if err := rep.WriteText(&text); err != nil {
			t.Fatal(err)
		}
		all := string(b) + text.String()
		number := binary.BigEndian.Uint64([]byte(token))
		for _, form := range []string{token, hex.EncodeToString([]byte(token)), strconv.FormatUint(number, 10), strconv.FormatUint(number, 16)} {
			if strings.Contains(all, form) {
				t.Error("the token is shown")
			}
		}
	})
}

func TestGet(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]bool{
		"fresh": true, "stale": true, "stale-loading": true,
		"revised": true, "clearing-over": true, "barrier": false, "tombstone": false, "failed": false, "cleared-over": false,
		"absent": false, "negative": false, "leased": false, "tag-invalidated": false, "another-life": false, "corrupt": false, "foreign-type": false,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			onEach(t, func(t *testing.T, c conn.Conn) {
				ns := "get-" + name
				scenes[name](t, c, ns)
				payload, ok, rep, err := inspect.Get(t.Context(), c, ns, "42")
				if err != nil || ok != want || ok && payload != `{"name":"Ada"}` || !ok && payload != "" {
					t.Errorf("%q, %v, %s, %v", payload, ok, rep.Verdict, err)
				}
			})
		})
	}
}

func TestExplainInCluster(t *testing.T) {
	t.Parallel()
	cluster := redistest.SharedCluster(t)
	s := filled(t, dial(t, cluster.URL()), "placed")
	p := s.explain().Place
	node := ""
	for _, m := range cluster.Masters {
		if n, err := m.Do("EXISTS", "placed:42"); err == nil && n == "1" {
			node = m.Addr()
		}
	}
	if p.Slot == nil || p.Node == "" || p.Node != node {
		t.Errorf("%s; it is on %s", p, node)
	}
}

func TestExplainWhereRedisIsFull(t *testing.T) {
	t.Parallel()
	srv := redistest.Start(t)
	s := filled(t, dial(t, srv.URL()), "full")
	for _, setting := range [][2]string{{"maxmemory-policy", "noeviction"}, {"maxmemory", "1"}} {
		if _, err := srv.Do("CONFIG", "SET", setting[0], setting[1]); err != nil {
			t.Fatal(err)
		}
	}
	if r := s.explain(); r.State != inspect.Fresh {
		t.Error(r.Verdict)
	}
}

func TestConnectionLost(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, c conn.Conn) {
		_ = c.Close()
		if _, err := inspect.Explain(t.Context(), c, "lost", "42"); err == nil || inspect.IsName(err) {
			t.Error(err)
		}
		if _, err := inspect.Explain(t.Context(), c, "~tag", "42"); !inspect.IsName(err) {
			t.Error(err)
		}
	})
}
