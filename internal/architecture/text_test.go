package architecture

import (
	"bytes"
	"fmt"
	"io/fs"
	"os/exec"
	"regexp"
	"strings"
	"testing"
)

// machinePath finds absolute paths of somebody's machine: home folders and
// work folders.
var machinePath = regexp.MustCompile("(?m)(^|[\\s\"'`(\\[{<=:,;])(file://)?/(root|work|home/[^/\\s]+|Users/[^/\\s]+)/")

// texts checks files of all kinds, given by their paths.
func texts(fsys fs.FS, paths []string) (found []string) {
	for _, p := range paths {
		// The fixtures of this rule.
		if within(p, "internal/architecture/testdata") {
			continue
		}
		// Files that were deleted and not yet committed are still listed, and so
		// are links to folders.
		src, err := fs.ReadFile(fsys, p)
		if err != nil || bytes.IndexByte(src[:min(len(src), 8000)], 0) >= 0 {
			continue
		}
		for _, at := range machinePath.FindAllIndex(src, -1) {
			found = append(found, fmt.Sprintf("%s:%d: an absolute path of one machine: %s",
				p, 1+bytes.Count(src[:at[0]], []byte("\n")), strings.TrimSpace(string(src[at[0]:at[1]]))))
		}
	}
	return found
}

// projectFiles lists the files that belong to the repository, those not yet
// committed included. Outside a checkout it lists all files.
func projectFiles(tb testing.TB, dir string, fsys fs.FS) []string {
	tb.Helper()
	cmd := exec.CommandContext(tb.Context(), "git", "ls-files", "-z", "--cached", "--others", "--exclude-standard")
	cmd.Dir = dir
	if out, err := cmd.Output(); err == nil && len(out) > 0 {
		return strings.Split(strings.TrimSuffix(string(out), "\x00"), "\x00")
	}
	var all []string
	err := fs.WalkDir(fsys, ".", func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			if name := d.Name(); name == ".git" || name == ".bin" || name == "node_modules" {
				return fs.SkipDir
			}
			return nil
		}
		all = append(all, p)
		return nil
	})
	if err != nil {
		tb.Fatal(err)
	}
	return all
}
