package bench

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/berthsim/berth/cluster"
	"github.com/berthsim/berth/eviction"
	"github.com/berthsim/berth/scheduler"
	"github.com/berthsim/berth/traces"
	"go.yaml.in/yaml/v3"
)

// ReadExperiment reads an experiment file, completes and validates it, with
// policies made of those plugins, and eviction policies beside Berth's own. file is the name that errors give. An unknown
// key, a key that comes twice or a wrong value is a *traces.Error with its line.
func ReadExperiment(file string, content []byte, plugins []*scheduler.Plugin, others ...*eviction.Policy) (*Experiment, error) {
	r := &experimentReader{file: file, x: &Experiment{}, lines: map[[2]string]int{}}
	dec := yaml.NewDecoder(bytes.NewReader(content))
	var doc yaml.Node
	switch err := dec.Decode(&doc); {
	case errors.Is(err, io.EOF):
		return nil, r.fail(0, "the file is empty", "write version, axes and baseline; see docs/experiments.md")
	case err != nil:
		return nil, r.syntax(err)
	}
	r.experiment(doc.Content[0])
	var second yaml.Node
	if r.err == nil && dec.Decode(&second) != io.EOF {
		r.fail(second.Line, "the file holds more than one document", "keep one experiment a file")
	}
	if r.err != nil {
		return nil, r.err
	}
	r.x.Complete()
	var wrong *ValueError
	if errors.As(r.x.Validate(plugins, others...), &wrong) {
		problem, remedy, _ := strings.Cut(wrong.Problem, "; ")
		return nil, r.fail(r.lines[[2]string{wrong.Key, wrong.Value}], problem, remedy)
	}
	return r.x, nil
}

// An experimentReader walks the tree of an experiment file, and keeps the first
// error.
type experimentReader struct {
	file  string
	x     *Experiment
	lines map[[2]string]int // of each key and value, the last if it comes twice; of the axes for one without a value
	err   error
}

// fail notes what is wrong on a line. Whatever the texts quote, they stay on one.
func (r *experimentReader) fail(line int, problem, remedy string) error {
	plain := func(c rune) rune {
		if unicode.IsControl(c) {
			return ' '
		}
		return c
	}
	problem, remedy = strings.Map(plain, problem), strings.Map(plain, remedy)
	if r.err == nil {
		r.err = &traces.Error{File: r.file, Line: line, Problem: problem, Remedy: remedy}
	}
	return r.err
}

var yamlLine = regexp.MustCompile(`line (\d+): `)

// syntax turns yaml's error, "yaml: line N: …", into ours.
func (r *experimentReader) syntax(err error) error {
	text, line := strings.TrimPrefix(err.Error(), "yaml: "), 0
	if m := yamlLine.FindStringSubmatch(text); m != nil {
		line, _ = strconv.Atoi(m[1])
		text = strings.Replace(text, m[0], "", 1)
	}
	return r.fail(line, "this is not YAML: "+text, "mend it; see docs/experiments.md for the format")
}

func (r *experimentReader) experiment(n *yaml.Node) {
	version := false
	r.noValue(n)
	r.mapping(n, "the experiment", map[string]func(*yaml.Node){
		"version": func(v *yaml.Node) {
			version = true
			if v.Value != Version {
				r.fail(v.Line, fmt.Sprintf("version is %q", v.Value), "this program reads "+Version)
			}
		},
		"axes":     r.axes,
		"baseline": func(v *yaml.Node) { r.x.Baseline = r.scalar(v, "baseline") },
		"service":  func(v *yaml.Node) { r.x.Service = r.duration(v, "service") },
		"zones":    func(v *yaml.Node) { r.x.Storm.Zones = r.integer(v, "zones") },
		"for":      func(v *yaml.Node) { r.x.Storm.For = cluster.Time(r.duration(v, "for")) },
		"work":     r.work,
		"set":      func(v *yaml.Node) { r.x.Set = r.list(v, "set") },
		"usage":    func(v *yaml.Node) { r.x.Storm.Usage = r.scalar(v, "usage") },
		"startup":  func(v *yaml.Node) { r.x.Storm.StartUp = r.scalar(v, "startup") },
		"report":   func(v *yaml.Node) { r.x.Report = r.list(v, "report") },
	})
	if !version {
		r.fail(n.Line, "version is missing", "begin with the line version: "+Version)
	}
}

