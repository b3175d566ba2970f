package main

import (
	"fmt"
	"go/ast"
	"go/constant"
	"go/token"
	"go/types"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/tools/go/packages"
)

// A Mutant is one change of the source that the oracle should notice.
type Mutant struct {
	ID       int
	File     string // its base name
	Line     int
	Function string // "" outside of functions
	Kind     string // comparison, constant or rounding
	What     string // the change, for example "a < b → a <= b"
	Initial  bool   // it takes part in the initialisation of the package
}

// Name tells a mutant from the others of a package, whatever the lines around it. The n-th of equal
// ones in a function is numbered.
func (m Mutant) Name() string {
	return strings.TrimSuffix(m.File, ".go") + "." + m.Function + ": " + m.What
}

// load reads a package with its types, without its tests.
func load(path string) (*packages.Package, error) {
	pkgs, err := packages.Load(&packages.Config{
		Mode: packages.NeedName | packages.NeedFiles | packages.NeedSyntax | packages.NeedTypes | packages.NeedTypesInfo |
			packages.NeedImports | packages.NeedDeps,
	}, path)
	switch {
	case err != nil:
		return nil, err
	case len(pkgs) != 1 || len(pkgs[0].Errors) > 0:
		return nil, fmt.Errorf("%s: %v", path, pkgs[0].Errors)
	}
	return pkgs[0], nil
}

// finder goes through a file and notes what to rewrite.
type finder struct {
	pkg     *packages.Package
	source  []byte
	base    int // the file's first position
	file    *ast.File
	name    string
	within  *ast.FuncDecl
	mutants *[]Mutant
	edits   []edit
}

// declares is the method by which plugins say what their answers depend on. It is not mutated, as the files in
// faster are not.
const declares = "Depends"

// find returns the mutants of a file, numbered after those already known, and the edits for them.
func find(pkg *packages.Package, file *ast.File, source []byte, mutants *[]Mutant) []edit {
	at := pkg.Fset.Position(file.Pos())
	f := &finder{
		pkg: pkg, source: source, file: file, mutants: mutants,
		base: pkg.Fset.File(file.Pos()).Base(), name: filepath.Base(at.Filename),
	}
	for _, decl := range file.Decls {
		f.within, _ = decl.(*ast.FuncDecl)
		if f.within != nil && f.within.Name.Name == declares {
			continue
		}
		f.walk(decl)
	}
	return f.edits
}

// add notes a mutant at a node and returns its number.
func (f *finder) add(at ast.Node, kind, what string) int {
	m := Mutant{
		ID: len(*f.mutants) + 1, File: f.name, Line: f.pkg.Fset.Position(at.Pos()).Line,
		Kind: kind, What: what, Initial: f.within == nil,
	}
	if f.within != nil {
		m.Function = f.within.Name.Name
	}
	n := 1
	for _, other := range *f.mutants {
		if base, _, _ := strings.Cut(other.What, " #"); other.File == m.File && other.Function == m.Function && base == what {
			n++
		}
	}
	if n > 1 {
		m.What += fmt.Sprintf(" #%d", n)
	}
	*f.mutants = append(*f.mutants, m)
	return m.ID
}

func (f *finder) text(n ast.Node) string {
	return string(f.source[int(n.Pos())-f.base : int(n.End())-f.base])
}

// short is a node's text on one line, for a mutant's name.
func (f *finder) short(n ast.Node) string { return strings.Join(strings.Fields(f.text(n)), " ") }

func (f *finder) wrap(n ast.Node, before, after string) {
	f.edits = append(f.edits, edit{int(n.Pos()) - f.base, int(n.End()) - f.base, before, after})
}

// walk looks for mutants below a node.
func (f *finder) walk(root ast.Node) {
	ast.Inspect(root, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.GenDecl:
			return n.Tok == token.VAR // constants differ where they are used
		case *ast.FuncDecl:
			f.walk(n.Body)
			return false
		case *ast.ArrayType, *ast.StructType, *ast.FuncType:
			return false
		case *ast.CompositeLit:
			f.composite(n)
			return false
		case *ast.CallExpr:
			return f.call(n)
		case *ast.SelectorExpr:
			if f.constantOf(n) == nil {
				f.walk(n.X)
				return false
			}
			f.constant(n)
			return false
		case ast.Expr:
			if f.constantOf(n) != nil {
				f.constant(n)
				return false
			}
		}
		if n, ok := n.(*ast.BinaryExpr); ok {
			f.binary(n)
		}
		return true
	})
}

func (f *finder) constantOf(n ast.Expr) constant.Value { return f.pkg.TypesInfo.Types[n].Value }

// composite looks into a literal. Keys of arrays and fields must stay; a plugin's name and its
// description don't decide anything.
func (f *finder) composite(lit *ast.CompositeLit) {
	_, isMap := f.pkg.TypesInfo.TypeOf(lit).Underlying().(*types.Map)
	for _, e := range lit.Elts {
		kv, ok := e.(*ast.KeyValueExpr)
		if !ok {
			f.walk(e)
			continue
		}
		if isMap {
			f.walk(kv.Key)
		}
		if key, ok := kv.Key.(*ast.Ident); !ok || key.Name != "Doc" && key.Name != "Name" {
			f.walk(kv.Value)
		}
	}
}

// silent are calls whose arguments are for people who read errors, or sizes that only save work.
var silent = []string{"panic", "fmt.Errorf", "errors.New", "make", "slices.Grow"}

