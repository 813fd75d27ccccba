package architecture

import (
	"fmt"
	"path"
	"slices"
	"strings"
)

// vague are words that say nothing about what a package is for.
var vague = []string{"util", "utils", "common", "commons", "helper", "helpers", "misc", "manager", "managers"}

// documents checks that each package says what it is for, in its comment and
// by its name.
func documents(t *tree) (found []string) {
	for _, p := range t.packages {
		var documented, docFile bool
		for _, f := range p.files {
			isDoc := path.Base(f.path) == "doc.go"
			docFile = docFile || isDoc
			if f.syntax.Doc == nil {
				continue
			}
			if documented && !isDoc {
				found = append(found, fmt.Sprintf("%s:%d: a second package comment; it belongs into doc.go", f.path, t.line(f.syntax.Doc)))
			}
			documented = true
			want := "Package " + p.name + " "
			if p.name != "main" && !strings.HasPrefix(f.syntax.Doc.Text(), want) {
				found = append(found, fmt.Sprintf("%s:%d: the package comment starts with %q", f.path, t.line(f.syntax.Doc), want))
			}
		}
		if !documented {
			found = append(found, fmt.Sprintf("%s: package %s has no package comment", p.dir, p.name))
		}
		if p.public() && !docFile {
			found = append(found, fmt.Sprintf("%s: public packages have a doc.go", p.dir))
		}
		if slices.ContainsFunc(vague, func(w string) bool {
			return p.name == w || path.Base(p.dir) == w || len(w) > 3 && strings.HasSuffix(p.name, w) || strings.HasSuffix(p.name, "util")
		}) {
			found = append(found, fmt.Sprintf("%s: name package %s after what it provides", p.dir, p.name))
		}
	}
	return found
}