func (r *experimentReader) axes(n *yaml.Node) {
	axis := func(name string, into *[]string) func(*yaml.Node) {
		return func(v *yaml.Node) { *into = r.list(v, name) }
	}
	a := &r.x.Axes
	r.noValue(n)
	r.mapping(n, "axes", map[string]func(*yaml.Node){
		"trace":    axis("trace", &a.Trace),
		"policy":   axis("policy", &a.Policy),
		"eviction": axis("eviction", &a.Eviction),
		"faults":   axis("faults", &a.Faults),
		"quota":    axis("quota", &a.Quota),
		"seed": func(v *yaml.Node) {
			texts := r.list(v, "seed")
			seeds, err := ParseSeeds(strings.Join(texts, ","))
			if err != nil && r.err == nil {
				r.fail(v.Line, err.Error(), "see docs/experiments.md")
			}
			a.Seed = seeds
		},
	})
}

// noValue notes that n is where the axes that must have a value have none, until
// they are found to have one.
func (r *experimentReader) noValue(n *yaml.Node) {
	r.lines[[2]string{"trace", ""}], r.lines[[2]string{"policy", ""}] = n.Line, n.Line
}

// mapping reads a mapping whose keys are those given.
func (r *experimentReader) mapping(n *yaml.Node, what string, keys map[string]func(*yaml.Node)) {
	if n.Kind != yaml.MappingNode {
		r.fail(n.Line, what+" must be a mapping", "write KEY: VALUE lines; see docs/experiments.md")
		return
	}
	seen := map[string]bool{}
	for i := 0; i+1 < len(n.Content) && r.err == nil; i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		read, known := keys[key.Value]
		switch {
		case !known:
			r.fail(key.Line, fmt.Sprintf("unknown key %q in %s", key.Value, what), "known: "+sortedKeys(keys))
		case seen[key.Value]:
			r.fail(key.Line, fmt.Sprintf("the key %q comes twice", key.Value), "keep one")
		default:
			seen[key.Value] = true
			read(value)
		}
	}
}

// list reads a scalar, or a sequence of them.
func (r *experimentReader) list(n *yaml.Node, what string) []string {
	if n.Kind != yaml.SequenceNode {
		return []string{r.scalar(n, what)}
	}
	if len(n.Content) == 0 {
		r.fail(n.Line, what+" is an empty list", "name at least one value, or leave the key out")
	}
	var out []string
	for _, v := range n.Content {
		out = append(out, r.scalar(v, what))
	}
	return out
}

// duration reads a time span.
func (r *experimentReader) duration(n *yaml.Node, what string) time.Duration {
	d, err := time.ParseDuration(r.scalar(n, what))
	if err != nil {
		r.fail(n.Line, fmt.Sprintf("%s is %q", what, n.Value), "write a duration, for example 5ms")
	}
	r.lines[[2]string{what, d.String()}] = n.Line
	return d
}

func (r *experimentReader) integer(n *yaml.Node, what string) int {
	i, err := strconv.Atoi(r.scalar(n, what))
	if err != nil {
		r.fail(n.Line, fmt.Sprintf("%s is %q", what, n.Value), "write a whole number")
	}
	r.lines[[2]string{what, strconv.Itoa(i)}] = n.Line
	return i
}

func (r *experimentReader) work(n *yaml.Node) {
	work, err := ParseWork(r.scalar(n, "work"))
	if err != nil {
		problem, remedy, _ := strings.Cut(err.Error(), "; ")
		r.fail(n.Line, problem, remedy)
	}
	r.x.Storm.Work = work
}

func (r *experimentReader) scalar(n *yaml.Node, what string) string {
	if n.Kind != yaml.ScalarNode || n.Tag == "!!null" {
		r.fail(n.Line, what+" must be a value or a list of values", "see docs/experiments.md")
		return ""
	}
	r.lines[[2]string{what, n.Value}] = n.Line
	return n.Value
}
