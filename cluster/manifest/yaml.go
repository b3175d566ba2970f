package manifest

import (
	"bytes"
	"errors"
	"io"
	"math"
	"regexp"
	"slices"
	"sort"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/berthsim/berth/internal/input"
	"go.yaml.in/yaml/v3"
)

// A mark says on which line of a YAML file what stands that became the JSON from
// an offset on.
type mark struct{ offset, line int }

// lineIn returns the line of an offset.
func lineIn(marks []mark, offset int) int {
	behind := sort.Search(len(marks), func(i int) bool { return marks[i].offset > offset })
	return marks[max(behind-1, 0)].line
}

// A yamlError is an error of YAML's syntax, or something that JSON can't say.
type yamlError struct {
	line    int // 0 if it is not known
	problem string
	remedy  string
}

func (e *yamlError) Error() string { return e.problem + "; " + e.remedy }

// yamlValues calls each with every document in text, as JSON. Lines count from
// first.
func yamlValues(text []byte, first int, each func(json []byte, marks []mark) error) error {
	dec := yaml.NewDecoder(bytes.NewReader(text))
	for {
		var doc yaml.Node
		switch err := dec.Decode(&doc); {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return yamlSyntax(err, text, first)
		}
		e := emitter{first: first, limit: 16<<20 + 10*len(text)}
		if err := e.value(&doc); err != nil {
			return err
		}
		if err := each(e.out, e.marks); err != nil {
			return err
		}
	}
}

var yamlLine = regexp.MustCompile(`^line (\d+): `)

// yamlSyntax takes apart what the parser says of a text: "yaml: line 3: did not
// find ...", without a line if it is the first.
func yamlSyntax(err error, text []byte, first int) error {
	e := &yamlError{line: first, problem: strings.TrimPrefix(oneLine(err), "yaml: "), remedy: "correct the YAML"}
	if m := yamlLine.FindStringSubmatch(e.problem); m != nil {
		line, _ := strconv.Atoi(m[1])
		e.line, e.problem = first+line-1, e.problem[len(m[0]):]
	}
	if !utf8.Valid(text) {
		e.problem, e.remedy = "the text is not UTF-8", "save the file as UTF-8"
		for l := range bytes.Lines(text) {
			if !utf8.Valid(l) {
				break
			}
			e.line++
		}
	}
	return e
}

// An emitter writes YAML as JSON.
type emitter struct {
	out   []byte
	marks []mark
	first int // line of the first line
	depth int
	limit int // on the length of the JSON: aliases can make much of little
}

// maxYAMLDepth is how deep YAML may nest. What is deeper contains itself.
const maxYAMLDepth = 1000

func (e *emitter) value(n *yaml.Node) error {
	e.mark(n)
	e.depth++
	defer func() { e.depth-- }()
	if e.depth > maxYAMLDepth || len(e.out) > e.limit {
		return e.wrong(n, "aliases make too much of too little", "write out what they stand for")
	}
	switch n.Kind {
	case yaml.DocumentNode:
		return e.value(n.Content[0])
	case yaml.AliasNode:
		return e.value(n.Alias)
	case yaml.SequenceNode:
		e.out = append(e.out, '[')
		for i, item := range n.Content {
			if i > 0 {
				e.out = append(e.out, ',')
			}
			if err := e.value(item); err != nil {
				return err
			}
		}
		e.out = append(e.out, ']')
		return nil
	case yaml.MappingNode:
		return e.mapping(n)
	}
	return e.scalar(n)
}

func (e *emitter) mark(n *yaml.Node) {
	e.marks = append(e.marks, mark{len(e.out), e.first + n.Line - 1})
}

func (e *emitter) wrong(n *yaml.Node, problem, remedy string) error {
	return &yamlError{e.first + n.Line - 1, problem, remedy}
}

func (e *emitter) mapping(n *yaml.Node) error {
	pairs, err := e.pairs(n, nil, 0)
	if err != nil {
		return err
	}
	e.out = append(e.out, '{')
	for i, p := range pairs {
		if i > 0 {
			e.out = append(e.out, ',')
		}
		e.mark(p.key)
		e.out = append(appendJSON(e.out, p.key.Value), ':')
		if err := e.value(p.value); err != nil {
			return err
		}
	}
	e.out = append(e.out, '}')
	return nil
}

