package torture

import (
	"strconv"
	"time"

	"github.com/larder-go/larder"
)

// The spaces are namespaces whose caches differ in what they use.
const (
	plain  = iota // long lives, tags
	rev           // revisions, tags that only the value knows, short and stale lives
	brief         // very short lives, refreshed ahead of time; lenient
	bare          // no memory in the process, tags
	cold          // like plain, but seldom written: what is old there stays so
	spaces = iota
)

var spaceNames = [spaces]string{"plain", "rev", "brief", "bare", "cold"}

// keysEach is how many keys a space has. One digit each, so that the prefix of one is
// not that of another.
const keysEach = 6

// allKeys is how many there are. Key n of space s is number s*keysEach+n in the source.
const allKeys = spaces * keysEach

func keyText(key int) string { return spaceNames[key/keysEach] + "/" + strconv.Itoa(key%keysEach) }

// How the caches are set up.
const (
	stalenessBound = larder.DefaultStalenessBound
	cacheTimeout   = larder.DefaultCacheTimeout
	leaseTime      = time.Second
	maxL1          = 4 << 20
	slowLoad       = 1500 * time.Millisecond // longer than a lease, so that it must be renewed
)

// The tags of a run, by what they are on.
const (
	tagAll  = "all"  // every key of plain and bare
	tagEven = "even" // every second one of them
	tagLate = "late" // every value of rev; named by the value alone
	tagCold = "cold" // every key of cold
)

func taggedKeys(tag string) (keys []int) {
	for key := range allKeys {
		switch space := key / keysEach; tag {
		case tagAll:
			if space == plain || space == bare {
				keys = append(keys, key)
			}
		case tagEven:
			if (space == plain || space == bare) && key%2 == 0 {
				keys = append(keys, key)
			}
		case tagCold:
			if space == cold {
				keys = append(keys, key)
			}
		case tagLate:
			if space == rev {
				keys = append(keys, key)
			}
		}
	}
	return keys
}

func spaceKeys(space int) (keys []int) {
	for n := range keysEach {
		keys = append(keys, space*keysEach+n)
	}
	return keys
}

// value is what the caches hold.
type value struct {
	// V is the version, L the number of the load or write that brought it.
	V int64
	L uint64
}

// options are those of the cache of a space, without loader.
func (c config) options(space int) larder.Options[int, value] {
	tag := func(name string) string { return c.Prefix + "-" + name }
	o := larder.Options[int, value]{
		Namespace: c.Prefix + "-" + spaceNames[space],
		TTL:       time.Minute, Lease: leaseTime, L1MaxBytes: maxL1,
	}
	tags := func(key int) []string {
		if key%2 == 0 {
			return []string{tag(tagAll), tag(tagEven)}
		}
		return []string{tag(tagAll)}
	}
	switch space {
	case plain:
		o.Tags = tags
	case cold:
		o.Tags = func(int) []string { return []string{tag(tagCold)} }
	case rev:
		o.TTL, o.StaleFor = 500*time.Millisecond, 500*time.Millisecond
		o.Revision = func(v value) uint64 { return uint64(v.V) }
		o.TagsOf = func(int, value) []string { return []string{tag(tagLate)} }
	case brief:
		o.TTL, o.StaleFor, o.RefreshAhead, o.Lenient = 100*time.Millisecond, 100*time.Millisecond, 1, true
	case bare:
		o.Tags, o.L1MaxBytes = tags, -1
	}
	return o
}
