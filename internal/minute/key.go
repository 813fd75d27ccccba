package minute

import (
	"strconv"
	"strings"
)

// The Redis keys. The hash tag puts all of them into one slot of a cluster, so that
// they can be read together; no namespace begins with "~".
const (
	prefix = "~{telemetry}:"
	// Index is a sorted set of the ids of processes, by when they have last written.
	Index = prefix + "processes"
)

// Key is where the record of a process is kept.
func Key(minute int64, id string) string {
	return prefix + strconv.FormatInt(minute, 10) + ":" + id
}

// AliveKey exists while a process writes.
func AliveKey(id string) string { return prefix + "alive:" + id }

// ID names a life of a process: the minute in which it began, so that readers need
// not look for earlier records, and something random.
func ID(begin int64, random string) string {
	return strconv.FormatInt(begin, 10) + "-" + random
}

// maxID bounds an id.
const maxID = 64

// Begin is the first minute of an ID; false where it is none.
func Begin(id string) (minute int64, ok bool) {
	first, random, ok := strings.Cut(id, "-")
	m, err := strconv.ParseInt(first, 10, 64)
	return m, ok && err == nil && m >= 0 && random != "" && len(id) <= maxID
}
