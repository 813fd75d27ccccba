package dashboard

import (
	"encoding/xml"
	"errors"
	"html"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/larder-go/larder"
	"github.com/larder-go/larder/conn"
	"github.com/larder-go/larder/internal/redistest"
	"github.com/larder-go/larder/redisconn"
)

// everyPage are the links of all views, with something to show.
var everyPage = []string{
	"./", "namespaces", "namespaces?sort=ratio", "namespaces?sort=memory", "namespace?name=user", "namespace?name=no-such", "keys", "keys?prefix=user%3A",
	"keys?prefix=%3Cscript%3E", "key", "key?key=user%3A7", "key?key=orders", "key?key=nothing%3A1", "tags", "tags?tag=users", "tags?tag=%3Cscript%3E&q=%3Cscript%3E",
	"limits", "limits?name=api", "sessions", "topics", "gateway", "events", "invalidate?what=key&name=user%3A7",
	"invalidate?what=namespace&name=user", "invalidate?what=tag&name=users",
}

// onEach runs a test on the engine and on Redis.
func onEach(t *testing.T, test func(t *testing.T, c conn.Conn)) {
	t.Parallel()
	t.Run("embedded", func(t *testing.T) {
		t.Parallel()
		test(t, engine(t).Connect())
	})
	t.Run("redis", func(t *testing.T) {
		t.Parallel()
		if testing.Short() {
			t.Skip("short tests start no server")
		}
		c, err := redisconn.Open(t.Context(), redistest.Start(t).URL(), redisconn.Options{SilenceTimeout: 10 * time.Second})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = c.Close() })
		test(t, c)
	})
}

func TestPagesShowWhatIsThere(t *testing.T) {
	onEach(t, func(t *testing.T, c conn.Conn) {
		newWorld(t, c)
		_, b := open(t, c, Options{})
		b.signIn()
		contains(t, b.get("./"), "Hit ratio", "<small>a look into its memory", "Load from the source", "not there",
			"group-1", "shop&lt;script&gt;", "web-1", "alive")
		contains(t, b.get("namespaces"), `href="namespace?name=user"`, "accounts &lt;script&gt;", "10 m")
		contains(t, b.get("namespace?name=user"), "they change once a month", "Users.Save calls Invalidate", "medium", "profiles, for every page")
		contains(t, b.get("keys?prefix=user%3A"), `href="key?key=user%3a7"`, " keys; about ")
		contains(t, b.get("key?key=user%3A7"), "overtaken", "group-1", "a miss: tag group-1 was invalidated")
		contains(t, b.get("key?key=user%3A6"), "served fresh", "free", "bytes, ")
		contains(t, b.get("tags"), "users", "group-1", "&lt;img src=x")
		contains(t, b.get("tags?tag=group-1"), "Last invalidated", "Invalidate…")
		contains(t, b.get("limits?name=api"), "203.0.113.7", "sk_l… (40 bytes)", "&lt;script&gt;alert", "allowed")
		contains(t, b.get("sessions"), "login", `<td class="n">3</td>`)
		contains(t, b.get("topics"), "orders", "durable")
		contains(t, b.get("events"), "invalidation", "group-1")
		contains(t, b.get("gateway"), "No gateway reports")
	})
}

func TestNothingSecretIsShown(t *testing.T) {
	onEach(t, func(t *testing.T, c conn.Conn) {
		newWorld(t, c)
		_, b := open(t, c, Options{Topics: []string{"orders"}})
		b.signIn()
		for _, page := range append([]string{"key?key=session%3A" + secretSession, "keys?prefix=session", "keys?prefix=login"}, everyPage...) {
			a := b.do(http.MethodGet, page, nil)
			shown := a.body
			if strings.Contains(page, secretSession) {
				// It was asked for by its name, which is therefore known.
				shown = strings.ReplaceAll(shown, html.EscapeString(secretSession), "")
			}
			lacks(t, shown, secretValue, secretSession, secretUser, testToken, "0123456789abcdef0123456789abcdef")
			for _, c := range b.http.Jar.Cookies(b.base.JoinPath("./")) {
				lacks(t, shown, c.Value, strings.SplitN(c.Value, ".", 2)[0])
			}
		}
		contains(t, b.get("keys?prefix=session"), "1 of sessions or rate limits, which are not listed")
		contains(t, b.get("key?key=session%3A"+secretSession), "not looked at from here")
		if a := b.do(http.MethodGet, "invalidate?what=key&name=session%3A"+secretSession, nil); a.StatusCode != http.StatusBadRequest {
			t.Errorf("a session's key may be invalidated: %s", a.Status)
		}
	})
}

