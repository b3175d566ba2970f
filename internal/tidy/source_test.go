package tidy

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

const (
	module = "github.com/berthsim/berth"
	root   = "../.." // of the module, from here
)

// A source is a Go file of the module.
type source struct {
	name   string // from the module's root, with slashes
	fset   *token.FileSet
	syntax *ast.File
}

// pkg is the path of the package that the file lies in, without the module's.
func (s source) pkg() string { return path.Dir(s.name) }

func (s source) isTest() bool { return strings.HasSuffix(s.name, "_test.go") }

func (s source) line(pos token.Pos) int { return s.fset.Position(pos).Line }

// at prefixes a finding with where it was made.
func (s source) at(pos token.Pos, format string, args ...any) string {
	return fmt.Sprintf("%s:%d: %s", s.name, s.line(pos), fmt.Sprintf(format, args...))
}

// parseSource makes a source of text; name says where it would lie.
func parseSource(fset *token.FileSet, name, text string) (source, error) {
	f, err := parser.ParseFile(fset, name, text, parser.ParseComments|parser.SkipObjectResolution)
	return source{name, fset, f}, err
}

// moduleSources returns every Go file of the module, whatever its build
// constraints: `go list` would leave out those of other systems and tags,
// which must keep the same rules.
func moduleSources(t *testing.T) []source {
	t.Helper()
	files, err := readModule()
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// mustParse parses text that is one file by itself.
func mustParse(t *testing.T, name, text string) source {
	t.Helper()
	return mustParseInto(t, token.NewFileSet(), name, text)
}

// mustParseInto parses text that is a package with others of the same fset.
func mustParseInto(t *testing.T, fset *token.FileSet, name, text string) source {
	t.Helper()
	f, err := parseSource(fset, name, text)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

var readModule = sync.OnceValues(func() ([]source, error) {
	var files []source
	fset := token.NewFileSet()
	err := filepath.WalkDir(root, func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			if name != root && outside(name) {
				return fs.SkipDir
			}
			return nil
		}
		if !strings.HasSuffix(name, ".go") {
			return nil
		}
		rel, err := filepath.Rel(root, name)
		if err != nil {
			return err
		}
		text, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		f, err := parseSource(fset, filepath.ToSlash(rel), string(text))
		files = append(files, f)
		return err
	})
	return files, err
})

// outside reports whether the go command would not count dir to the module.
func outside(dir string) bool {
	base := filepath.Base(dir)
	if base == "testdata" || base == "vendor" || base[0] == '.' || base[0] == '_' {
		return true
	}
	_, err := os.Stat(filepath.Join(dir, "go.mod"))
	return err == nil // a module of its own
}

// report makes each finding an error.
func report(t *testing.T, findings []string) {
	t.Helper()
	for _, f := range findings {
		t.Error(f)
	}
}
