package tidy

import (
	"go/ast"
	"go/token"
	"go/types"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// TestDeterministic holds the packages that decide to what makes the same
// input give the same output, on any machine and on any day. Their tests may
// do what they like.
func TestDeterministic(t *testing.T) {
	for _, r := range mayImport {
		if !r.decides {
			continue
		}
		t.Run(r.pkg, func(t *testing.T) {
			report(t, checkDeterministic(typeCheckPackage(t, r.pkg)))
		})
	}
}

// Reasons for findings, each with its remedy.
const (
	orderOfMap  = "the order of a map is random; go over slices.Sorted(maps.Keys(m))"
	concurrency = "one goroutine decides; return to the loop instead"
	clock       = "time is an argument, never read"
	randomness  = "randomness is keyed by seed, purpose and pod; make a generator from them"
	environment = "what decides is configured by arguments, not by its environment"
	product     = "a processor may fuse this product with a later sum; write float64(x*y)"
)

// forbidden maps functions that make a result depend on more than the input,
// as types.Func.FullName has them, to why.
var forbidden = map[string]string{
	"maps.Keys":                orderOfMap,
	"maps.Values":              orderOfMap,
	"maps.All":                 orderOfMap,
	"(*sync.Map).Range":        orderOfMap,
	"(reflect.Value).MapKeys":  orderOfMap,
	"(reflect.Value).MapRange": orderOfMap,
	"(reflect.Value).Seq":      orderOfMap,
	"(reflect.Value).Seq2":     orderOfMap,

	"(*sync.WaitGroup).Go": concurrency,
	"context.AfterFunc":    concurrency,

	"time.Now":                  clock,
	"time.Since":                clock,
	"time.Until":                clock,
	"time.Sleep":                clock,
	"time.After":                clock,
	"time.Tick":                 clock,
	"time.NewTimer":             clock,
	"time.NewTicker":            clock,
	"time.AfterFunc":            clock,
	"context.WithDeadline":      clock,
	"context.WithDeadlineCause": clock,
	"context.WithTimeout":       clock,
	"context.WithTimeoutCause":  clock,

	"os.Getenv":      environment,
	"os.LookupEnv":   environment,
	"os.Environ":     environment,
	"os.ExpandEnv":   environment,
	"syscall.Getenv": environment,
}

// Constructors of generators: the package-level functions of math/rand and
// math/rand/v2 that don't draw from the global one.
var constructors = []string{"New", "NewSource", "NewPCG", "NewChaCha8", "NewZipf"}

// randomImports maps packages that are random by their nature to the files
// that may import them all the same.
var randomImports = map[string][]string{
	"crypto/rand":  nil,
	"hash/maphash": nil,
	"math/rand":    {"traces/openb_fill.go"}, // the paper drew its fill orders from Go's legacy stream
}

// readsEnvironment lists the packages that decide nothing about where a run's
// inputs lie, but look there for them.
var readsEnvironment = []string{"traces"}

// checkDeterministic returns what in a package depends on more than its input.
func checkDeterministic(p typed) []string {
	c := checker{typed: p, sorted: map[*ast.Ident]bool{}, rounded: map[ast.Expr]bool{}}
	for _, c.file = range p.files {
		for _, spec := range c.file.syntax.Imports {
			c.checkImport(spec)
		}
		ast.Inspect(c.file.syntax, func(n ast.Node) bool {
			c.checkStatement(n)
			c.checkUse(n)
			c.checkProduct(n)
			return true
		})
	}
	return c.findings
}

// A checker goes over the syntax of a package, parents before children.
type checker struct {
	typed
	file     source              // where it is
	sorted   map[*ast.Ident]bool // maps.Keys whose result is sorted at once
	rounded  map[ast.Expr]bool   // expressions whose value reaches no sum unrounded
	findings []string
}

func (c *checker) found(n ast.Node, what, why string) {
	c.findings = append(c.findings, c.file.at(n.Pos(), "%s: %s", what, why))
}

// checkImport looks for packages that are random by their nature.
func (c *checker) checkImport(spec *ast.ImportSpec) {
	imp, err := strconv.Unquote(spec.Path.Value)
	if files, ok := randomImports[imp]; err == nil && ok && !slices.Contains(files, c.file.name) {
		c.found(spec, "imports "+imp, randomness)
	}
}

// checkStatement looks for statements that don't do the same each time.
func (c *checker) checkStatement(n ast.Node) {
	switch n := n.(type) {
	case *ast.RangeStmt:
		if some(c.info.TypeOf(n.X), isMap) {
			c.found(n, "ranges over a map", orderOfMap)
		}
	case *ast.GoStmt:
		c.found(n, "starts a goroutine", concurrency)
	case *ast.SelectStmt:
		c.found(n, "selects", concurrency)
	case *ast.SendStmt:
		c.found(n, "sends on a channel", concurrency)
	}
}

// checkUse looks for mentions of forbidden functions, called or not.
func (c *checker) checkUse(n ast.Node) {
	if call, ok := n.(*ast.CallExpr); ok && c.calls(call, "slices.Sorted") && len(call.Args) == 1 {
		if keys, ok := call.Args[0].(*ast.CallExpr); ok && c.calls(keys, "maps.Keys") {
			c.sorted[callee(keys)] = true
		}
	}
	id, ok := n.(*ast.Ident)
	if !ok || c.sorted[id] {
		return
	}
	fn, ok := c.info.Uses[id].(*types.Func)
	if !ok || fn.Pkg() == nil {
		return
	}
	name := fn.FullName()
	switch why := forbidden[name]; {
	case why == environment && slices.Contains(readsEnvironment, c.path):
	case why != "":
		c.found(n, "uses "+name, why)
	case strings.HasPrefix(name, "math/rand.") || strings.HasPrefix(name, "math/rand/v2."):
		if !slices.Contains(constructors, fn.Name()) {
			c.found(n, "uses "+name, randomness)
		}
	}
}

// calls reports whether a call is one of the named function.
func (c *checker) calls(call *ast.CallExpr, name string) bool {
	fn, ok := c.info.Uses[callee(call)].(*types.Func)
	return ok && fn.FullName() == name
}

// callee returns the identifier of the function that is called, nil if the
// function has none.
func callee(call *ast.CallExpr) *ast.Ident {
	switch fun := ast.Unparen(call.Fun).(type) {
	case *ast.Ident:
		return fun
	case *ast.SelectorExpr:
		return fun.Sel
	}
	return nil
}

// checkProduct looks for products of floats that a processor with fused
// multiply-add may leave unrounded. The compiler fuses across statements and
// inlined calls too (t := x*y; return t + z), so it isn't enough to look at
// the operands of sums: a product must be converted, which rounds it, unless
// it is a factor, a dividend or divisor, or compared, which no sum comes near.
func (c *checker) checkProduct(n ast.Node) {
	switch n := n.(type) {
	case *ast.CallExpr:
		if c.info.Types[n.Fun].IsType() && len(n.Args) == 1 && some(c.info.TypeOf(n.Fun), isNumber) {
			c.rounded[ast.Unparen(n.Args[0])] = true
		}
	case *ast.UnaryExpr:
		if c.rounded[n] {
			c.rounded[ast.Unparen(n.X)] = true
		}
	case *ast.AssignStmt:
		if n.Tok == token.MUL_ASSIGN && some(c.info.TypeOf(n.Lhs[0]), isFloat) {
			c.found(n, "multiplies floats", product)
		}
	case *ast.BinaryExpr:
		tv := c.info.Types[n]
		if n.Op == token.MUL && tv.Value == nil && some(tv.Type, isFloat) && !c.rounded[n] {
			c.found(n, "multiplies floats", product)
		}
		switch n.Op {
		case token.MUL, token.QUO, token.EQL, token.NEQ, token.LSS, token.LEQ, token.GTR, token.GEQ:
			c.rounded[ast.Unparen(n.X)] = true
			c.rounded[ast.Unparen(n.Y)] = true
		}
	}
}
