package architecture

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// layer is a storey of the house. Imports go down:
//
//	cmd -> tools and servers -> features -> backends -> shared rooms -> contract
type layer string

const (
	contract layer = "contract" // conn, observe
	shared   layer = "shared room"
	backend  layer = "backend"
	root     layer = "root"
	feature  layer = "feature"
	server   layer = "server"
	tool     layer = "tool"
	testkit  layer = "test kit"
	command  layer = "command"
	example  layer = "example"
	outside  layer = "outside" // nobody's dependency; may import anything
)

// rooms gives every folder its layer; the longest match counts. A new folder
// at the top needs a line here and in docs/architecture.md.
var rooms = map[string]layer{
	".":       root,
	"conn":    contract,
	"observe": contract,

	"redisconn": backend,
	"embedded":  backend,
	"upstash":   backend,

	"ratelimit": feature,
	"session":   feature,
	"event":     feature,
	"sqlcache":  feature,
	"httpcache": feature,
	"rpccache":  feature,
	"strategy":  feature,
	"telemetry": feature,

	"gateway":   server,
	"dashboard": server,

	"internal":              shared,
	"internal/inspect":      shared, // also below the root, for Cache.Explain
	"internal/advise":       tool,
	"internal/audit":        tool,
	"internal/demo":         tool,
	"internal/mcp":          tool,
	"internal/soak":         tool,
	"internal/top":          tool,
	"internal/torture":      tool,
	"internal/architecture": testkit,
	"internal/observetest":  testkit,
	"internal/pgtest":       testkit,
	"internal/redistest":    testkit,
	"internal/scripted":     testkit,
	"internal/sidebyside":   testkit,
	"cachetest":             testkit,

	"cmd":      command,
	"examples": example,

	"benchmarks": outside,
	"e2e":        outside,
	"tools":      outside,
}

// below lists the layers that files of a layer may import, tests left out.
// Packages of one room may always import each other.
var below = map[layer][]layer{
	contract: {},
	shared:   {contract, shared},
	backend:  {contract, shared},
	root:     {contract, shared},
	feature:  {contract, shared},
	server:   {contract, shared, root, feature},
	tool:     {contract, shared, root, feature, server, backend, tool},
	testkit:  {contract, shared, root, feature, backend, testkit},
	command:  {contract, shared, root, feature, server, backend, tool},
	example:  {contract, root, feature, server, backend},
	outside:  {contract, shared, root, feature, server, backend, tool, testkit, outside},
}

// caching are the features that cache and therefore build on the root.
var caching = map[string]string{
	"sqlcache":  "caches query results",
	"httpcache": "caches responses",
	"rpccache":  "caches replies",
}

// roomOf returns the entry of rooms that dir belongs to.
func roomOf(dir string) (room string, ok bool) {
	for r := range maps.Keys(rooms) {
		if within(dir, r) && len(r) >= len(room) {
			room, ok = r, true
		}
	}
	return room, ok
}

// arrows checks the direction of imports between the rooms of the house.
func arrows(t *tree) (found []string) {
	for _, p := range t.packages {
		if _, ok := roomOf(p.dir); !ok {
			found = append(found, fmt.Sprintf("%s: the folder has no layer: add it to rooms in internal/architecture", p.dir))
		}
	}
	for _, f := range t.files {
		room, ok := roomOf(f.dir)
		if f.test || !ok {
			continue
		}
		for _, im := range f.imports {
			dir, own := folder(im.path)
			if !own {
				if rooms[room] == contract && !standard(im.path) {
					found = append(found, fmt.Sprintf("%s:%d: %s imports the standard library only, not %s", f.path, im.line, room, im.path))
				}
				continue
			}
			target, ok := roomOf(dir)
			if !ok || allowed(room, target) {
				continue
			}
			found = append(found, fmt.Sprintf("%s:%d: %s (%s) may not import %s (%s); it may import: %s",
				f.path, im.line, room, rooms[room], target, rooms[target], list(room)))
		}
	}
	return found
}

func allowed(from, to string) bool {
	if from == to && from != "internal" {
		return true
	}
	if _, ok := caching[from]; ok && to == "." {
		return true
	}
	return slices.Contains(below[rooms[from]], rooms[to])
}

func list(room string) string {
	var names []string
	for _, l := range below[rooms[room]] {
		names = append(names, string(l))
	}
	if _, ok := caching[room]; ok {
		names = append(names, string(root))
	}
	if len(names) == 0 {
		return "the standard library"
	}
	return strings.Join(names, ", ")
}