// call handles conversions and rounding, and reports whether to go on below.
func (f *finder) call(c *ast.CallExpr) bool {
	name := types.ExprString(c.Fun)
	switch {
	case f.constantOf(c) != nil:
		f.constant(c)
		return false
	case slices.Contains(silent, name):
		return false
	case slices.Contains([]string{"math.Round", "math.Floor", "math.Ceil", "math.Trunc"}, name):
		id := f.add(c, "rounding", f.short(c)+" → down, or up")
		f.wrap(c, fmt.Sprintf("active.Rounded(%d, ", id), ", "+f.text(c.Args[0])+")")
	case f.pkg.TypesInfo.Types[c.Fun].IsType() && len(c.Args) == 1:
		f.conversion(c)
		f.walk(c.Args[0])
		return false
	}
	return true
}

// conversion handles one that cuts a number off.
func (f *finder) conversion(c *ast.CallExpr) {
	arg := c.Args[0]
	if !is(f.pkg.TypesInfo.TypeOf(c), types.IsInteger) || !is(f.pkg.TypesInfo.TypeOf(arg), types.IsFloat) {
		return
	}
	if inner, ok := arg.(*ast.CallExpr); ok && strings.HasPrefix(types.ExprString(inner.Fun), "math.Round") {
		return // there is nothing to cut off
	}
	id := f.add(c, "rounding", f.short(c)+" → nearest")
	f.wrap(arg, fmt.Sprintf("active.Nearest(%d, ", id), ")")
}

func is(t types.Type, info types.BasicInfo) bool {
	b, ok := t.Underlying().(*types.Basic)
	return ok && b.Info()&info != 0
}

// flips are the comparisons that differ where both sides are equal; opposites where they always do.
var (
	flips = map[token.Token]token.Token{
		token.LSS: token.LEQ, token.LEQ: token.LSS, token.GTR: token.GEQ, token.GEQ: token.GTR,
	}
	opposites = map[token.Token]token.Token{
		token.LSS: token.GEQ, token.LEQ: token.GTR, token.GTR: token.LEQ, token.GEQ: token.LSS,
		token.EQL: token.NEQ, token.NEQ: token.EQL,
	}
)

// binary handles a comparison or a division.
func (f *finder) binary(b *ast.BinaryExpr) {
	x, y := f.short(b.X), f.short(b.Y)
	change := func(op token.Token) string { return fmt.Sprintf("%s → %s %s %s", f.short(b), x, op, y) }
	if opposite, ok := opposites[b.Op]; ok {
		not := f.add(b, "comparison", change(opposite))
		after := fmt.Sprintf(") != active.On(%d))", not)
		if flip, ok := flips[b.Op]; ok {
			edge := f.add(b, "comparison", change(flip))
			after = fmt.Sprintf(") != (active.On(%d) || active.On(%d) && (%s) == (%s)))", not, edge, f.text(b.X), f.text(b.Y))
		}
		f.wrap(b, "((", after)
		return
	}
	if b.Op == token.QUO && is(f.pkg.TypesInfo.TypeOf(b), types.IsInteger) {
		id := f.add(b, "rounding", f.short(b)+" → away from zero")
		f.wrap(b.X, fmt.Sprintf("active.Quotient(%d, ", id), "")
		f.edits = append(f.edits, edit{int(b.OpPos) - f.base, int(b.OpPos) - f.base + 1, "", ""}.replaced(","))
		f.wrap(b.Y, "", ")")
	}
}

// constant handles a constant where it is used.
func (f *finder) constant(e ast.Expr) {
	t := f.pkg.TypesInfo.TypeOf(e)
	b, ok := t.Underlying().(*types.Basic)
	if !ok || b.Info()&types.IsUntyped != 0 && b.Kind() != types.UntypedBool {
		return
	}
	name := types.TypeString(t, f.qualifier)
	switch value := f.constantOf(e); {
	case b.Info()&types.IsString != 0:
		id := f.add(e, "constant", f.short(e)+` → with "~" at its end`)
		f.wrap(e, fmt.Sprintf("active.Text[%s](%d, ", name, id), ")")
	case b.Info()&types.IsBoolean != 0:
		if b.Kind() == types.UntypedBool {
			name = "bool"
		}
		id := f.add(e, "constant", fmt.Sprintf("%s → %v", f.short(e), !constant.BoolVal(value)))
		f.wrap(e, fmt.Sprintf("active.Truth[%s](%d, ", name, id), ")")
	case b.Info()&(types.IsInteger|types.IsFloat) != 0:
		by := step(value)
		more := f.add(e, "constant", fmt.Sprintf("%s → %s + %s", f.short(e), f.short(e), by))
		less := f.add(e, "constant", fmt.Sprintf("%s → %s - %s", f.short(e), f.short(e), by))
		f.wrap(e, fmt.Sprintf("active.Number[%s](%d, %d, ", name, more, less), ", "+by+")")
	}
}

// step is by how much a constant is changed: one, or an eighth of a large one; half of a fraction.
func step(value constant.Value) string {
	x, _ := constant.Float64Val(constant.ToFloat(value))
	if x = max(x, -x); x == float64(int64(x)) {
		if x < 1000 {
			return "1"
		}
		return fmt.Sprint(int64(x) / 8)
	}
	return fmt.Sprint(x / 2)
}

// qualifier names a package as the file does.
func (f *finder) qualifier(p *types.Package) string {
	if p == f.pkg.Types {
		return ""
	}
	return p.Name()
}
