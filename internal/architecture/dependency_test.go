package architecture

import (
	"fmt"
	"path"
	"strings"
)

// keepers says which rooms may import a dependency; all others get it, if at
// all, through them. Dependencies without a line may be imported anywhere.
var keepers = []struct {
	dependency string
	rooms      []string
	benchmarks bool // benchmark files anywhere may measure against it
	tests      bool // test files anywhere may use it
	why        string
}{
	{"github.com/redis/rueidis", []string{"redisconn", "benchmarks"}, true, false, "only redisconn knows the Redis client"},
	{"github.com/redis/go-redis", []string{"benchmarks", "e2e"}, false, false, "the Redis client is rueidis, in redisconn"},
	{"github.com/gomodule/redigo", []string{"benchmarks", "e2e"}, false, false, "the Redis client is rueidis, in redisconn"},
	{"github.com/alicebob/miniredis", []string{"embedded"}, false, false, "only embedded knows the engine"},
	{"github.com/yuin/gopher-lua", []string{"embedded"}, false, false, "only embedded knows the engine"},
	{"github.com/maypok86/otter", []string{"internal", "benchmarks"}, true, false, "the L1 store stays under internal"},
	{"github.com/klauspost/compress", []string{"internal", "benchmarks"}, true, false, "compression stays under internal"},
	{"github.com/sony/gobreaker", []string{"internal"}, false, false, "the breaker stays under internal"},
	{"github.com/failsafe-go/failsafe-go", []string{"internal"}, false, false, "the breaker stays under internal"},
	{"github.com/jackc/pgx", []string{"sqlcache", "internal/pgtest", "internal/demo", "examples", "benchmarks", "e2e"}, true, true, "only sqlcache knows a database driver"},
	{"github.com/alexedwards/scs", []string{"e2e"}, false, false, "session satisfies its interfaces without it"},
	{"github.com/pganalyze/pg_query_go", []string{"e2e"}, false, false, "users of sqlcache do not build PostgreSQL's parser"},
	{"go.opentelemetry.io", []string{"telemetry", "benchmarks", "e2e"}, false, false, "features speak to observe.Observer; telemetry speaks OpenTelemetry"},
	{"golang.org/x/term", []string{"cmd"}, false, false, "libraries know no terminal"},
	{"modernc.org", []string{"cmd", "internal/demo", "examples", "benchmarks", "e2e"}, true, true, "libraries do not bring a database along"},
}

// testLibraries must not reach users' binaries.
var testLibraries = []string{
	"testing",
	"net/http/httptest",
	"go.uber.org/goleak",
	"github.com/google/go-cmp",
	"github.com/stretchr/testify",
}

// testingRooms ship test code on purpose.
var testingRooms = []string{"cachetest", "internal/redistest", "internal/observetest", "internal/pgtest", "internal/sidebyside", "e2e", "benchmarks"}

// dependencies checks that third-party packages stay in their rooms and test
// libraries in tests.
func dependencies(t *tree) (found []string) {
	for _, f := range t.files {
		benchmark := f.test && strings.Contains(path.Base(f.path), "bench")
		for _, im := range f.imports {
			for _, k := range keepers {
				if !covers(k.dependency, im.path) || within(f.dir, k.rooms...) ||
					k.tests && f.test || k.benchmarks && benchmark {
					continue
				}
				found = append(found, fmt.Sprintf("%s:%d: %s may be imported only by %s: %s",
					f.path, im.line, im.path, strings.Join(k.rooms, ", "), k.why))
			}
			if f.test || within(f.dir, testingRooms...) {
				continue
			}
			for _, lib := range testLibraries {
				if covers(lib, im.path) {
					found = append(found, fmt.Sprintf("%s:%d: %s is a test library: import it in _test.go files, or in %s",
						f.path, im.line, im.path, strings.Join(testingRooms[:2], " and ")))
				}
			}
		}
	}
	return found
}