func TestValuesAreShownWhereTheServerAllowsIt(t *testing.T) {
	t.Parallel()
	c := engine(t).Connect()
	newWorld(t, c)
	_, b := open(t, c, Options{ShowValues: true})
	contains(t, b.signIn().get("key?key=user%3A6"), secretValue+" 6")
}

var (
	// What pages have no use for: it would do what a name says.
	active = regexp.MustCompile(`(?i)^</?(script|img|iframe|object|embed|style|base|b)\b|\s(on[a-z]+|style|srcdoc)(=|\s|>)`)
	// What links and forms lead to is relative, and one of ours.
	leads     = regexp.MustCompile(`\s(href|src|action)="([^"]*)"`)
	ours      = regexp.MustCompile(`^(\./|#main|[a-z]+(\.[a-z]+)?(\?.*)?)?$`)
	quoted    = regexp.MustCompile(`="[^"]*"`)
	typed     = regexp.MustCompile(`(<input [^>]* value=)"[^"]*"`) // by whoever looks at the page
	element   = regexp.MustCompile(`<[^>]*>`)
	linkToKey = regexp.MustCompile(`href="(key\?key=evil[^"]*)"`)
)

func TestHostileNamesAreText(t *testing.T) {
	onEach(t, func(t *testing.T, c conn.Conn) {
		newWorld(t, c)
		_, b := open(t, c, Options{})
		b.signIn()
		pages := append([]string{"keys?prefix=evil"}, everyPage...)
		for _, key := range hostile {
			q := url.Values{"key": {key}, "name": {key}, "what": {"key"}, "prefix": {key}, "tag": {key}, "q": {key}}.Encode()
			pages = append(pages, "key?"+q, "invalidate?"+q, "keys?"+q, "tags?"+q, "namespace?"+q, "limits?"+q, "login?next="+url.QueryEscape(key))
		}
		for _, page := range pages {
			a := b.do(http.MethodGet, page, nil)
			if a.StatusCode >= http.StatusInternalServerError {
				t.Errorf("%.200s: %s", page, a.Status)
				continue
			}
			if a.Header.Get("Content-Security-Policy") != policy {
				t.Errorf("%.200s: policy %q", page, a.Header.Get("Content-Security-Policy"))
			}
			body := strings.ReplaceAll(a.body, `<script src="dashboard.js?`+assetVersion+`" defer></script>`, "")
			body = typed.ReplaceAllString(body, "$1")
			for _, tag := range element.FindAllString(body, -1) {
				if bare := quoted.ReplaceAllString(tag, "="); active.MatchString(bare) {
					t.Errorf("%.200s: the page has %.300s", page, tag)
				}
			}
			for _, m := range leads.FindAllStringSubmatch(body, -1) {
				if !ours.MatchString(html.UnescapeString(m[2])) {
					t.Errorf("%.200s: a link to %.300q", page, m[2])
				}
			}
			if i := strings.IndexFunc(body, func(r rune) bool { return r < ' ' && r != '\n' || r == 0x7f || r == 0x202e }); i >= 0 {
				t.Errorf("%.200s: a control character at %.100q", page, body[max(0, i-40):])
			}
		}
		list := b.get("keys?prefix=evil")
		contains(t, list, "&lt;script&gt;alert", `\x00\x1b[31m`, "… (10,005 bytes)")
		// Each is found again by its own link.
		links := linkToKey.FindAllStringSubmatch(list, -1)
		if len(links) != len(hostile) {
			t.Fatalf("%d links to %d keys", len(links), len(hostile))
		}
		for _, l := range links {
			contains(t, b.get(html.UnescapeString(l[1])), "not an entry: 16 foreign or damaged bytes")
		}
	})
}

// Pages are well-formed, so that nothing that is between quotes can end them.
func TestPagesAreWellFormed(t *testing.T) {
	t.Parallel()
	c := engine(t).Connect()
	newWorld(t, c)
	_, b := open(t, c, Options{})
	b.signIn()
	for _, page := range everyPage {
		d := xml.NewDecoder(strings.NewReader(strings.TrimPrefix(b.do(http.MethodGet, page, nil).body, "<!doctype html>")))
		d.Strict, d.AutoClose, d.Entity = false, xml.HTMLAutoClose, xml.HTMLEntity
		for {
			if _, err := d.Token(); errors.Is(err, io.EOF) {
				break
			} else if err != nil {
				t.Errorf("%s: %v", page, err)
				break
			}
		}
	}
}

