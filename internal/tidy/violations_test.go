package tidy

import (
	"go/token"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// TestDeterministicFindings runs the check over testdata, each file of which
// is a package. A comment "want: X" says that the check must find X on its
// line; it must find nothing else.
func TestDeterministicFindings(t *testing.T) {
	names, err := filepath.Glob("testdata/*.go")
	if err != nil || len(names) == 0 {
		t.Fatalf("no testdata: %v", err)
	}
	var all []string
	for _, name := range names {
		t.Run(filepath.Base(name), func(t *testing.T) {
			f, p := typeCheckTestdata(t, name, name)
			wantFindings(t, checkDeterministic(p), wants(f))
			all = append(all, wants(f)...)
		})
	}
	for _, fn := range slices.Sorted(maps.Keys(forbidden)) {
		if !slices.ContainsFunc(all, func(w string) bool { return strings.HasSuffix(w, ": uses "+fn+": ") }) {
			t.Errorf("testdata uses no %s, so nothing shows that it would be found", fn)
		}
	}
}

// TestDeterministicExceptions checks that what one file or package may do by
// exception is found everywhere else.
func TestDeterministicExceptions(t *testing.T) {
	for _, tt := range []struct {
		testdata, file string
		line           string // of what is excepted in testdata
	}{
		{"testdata/randomness.go", "traces/openb_fill.go", `old "math/rand"`},
		{"testdata/environment.go", "traces/open.go", "os.Getenv"},
	} {
		f, p := typeCheckTestdata(t, tt.testdata, tt.file)
		elsewhere, q := typeCheckTestdata(t, tt.testdata, "cluster/any.go")
		wantFindings(t, checkDeterministic(q), wants(elsewhere))

		text, err := os.ReadFile(tt.testdata)
		if err != nil {
			t.Fatal(err)
		}
		before, _, ok := strings.Cut(string(text), tt.line)
		excepted := tt.file + ":" + strconv.Itoa(1+strings.Count(before, "\n")) + ":"
		if !ok || !slices.ContainsFunc(wants(f), func(w string) bool { return strings.HasPrefix(w, excepted) }) {
			t.Fatalf("%s holds no %s, or does not want it found", tt.testdata, tt.line)
		}
		for _, got := range checkDeterministic(p) {
			if strings.HasPrefix(got, excepted) {
				t.Errorf("found %q, which is excepted", got)
			}
		}
	}
}

// typeCheckTestdata loads a file of testdata as if it were the module's file
// of the given name.
func typeCheckTestdata(t *testing.T, testdata, name string) (source, typed) {
	t.Helper()
	text, err := os.ReadFile(testdata)
	if err != nil {
		t.Fatal(err)
	}
	fset := token.NewFileSet()
	f := mustParseInto(t, fset, name, string(text))
	var imports []string
	for _, spec := range f.syntax.Imports {
		imports = append(imports, strings.Trim(spec.Path.Value, `"`))
	}
	listed := map[string]goPackage{}
	if len(imports) > 0 {
		if listed, err = list(imports...); err != nil {
			t.Fatal(err)
		}
	}
	p, err := typeCheck(f.pkg(), fset, []source{f}, listed)
	if err != nil {
		t.Fatal(err)
	}
	return f, p
}

// wants returns how the findings that a file asks for begin.
func wants(f source) (ws []string) {
	for _, group := range f.syntax.Comments {
		for _, c := range group.List {
			if want, ok := strings.CutPrefix(c.Text, "// want: "); ok {
				ws = append(ws, f.at(c.Pos(), "%s: ", want))
			}
		}
	}
	return ws
}

// wantFindings matches findings to wants, one to one.
func wantFindings(t *testing.T, got, wants []string) {
	t.Helper()
	for _, want := range wants {
		i := slices.IndexFunc(got, func(g string) bool { return strings.HasPrefix(g, want) })
		if i < 0 {
			t.Errorf("did not find %q", want)
			continue
		}
		got = slices.Delete(slices.Clone(got), i, i+1)
	}
	for _, g := range got {
		t.Errorf("found %q, which nobody asked for", g)
	}
}
