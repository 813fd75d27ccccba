package keyspace

import (
	"context"
	"math/rand/v2"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/larder-go/larder/conn"
)

// The bounds of a Census.
const (
	// StepKeys is how many keys one Step walks over, about.
	StepKeys = 10_000
	// MaxSpaces and MaxTags bound what is told apart; the rest is counted together.
	MaxSpaces = 2000
	MaxTags   = 2000

	censusCount   = 1000 // keys of one SCAN
	samplesEach   = 48   // of one SCAN, at most
	samplesMost   = 1000 // of one that was answered with more keys
	samplesEager  = 12   // of a namespace: until then each of its keys is looked at
	samplesRare   = 50   // then one in so many
	maxSamples    = 128  // of a namespace that are remembered
	maxHot        = 20
	restBeforeNew = time.Minute // between two walks
)

var headEnd = strconv.Itoa(headBytes - 1)

// Census walks over all keys, over and over, and estimates.
type Census struct {
	c conn.Conn

	stepping sync.Mutex // held by the one Step at a time; protects at, began and noFrequencies
	at       place
	resting  time.Time // until when no new walk begins
	// noFrequencies says that the server does not count how often keys are used.
	noFrequencies bool

	mu       sync.Mutex // protects the following
	now      *walk      // under way
	complete *walk      // the last one that has seen all keys
}

// walk is what one walk has found.
type walk struct {
	began, ended time.Time
	total        int64 // keys of the server when it was looked at last
	walked       int64
	timeless     int64 // of the samples, those without expiry
	samples      int64
	spaces       map[string]*space
	tags         map[carried]int64 // samples of a space that carry a tag
	tagged       map[string]bool   // tags whose generation is a key
	other        int64             // keys of spaces beyond MaxSpaces
	hot          []Hot
	frequencies  bool
}

// carried is a tag on entries of a space.
type carried struct{ tag, space string }

type space struct {
	keys     int64
	aside    int64 // of them, those that belong to others: see Space.Aside
	samples  int64
	bytes    float64
	entries  int64
	ages     []time.Duration // of the sampled entries
	lives    []time.Duration
	costs    []time.Duration
	timeless int64
}

// Hot is a key that Redis saw used often.
type Hot struct {
	Key       string
	Frequency int64
}

// NewCensus makes a Census of what c reaches. It sends nothing.
func NewCensus(c conn.Conn) *Census {
	return &Census{c: c, at: begin(c), now: newWalk()}
}

func newWalk() *walk {
	return &walk{spaces: map[string]*space{}, tags: map[carried]int64{}, tagged: map[string]bool{}}
}

// Step walks on by about StepKeys keys. Between two walks it rests, and does nothing.
// A second Step at the same time does nothing either.
func (s *Census) Step(ctx context.Context) error {
	if !s.stepping.TryLock() {
		return nil
	}
	defer s.stepping.Unlock()
	if time.Now().Before(s.resting) {
		return nil
	}
	total, err := size(ctx, s.c)
	if err != nil {
		return err
	}
	for walked := 0; walked < StepKeys; walked += censusCount {
		keys, next, done, err := scan(ctx, s.c, s.at, "", censusCount)
		if err != nil {
			s.at = begin(s.c)
			s.renew()
			return err
		}
		looked, err := s.sample(ctx, keys)
		if err != nil {
			return err
		}
		s.at = next
		s.note(keys, looked, total, done)
		if done {
			s.resting = time.Now().Add(restBeforeNew)
			return nil
		}
	}
	return nil
}

// renew forgets a walk that came to no end.
func (s *Census) renew() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.now = newWalk()
}

// sample looks at a few of the keys that one SCAN has found.
func (s *Census) sample(ctx context.Context, keys []conn.Value) ([]sampled, error) {
	chosen := s.choose(keys)
	looked, err := look(ctx, s.c, chosen, !s.noFrequencies)
	if err != nil {
		return nil, err
	}
	if !s.noFrequencies && len(looked) > 0 {
		s.noFrequencies = true
		for _, l := range looked {
			if l.frequency >= 0 {
				s.noFrequencies = false
			}
		}
	}
	return looked, nil
}

