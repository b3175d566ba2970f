package perf

import (
	"fmt"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/berthsim/berth/cluster/manifest"
)

// fields are those of an object in a file. Whoever reads one says so; what nobody has read is an error
// in the end, so that nothing is left out unnoticed. The first error is kept.
type fields struct {
	file  string
	line  int
	keys  []*yaml.Node
	value map[string]*yaml.Node // by name
	asked map[string]bool
	err   error
}

// newFields returns the fields of a mapping.
func newFields(file string, n *yaml.Node) *fields {
	f := &fields{file: file, line: n.Line, value: map[string]*yaml.Node{}, asked: map[string]bool{}}
	if n.Kind != yaml.MappingNode {
		f.fail(n.Line, "there should be named fields here")
		return f
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		f.keys = append(f.keys, n.Content[i])
		f.value[n.Content[i].Value] = n.Content[i+1]
	}
	return f
}

func (f *fields) fail(line int, format string, args ...any) {
	if f.err == nil {
		f.err = &manifest.Error{File: f.file, Line: line, Problem: fmt.Sprintf(format, args...), Remedy: "leave the test case out"}
	}
}

// get returns a field, nil if there is none.
func (f *fields) get(name string) *yaml.Node {
	f.asked[name] = true
	return f.value[name]
}

// into decodes a field, if there is one.
func (f *fields) into(name string, to any) {
	if n := f.get(name); n != nil {
		if err := n.Decode(to); err != nil {
			f.fail(n.Line, "%s: %s", name, strings.ReplaceAll(err.Error(), "\n", " "))
		}
	}
}

// text, number and flag return a field's value, or the zero value.
func (f *fields) text(name string) (s string) { f.into(name, &s); return s }
func (f *fields) number(name string) (n int)  { f.into(name, &n); return n }
func (f *fields) flag(name string) (b bool)   { f.into(name, &b); return b }

// ignore says that fields don't matter here.
func (f *fields) ignore(names ...string) {
	for _, name := range names {
		f.asked[name] = true
	}
}

// done returns the first error, or that there is a field that nobody has asked for.
func (f *fields) done() error {
	for _, key := range f.keys {
		if !f.asked[key.Value] {
			f.fail(key.Line, "field %s isn't supported", key.Value)
		}
	}
	return f.err
}

// at returns where a field is.
func (f *fields) at(name string) int {
	if n := f.value[name]; n != nil {
		return n.Line
	}
	return f.line
}
