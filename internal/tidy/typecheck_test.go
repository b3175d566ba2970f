package tidy

import (
	"encoding/json"
	"errors"
	"fmt"
	"go/ast"
	"go/importer"
	"go/token"
	"go/types"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// A typed is a package's source with its types.
type typed struct {
	path  string // from the module's root
	files []source
	info  *types.Info
}

// typeCheckPackage loads a package of the module without its tests.
func typeCheckPackage(t *testing.T, path string) typed {
	t.Helper()
	listed, err := list(module + "/" + path)
	if err != nil {
		t.Fatal(err)
	}
	p := listed[module+"/"+path]
	for _, name := range append(p.CgoFiles, p.IgnoredGoFiles...) {
		if !strings.HasSuffix(name, "_test.go") {
			t.Errorf("%s/%s is not for every build, so it can't be checked here: decide in plain Go that is the same everywhere", path, name)
		}
	}
	fset := token.NewFileSet()
	var files []source
	for _, name := range p.GoFiles {
		text, err := os.ReadFile(filepath.Join(p.Dir, name))
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, mustParseInto(t, fset, path+"/"+name, string(text)))
	}
	checked, err := typeCheck(path, fset, files, listed)
	if err != nil {
		t.Fatal(err)
	}
	return checked
}

// typeCheck finds the types of files, which are one package, parsed into
// fset. What they import must be listed.
func typeCheck(path string, fset *token.FileSet, files []source, listed map[string]goPackage) (typed, error) {
	open := func(imp string) (io.ReadCloser, error) {
		if listed[imp].Export == "" {
			return nil, fmt.Errorf("%s is not built", imp)
		}
		return os.Open(listed[imp].Export)
	}
	info := &types.Info{Types: map[ast.Expr]types.TypeAndValue{}, Uses: map[*ast.Ident]types.Object{}}
	conf := types.Config{Importer: importer.ForCompiler(fset, "gc", open)}
	var syntax []*ast.File
	for _, f := range files {
		syntax = append(syntax, f.syntax)
	}
	_, err := conf.Check(path, fset, syntax, info)
	return typed{path, files, info}, err
}

// A goPackage is what `go list` says of a package. Export names the file that
// describes its exported types to those who import it.
type goPackage struct {
	ImportPath, Dir, Export           string
	GoFiles, CgoFiles, IgnoredGoFiles []string
}

// list builds packages and all that they depend on, and returns them by import path.
func list(paths ...string) (map[string]goPackage, error) {
	args := []string{"list", "-export", "-deps", "-json=ImportPath,Dir,Export,GoFiles,CgoFiles,IgnoredGoFiles"}
	cmd := exec.Command("go", append(args, paths...)...)
	cmd.Dir = root
	out, err := cmd.Output()
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		return nil, fmt.Errorf("go list %s: %s", strings.Join(paths, " "), exit.Stderr)
	} else if err != nil {
		return nil, err
	}
	pkgs := map[string]goPackage{}
	dec := json.NewDecoder(strings.NewReader(string(out)))
	for dec.More() {
		var p goPackage
		if err := dec.Decode(&p); err != nil {
			return nil, fmt.Errorf("reading what go list says: %w", err)
		}
		pkgs[p.ImportPath] = p
	}
	return pkgs, nil
}

func isMap(t types.Type) bool { _, ok := t.(*types.Map); return ok }

func isFloat(t types.Type) bool { return isBasic(t, types.IsFloat) }

func isNumber(t types.Type) bool { return isBasic(t, types.IsFloat|types.IsInteger) }

func isBasic(t types.Type, info types.BasicInfo) bool {
	b, ok := t.(*types.Basic)
	return ok && b.Info()&info != 0
}

// some reports whether is holds for what underlies t or, if t is a type
// parameter, for what underlies any type that may stand for it.
func some(t types.Type, is func(types.Type) bool) bool {
	if p, ok := types.Unalias(t).(*types.TypeParam); ok {
		return someTerm(p.Constraint().Underlying(), is)
	}
	return t != nil && is(t.Underlying())
}

// someTerm goes through the terms of a constraint.
func someTerm(t types.Type, is func(types.Type) bool) bool {
	switch t := t.(type) {
	case *types.Interface:
		for e := range t.EmbeddedTypes() {
			if someTerm(types.Unalias(e), is) {
				return true
			}
		}
	case *types.Union:
		for term := range t.Terms() {
			if someTerm(types.Unalias(term.Type()), is) {
				return true
			}
		}
	case *types.Named:
		return someTerm(t.Underlying(), is)
	default:
		return some(t, is)
	}
	return false
}