// choose picks some of the keys at random, more of namespaces that are little known.
func (s *Census) choose(keys []conn.Value) []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	// Some servers answer with more keys than they were asked for.
	most := min(samplesEach*(1+len(keys)/censusCount), samplesMost)
	var chosen []string
	picked := map[string]int64{}
	for _, i := range rand.Perm(len(keys)) {
		key := keys[i].Str
		name := SpaceOf(key)
		if strings.HasPrefix(name, "~") {
			continue // generations, and what else is not a value
		}
		known := picked[name]
		if sp := s.now.spaces[name]; sp != nil {
			known += sp.samples
		}
		if known >= samplesEager && rand.IntN(samplesRare) > 0 {
			continue
		}
		picked[name]++
		if chosen = append(chosen, key); len(chosen) == most {
			break
		}
	}
	return chosen
}

// SpaceOf is the namespace of a Redis key: what stands before the first colon, and
// the whole key where there is none.
func SpaceOf(key string) string {
	name, _, _ := strings.Cut(key, ":")
	return name
}

// note adds what one SCAN has found.
func (s *Census) note(keys []conn.Value, looked []sampled, total int64, done bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	w, now := s.now, time.Now()
	if w.began.IsZero() {
		w.began = now
	}
	w.total, w.frequencies = total, !s.noFrequencies
	for _, k := range keys {
		w.walked++
		if tag, ok := strings.CutPrefix(k.Str, tagPrefix); ok && len(w.tagged) < MaxTags {
			w.tagged[strings.Clone(tag)] = true
		}
		if sp := w.space(k.Str); sp != nil {
			sp.keys++
			if strings.HasSuffix(k.Str, ":generation") || strings.HasSuffix(k.Str, ":index") {
				sp.aside++
			}
		} else {
			w.other++
		}
	}
	for _, l := range looked {
		w.add(l, now)
	}
	if done {
		w.ended = now
		s.complete, s.now = w, newWalk()
	}
}

const tagPrefix = "~tag:"

func (w *walk) space(key string) *space {
	name := SpaceOf(key)
	sp := w.spaces[name]
	if sp == nil && len(w.spaces) < MaxSpaces {
		sp = &space{}
		w.spaces[strings.Clone(name)] = sp
	}
	return sp
}

func (w *walk) add(l sampled, now time.Time) {
	w.samples++
	if !l.expires {
		w.timeless++
	}
	for _, tag := range l.tags {
		c := carried{tag, SpaceOf(l.key)}
		if _, ok := w.tags[c]; ok || len(w.tags) < MaxTags {
			w.tags[c]++
		}
	}
	w.warm(l)
	sp := w.space(l.key)
	if sp == nil {
		return
	}
	sp.samples++
	sp.bytes += l.bytes
	if !l.expires {
		sp.timeless++
	}
	if l.entry {
		sp.entries++
		keep(&sp.ages, now.Sub(time.UnixMilli(l.loadedAt)), sp.entries)
		keep(&sp.lives, l.life, sp.entries)
		keep(&sp.costs, l.cost, sp.entries)
	}
}

// keep remembers up to maxSamples of the n values so far, each with the same chance.
func keep(list *[]time.Duration, d time.Duration, n int64) {
	if len(*list) < maxSamples {
		*list = append(*list, d)
	} else if i := rand.Int64N(n); i < maxSamples {
		(*list)[i] = d
	}
}

// warm keeps the keys that are used most.
func (w *walk) warm(l sampled) {
	if l.frequency <= 0 {
		return
	}
	i := len(w.hot)
	for i > 0 && w.hot[i-1].Frequency < l.frequency {
		i--
	}
	if i >= maxHot {
		return
	}
	w.hot = append(w.hot, Hot{})
	copy(w.hot[i+1:], w.hot[i:])
	w.hot[i] = Hot{strings.Clone(l.key), l.frequency}
	w.hot = w.hot[:min(len(w.hot), maxHot)]
}
