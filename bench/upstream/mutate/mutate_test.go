package main

import (
	"go/ast"
	"go/parser"
	"go/token"
	"go/types"
	"strings"
	"testing"

	"golang.org/x/tools/go/packages"
)

// TestRewrite shows what is mutated, and what is not.
func TestRewrite(t *testing.T) {
	const source = `package p

import "math"

const hundred = 100

type T struct{ Name, Doc string }

var at = T{Name: "kept", Doc: "kept"}

func f(a, b int64, x float64) int64 {
	if a < b && x == 0.5 {
		return hundred * a / b
	}
	return int64(x) + int64(math.Round(x)) + int64(len(make([]int, 0, 4)))
}
`
	text, mutants := rewritten(t, source)
	want := []string{
		"comparison a < b → a >= b", "comparison a < b → a <= b",
		"comparison x == 0.5 → x != 0.5", "constant 0.5 → 0.5 + 0.25", "constant 0.5 → 0.5 - 0.25",
		"rounding hundred * a / b → away from zero", "constant hundred → hundred + 1", "constant hundred → hundred - 1",
		"rounding int64(x) → nearest", "rounding math.Round(x) → down, or up",
	}
	var got []string
	for _, m := range mutants {
		got = append(got, m.Kind+" "+m.What)
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("mutants:\n%s\nwant:\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	for _, part := range []string{
		"((a < b) != (active.On(1) || active.On(2) && (a) == (b)))",
		"active.Quotient(6, active.Number[int64](7, 8, hundred, 1)*a, b)",
		"int64(active.Nearest(9, x))", "active.Rounded(10, math.Round(x), x)", `Name: "kept"`, "make([]int, 0, 4)",
	} {
		if !strings.Contains(text, part) {
			t.Errorf("the rewritten source lacks %s:\n%s", part, text)
		}
	}
}

// rewritten finds the mutants of a file and returns its text with them.
func rewritten(t *testing.T, source string) (string, []Mutant) {
	t.Helper()
	fset := token.NewFileSet()
	file, err := parser.ParseFile(fset, "p.go", source, parser.ParseComments)
	if err != nil {
		t.Fatal(err)
	}
	pkg := &packages.Package{Fset: fset, TypesInfo: &types.Info{
		Types: map[ast.Expr]types.TypeAndValue{}, Defs: map[*ast.Ident]types.Object{}, Uses: map[*ast.Ident]types.Object{},
	}}
	config := types.Config{Importer: mathOnly{}}
	if pkg.Types, err = config.Check("p", fset, []*ast.File{file}, pkg.TypesInfo); err != nil {
		t.Fatal(err)
	}
	var mutants []Mutant
	text, err := rewrite([]byte(source), find(pkg, file, []byte(source), &mutants))
	if err != nil {
		t.Fatal(err)
	}
	return string(text), mutants
}

// mathOnly imports a package math with one function.
type mathOnly struct{}

func (mathOnly) Import(string) (*types.Package, error) {
	p := types.NewPackage("math", "math")
	x := types.NewVar(token.NoPos, p, "x", types.Typ[types.Float64])
	sig := types.NewSignatureType(nil, nil, nil, types.NewTuple(x), types.NewTuple(x), false)
	p.Scope().Insert(types.NewFunc(token.NoPos, p, "Round", sig))
	p.MarkComplete()
	return p, nil
}
