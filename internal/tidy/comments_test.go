package tidy

import (
	"fmt"
	"go/ast"
	"go/token"
	"maps"
	"slices"
	"strings"
	"testing"
)

func TestComments(t *testing.T) {
	report(t, checkComments(moduleSources(t)))
}

// checkComments finds packages that no comment, or more than one, explains,
// and exported identifiers without one in packages that others may import.
func checkComments(files []source) (findings []string) {
	comments := map[string][]string{} // of each package, the files that hold one
	for _, f := range files {
		if f.isTest() {
			continue
		}
		names := comments[f.pkg()]
		if f.syntax.Doc.Text() != "" {
			names = append(names, f.name)
		}
		comments[f.pkg()] = names
		internal := slices.Contains(strings.Split(f.pkg(), "/"), "internal")
		if f.syntax.Name.Name != "main" && !internal && !ast.IsGenerated(f.syntax) {
			findings = append(findings, checkDocs(f)...)
		}
	}
	for _, pkg := range slices.Sorted(maps.Keys(comments)) {
		switch names := comments[pkg]; len(names) {
		case 0:
			findings = append(findings, fmt.Sprintf("%s has no package comment", pkg))
		case 1:
		default:
			findings = append(findings, fmt.Sprintf("%s has more than one package comment, in %s", pkg, strings.Join(names, ", ")))
		}
	}
	return findings
}

// checkDocs finds exported identifiers of a file that have no comment. In a
// group of constants, variables or types, the group's comment is enough, and
// so is one at the end of the line.
func checkDocs(f source) (findings []string) {
	undocumented := func(name *ast.Ident, docs ...*ast.CommentGroup) {
		documented := slices.ContainsFunc(docs, func(d *ast.CommentGroup) bool { return d.Text() != "" })
		if name.IsExported() && !documented {
			findings = append(findings, f.at(name.Pos(), "%s is exported and has no comment", name.Name))
		}
	}
	for _, decl := range f.syntax.Decls {
		switch decl := decl.(type) {
		case *ast.FuncDecl:
			if recv := receiver(decl); recv == nil || recv.IsExported() {
				undocumented(decl.Name, decl.Doc)
			}
		case *ast.GenDecl:
			if decl.Tok == token.IMPORT {
				continue
			}
			for _, spec := range decl.Specs {
				switch spec := spec.(type) {
				case *ast.TypeSpec:
					undocumented(spec.Name, decl.Doc, spec.Doc, spec.Comment)
				case *ast.ValueSpec:
					for _, name := range spec.Names {
						undocumented(name, decl.Doc, spec.Doc, spec.Comment)
					}
				}
			}
		}
	}
	return findings
}

// receiver returns the name of the type that a method belongs to, nil for a function.
func receiver(fn *ast.FuncDecl) *ast.Ident {
	if fn.Recv == nil || len(fn.Recv.List) == 0 {
		return nil
	}
	typ := fn.Recv.List[0].Type
	for {
		switch t := typ.(type) {
		case *ast.StarExpr:
			typ = t.X
		case *ast.ParenExpr:
			typ = t.X
		case *ast.IndexExpr:
			typ = t.X
		case *ast.IndexListExpr:
			typ = t.X
		case *ast.Ident:
			return t
		default:
			return nil
		}
	}
}

func TestCommentsFindings(t *testing.T) {
	const header = "// Package a is.\npackage a\n"
	tests := []struct{ text, want string }{
		{"package a", "a has no package comment"},
		{header, ""},
		{header + "func F() {}", "a/a.go:3: F is exported and has no comment"},
		{header + "// F does.\nfunc F() {}", ""},
		{header + "//go:noinline\nfunc F() {}", "a/a.go:4: F is exported and has no comment"},
		{header + "func f() {}", ""},
		{header + "func (t *T[A, B]) F() {}", "a/a.go:3: F is exported and has no comment"},
		{header + "func (t *t[A]) F() {}", ""},
		{header + "type T int", "a/a.go:3: T is exported and has no comment"},
		{header + "type (\n\tt int // T\n\tT int\n)", "a/a.go:5: T is exported and has no comment"},
		{header + "const (\n\tb, C = 1, 2\n)", "a/a.go:4: C is exported and has no comment"},
		{header + "// Things.\nconst (\n\tB = 1\n)", ""},
		{header + "var (\n\tB = 1 // bee\n)", ""},
		{"// Command a does.\npackage main\nfunc F() {}", ""},
	}
	for _, tt := range tests {
		files := []source{mustParse(t, "a/a.go", tt.text)}
		if got := strings.Join(checkComments(files), "\n"); got != tt.want {
			t.Errorf("in %q, found %q, want %q", tt.text, got, tt.want)
		}
	}
	files := []source{mustParse(t, "a/a.go", header), mustParse(t, "a/b.go", header), mustParse(t, "a/b_test.go", header)}
	if got, want := checkComments(files), "a has more than one package comment, in a/a.go, a/b.go"; len(got) != 1 || got[0] != want {
		t.Errorf("found %q, want %q", got, want)
	}
	files = []source{mustParse(t, "internal/a/a.go", header+"func F() {}")}
	if got := checkComments(files); len(got) != 0 {
		t.Errorf("found %q in an internal package", got)
	}
}