type pair struct{ key, value *yaml.Node }

// pairs appends the entries of a mapping, and then those that it merges ("<<")
// under keys that it doesn't have.
func (e *emitter) pairs(n *yaml.Node, out []pair, depth int) ([]pair, error) {
	if depth > 100 {
		return nil, e.wrong(n, "a mapping merges too many others", "write out what it merges")
	}
	had := len(out)
	var merges []*yaml.Node
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		if key.Kind == yaml.AliasNode {
			key = key.Alias
		}
		switch {
		case key.Kind != yaml.ScalarNode:
			return nil, e.wrong(key, "a key is no scalar", "write a name before the colon")
		case key.ShortTag() == "!!merge":
			merges = append(merges, value)
		case !slices.ContainsFunc(out[:had], func(p pair) bool { return p.key.Value == key.Value }):
			out = append(out, pair{key, value})
		}
	}
	for _, m := range merges {
		from := []*yaml.Node{m}
		if m.Kind == yaml.SequenceNode {
			from = m.Content
		}
		for _, f := range from {
			if f.Kind == yaml.AliasNode {
				f = f.Alias
			}
			if f.Kind != yaml.MappingNode {
				return nil, e.wrong(m, "only mappings can be merged", "put an alias of a mapping behind <<")
			}
			var err error
			if out, err = e.pairs(f, out, depth+1); err != nil {
				return nil, err
			}
		}
	}
	return out, nil
}

// Words that are true or false to YAML 1.1 and kubectl, but not to YAML 1.2 and
// the parser.
var yamlBooleans = map[string]string{
	"y": "true", "Y": "true", "yes": "true", "Yes": "true", "YES": "true", "on": "true", "On": "true", "ON": "true",
	"n": "false", "N": "false", "no": "false", "No": "false", "NO": "false", "off": "false", "Off": "false", "OFF": "false",
}

var jsonNumber = regexp.MustCompile(`^-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?$`)

// scalar writes a scalar as kubectl understands it.
func (e *emitter) scalar(n *yaml.Node) error {
	switch tag := n.ShortTag(); tag {
	case "!!null":
		e.out = append(e.out, "null"...)
	case "!!bool":
		e.out = append(e.out, strings.ToLower(n.Value)...)
	case "!!str", "!!timestamp", "!!binary":
		if word, ok := yamlBooleans[n.Value]; ok && n.Style == 0 {
			e.out = append(e.out, word...)
			return nil
		}
		e.out = appendJSON(e.out, n.Value)
	case "!!int", "!!float":
		if jsonNumber.MatchString(n.Value) {
			e.out = append(e.out, n.Value...)
			return nil
		}
		return e.number(n)
	default:
		return e.wrong(n, "there is no type "+input.Quoted(tag)+" in Kubernetes", "remove the tag")
	}
	return nil
}

// number writes a number that JSON writes otherwise: 0x10, 1_000, .5.
func (e *emitter) number(n *yaml.Node) error {
	var v any
	if err := n.Decode(&v); err != nil {
		return e.wrong(n, input.Quoted(n.Value)+" is no number", "put it in quotes if it is a string")
	}
	switch v := v.(type) {
	case int:
		e.out = strconv.AppendInt(e.out, int64(v), 10)
	case int64:
		e.out = strconv.AppendInt(e.out, v, 10)
	case uint64:
		e.out = strconv.AppendUint(e.out, v, 10)
	case float64:
		if math.IsInf(v, 0) || math.IsNaN(v) {
			return e.wrong(n, input.Quoted(n.Value)+" is no number of Kubernetes", "write a finite number")
		}
		e.out = strconv.AppendFloat(e.out, v, 'g', -1, 64)
	default:
		return e.wrong(n, input.Quoted(n.Value)+" is no number", "put it in quotes if it is a string")
	}
	return nil
}

// appendJSON appends a string as JSON.
func appendJSON(b []byte, text string) []byte {
	const hex = "0123456789abcdef"
	b = append(b, '"')
	for i := range len(text) {
		switch c := text[i]; {
		case c == '"' || c == '\\':
			b = append(b, '\\', c)
		case c < ' ':
			b = append(b, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
		default:
			b = append(b, c)
		}
	}
	return append(b, '"')
}