func TestInvalidate(t *testing.T) {
	onEach(t, func(t *testing.T, c conn.Conn) {
		w := newWorld(t, c)
		_, b := open(t, c, Options{})
		b.signIn()
		state := func(key int) string {
			x, err := w.users.Explain(t.Context(), key)
			if err != nil {
				t.Fatal(err)
			}
			return x.Verdict
		}
		for _, step := range []struct{ query, back string }{
			{"what=key&name=user%3A6", "key?key=user%3A6"},
			{"what=tag&name=group-2", "tags?tag=group-2"},
			{"what=namespace&name=user", "namespace?name=user"},
		} {
			contains(t, b.get("invalidate?"+step.query), "Cancel", "danger")
			a := b.do(http.MethodPost, "invalidate?"+step.query, url.Values{"csrf": {b.csrf("./")}})
			if a.StatusCode != http.StatusSeeOther || a.Header.Get("Location") != step.back {
				t.Fatalf("%s: %s to %q\n%s", step.query, a.Status, a.Header.Get("Location"), a.body)
			}
			for key, after := range map[int]string{6: "what=key", 8: "what=tag", 9: "what=namespace"} {
				gone := !strings.Contains(state(key), "fresh")
				if want := after == step.query[:strings.Index(step.query, "&")] || key == 6 || key == 8 && step.back != "key?key=user%3A6" || step.back == "namespace?name=user"; gone != want {
					t.Errorf("after %s: key %d is gone: %v", step.query, key, gone)
				}
			}
		}
		contains(t, b.get("key?key=user%3A6"), "absent")
		contains(t, b.get("events"), "user:6", "this dashboard")
		// What is not an entry is left alone.
		a := b.do(http.MethodPost, "invalidate?"+url.Values{"what": {"key"}, "name": {hostile[0]}}.Encode(), url.Values{"csrf": {b.csrf("./")}})
		if a.StatusCode < 400 || must(t, c, "EXISTS", hostile[0]).Int != 1 {
			t.Errorf("a foreign key: %s", a.Status)
		}
		for _, bad := range []string{"", "what=key&name=x", "what=namespace&name=a%3Ab", "what=tag&name=", "what=flush&name=all"} {
			if a := b.do(http.MethodPost, "invalidate?"+bad, url.Values{"csrf": {b.csrf("./")}}); a.StatusCode != http.StatusBadRequest {
				t.Errorf("%q: %s", bad, a.Status)
			}
		}
	})
}

func TestReadOnly(t *testing.T) {
	t.Parallel()
	c := engine(t).Connect()
	w := newWorld(t, c)
	_, b := open(t, c, Options{ReadOnly: true})
	b.signIn()
	for _, page := range everyPage {
		if !strings.HasPrefix(page, "invalidate") {
			lacks(t, b.do(http.MethodGet, page, nil).body, "Invalidate…", `href="invalidate`)
		}
	}
	for _, q := range []string{"what=key&name=user%3A6", "what=tag&name=users", "what=namespace&name=user"} {
		if a := b.do(http.MethodPost, "invalidate?"+q, url.Values{"csrf": {b.csrf("./")}}); a.StatusCode != http.StatusBadRequest {
			t.Errorf("%s: %s", q, a.Status)
		}
	}
	if x, err := w.users.Explain(t.Context(), 6); err != nil || !strings.Contains(x.Verdict, "fresh") {
		t.Errorf("%v, %v", x.Verdict, err)
	}
}

func TestFiguresAddUp(t *testing.T) {
	t.Parallel()
	c := engine(t).Connect()
	w := newWorld(t, c)
	d, _ := open(t, c, Options{})
	s := d.watch.look(t.Context())
	tr := trafficOf(s.figures.together(caching...))
	st := w.users.Stats()
	if add(tr.l1) != float64(st.L1Hits) || add(tr.l2) != float64(st.L2Hits) || add(tr.misses) != float64(st.Misses) || add(tr.loads) != float64(st.Loads) {
		t.Errorf("figures %v %v %v %v, the cache says %+v", add(tr.l1), add(tr.l2), add(tr.misses), add(tr.loads), st)
	}
	if got := s.figures.of("cache", "user").distribution(verbLoad).Count(); got != st.Loads {
		t.Errorf("%d loads were timed, of %d", got, st.Loads)
	}
	// The names under which caches count are those that pages ask for.
	counted := map[string]bool{}
	for _, m := range larder.Metrics() {
		counted[m.Name] = true
	}
	for _, name := range []string{
		metricHits, metricMisses, metricLoads, metricLoadErrors, metricFills, metricRefused, metricL2Errors,
		metricInvalidated, metricPushes, metricPending, metricL1Entries, metricL1Bytes, metricL1Evictions, metricCoalesced,
	} {
		if !counted[name] {
			t.Errorf("no cache counts %s", name)
		}
	}
}
