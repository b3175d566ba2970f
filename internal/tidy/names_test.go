package tidy

import (
	"fmt"
	"go/ast"
	"go/token"
	"path"
	"slices"
	"strings"
	"testing"
	"unicode"
)

// vague are words that tell a reader nothing of what they name.
var vague = []string{"util", "utils", "common", "helper", "helpers", "manager", "impl"}

func TestNames(t *testing.T) {
	for _, f := range moduleSources(t) {
		report(t, checkNames(f))
	}
}

// checkNames finds vague names of folders, packages and files, and of what a
// file declares. The names of others, as in t.Helper, are not its choice.
func checkNames(f source) (findings []string) {
	for _, part := range strings.Split(f.name, "/") {
		base := strings.TrimSuffix(strings.TrimSuffix(part, ".go"), "_test")
		if isVague(base) {
			findings = append(findings, fmt.Sprintf("%s: %s says nothing of what it holds", f.name, part))
		}
	}
	declared := func(names ...*ast.Ident) {
		for _, name := range names {
			if name != nil && isVague(name.Name) {
				findings = append(findings, f.at(name.Pos(), "%s says nothing of what it names", name.Name))
			}
		}
	}
	declared(f.syntax.Name)
	ast.Inspect(f.syntax, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.ImportSpec:
			declared(n.Name)
		case *ast.FuncDecl:
			declared(n.Name)
		case *ast.TypeSpec:
			declared(n.Name)
		case *ast.ValueSpec:
			declared(n.Names...)
		case *ast.Field: // of structs, interfaces, parameters and results
			declared(n.Names...)
		case *ast.LabeledStmt:
			declared(n.Label)
		case *ast.AssignStmt:
			if n.Tok == token.DEFINE {
				declared(identifiers(n.Lhs...)...)
			}
		case *ast.RangeStmt:
			if n.Tok == token.DEFINE {
				declared(identifiers(n.Key, n.Value)...)
			}
		}
		return true
	})
	return findings
}

// identifiers returns those of expressions that are one.
func identifiers(exprs ...ast.Expr) (ids []*ast.Ident) {
	for _, e := range exprs {
		if id, ok := e.(*ast.Ident); ok {
			ids = append(ids, id)
		}
	}
	return ids
}

// isVague reports whether a name is a vague word or ends in one, as in
// podHelper. In commonPrefix, the word before says something of the one behind.
func isVague(name string) bool {
	i := strings.LastIndexFunc(name, func(r rune) bool { return unicode.IsUpper(r) || r == '_' })
	last := strings.TrimPrefix(name[max(i, 0):], "_")
	return slices.Contains(vague, strings.ToLower(last)) || slices.Contains(vague, strings.ToLower(name))
}

func TestNamesFindings(t *testing.T) {
	tests := []struct {
		name, text string
		want       string // the vague word; "" for nothing
	}{
		{"a/util/a.go", "package a", "util"},
		{"a/helpers_test.go", "package a", "helpers_test.go"},
		{"a/pod_utils.go", "package a", "pod_utils.go"},
		{"a/a.go", "package common", "common"},
		{"a/a.go", `package a; import impl "go/ast"`, "impl"},
		{"a/a.go", "package a; func podHelper() {}", "podHelper"},
		{"a/a.go", "package a; type podManager int", "podManager"},
		{"a/a.go", "package a; type Manager[T any] int", "Manager"},
		{"a/a.go", "package a; const HELPER = 1", "HELPER"},
		{"a/a.go", "package a; func f(impl int) {}", "impl"},
		{"a/a.go", "package a; type t struct { a, util int }", "util"},
		{"a/a.go", "package a; type t interface { Helper() }", "Helper"},
		{"a/a.go", "package a; func f() { a, common := 1, 2 }", "common"},
		{"a/a.go", "package a; func f() { for _, helper := range x {} }", "helper"},
		{"a/a.go", "package a; func f() { impl: for {} }", "impl"},
		{"a/a.go", "package a; func f() { common.x = t.Helper }", ""},
		{"a/a.go", "package a; func commonPrefix() {}", ""},
		{"a/a.go", "package a; func simple(implied, utility int) {}", ""},
	}
	for _, tt := range tests {
		var want []string
		switch {
		case tt.want == path.Base(path.Dir(tt.name)) || tt.want == path.Base(tt.name):
			want = []string{tt.name + ": " + tt.want + " says nothing of what it holds"}
		case tt.want != "":
			want = []string{tt.name + ":1: " + tt.want + " says nothing of what it names"}
		}
		if got := checkNames(mustParse(t, tt.name, tt.text)); !slices.Equal(got, want) {
			t.Errorf("%s: in %q, found %q, want %q", tt.name, tt.text, got, want)
		}
	}
}
