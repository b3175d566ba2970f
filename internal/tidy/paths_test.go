package tidy

import (
	"bytes"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// machinePath matches absolute paths that exist on one machine only. A letter
// or another part of a path in front, as in a web address, makes it another
// kind of path. The pattern is in pieces so as not to match itself.
var machinePath = regexp.MustCompile(`(?:^|[^\w./-])(/` + `(?:work|home|Users)/[\w.-]*|[A-Z]:\\` + `Users\\[\w.-]*)`)

// TestPaths checks that no text file of the project names a path that only
// exists where it was written.
func TestPaths(t *testing.T) {
	names := projectFiles(t)
	if len(names) == 0 {
		t.Fatal("the project has no files")
	}
	for _, name := range names {
		text, err := os.ReadFile(filepath.Join(root, name))
		if err != nil {
			t.Fatal(err)
		}
		report(t, checkPaths(name, text))
	}
}

// checkPaths finds paths of one machine in a file, unless it isn't text.
func checkPaths(name string, text []byte) (findings []string) {
	if bytes.IndexByte(text[:min(len(text), 8000)], 0) >= 0 { // as git tells
		return nil
	}
	line := 1
	for l := range bytes.Lines(text) {
		if m := machinePath.FindSubmatch(l); m != nil {
			findings = append(findings, fmt.Sprintf("%s:%d: %s exists on one machine only", name, line, m[1]))
		}
		line++
	}
	return findings
}

// projectFiles lists the regular files that git tracks or would track, or all
// files where there is no git.
func projectFiles(t *testing.T) (names []string) {
	t.Helper()
	cmd := exec.Command("git", "ls-files", "-z", "--cached", "--others", "--exclude-standard")
	cmd.Dir = root
	if out, err := cmd.Output(); err == nil {
		names = strings.Split(strings.TrimSuffix(string(out), "\x00"), "\x00")
		slices.Sort(names)
		names = slices.Compact(names)
		return slices.DeleteFunc(names, func(name string) bool {
			info, err := os.Lstat(filepath.Join(root, name))
			return err != nil || !info.Mode().IsRegular() // deleted, or a link
		})
	}
	err := filepath.WalkDir(root, func(name string, d fs.DirEntry, err error) error {
		if d != nil && d.IsDir() && d.Name() == ".git" {
			return fs.SkipDir
		}
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		name, err = filepath.Rel(root, name)
		names = append(names, name)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return names
}

func TestPathsFindings(t *testing.T) {
	work, home := "/"+"work/", "/"+"home/"
	tests := []struct{ text, want string }{
		{"cd " + work + "x/y", "f:1: " + work + "x exists on one machine only"},
		{"a\nb\ndir=" + home + "me", "f:3: " + home + "me exists on one machine only"},
		{`"` + "/" + "Users/me/x\"", "f:1: /" + "Users/me exists on one machine only"},
		{`C:\` + `Users\me`, `f:1: C:\` + `Users\me exists on one machine only`},
		{work, "f:1: " + work + " exists on one machine only"},
		{"https://example.org" + work + "x", ""},
		{"scheduler" + work + "x", ""},
		{".." + home + "x", ""},
		{"/tmp/x and the /homework/", ""},
		{"\x00" + work, ""},
	}
	for _, tt := range tests {
		if got := strings.Join(checkPaths("f", []byte(tt.text)), "\n"); got != tt.want {
			t.Errorf("in %q, found %q, want %q", tt.text, got, tt.want)
		}
	}
}
