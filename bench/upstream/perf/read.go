package perf

import (
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"go.yaml.in/yaml/v3"
)

// Dir returns the folder of scheduler_perf in upstream's module, as Go has it. The working directory
// must be one of a module that requires upstream's.
func Dir() (string, error) {
	out, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "k8s.io/kubernetes").Output()
	if err != nil {
		return "", fmt.Errorf("looking for kube-scheduler's source: %w", err)
	}
	return filepath.Join(strings.TrimSpace(string(out)), "test", "integration", "scheduler_perf"), nil
}

// A Case is a test case: what happens to a cluster, and workloads that say how often.
type Case struct {
	Name      string
	Workloads []*Workload

	file   string // in scheduler_perf's folder, as errors name it
	dir    string // that the paths of templates begin at
	fields *fields
	ops    []*yaml.Node
	pod    string // path of the template of pods that have none
	gates  map[string]bool
	err    error // why no workload can be played
}

// A Workload gives a Case its sizes.
type Workload struct {
	Case *Case
	Name string

	line   int
	params map[string]*yaml.Node
	gates  map[string]bool
	scale  float64 // by which numbers are multiplied
	err    error   // why it can't be played
}

// Read reads all test cases below scheduler_perf's folder, in the order of files and in them.
func Read(dir string) ([]*Case, error) {
	var cases []*Case
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.Name() != "performance-config.yaml" {
			return err
		}
		more, err := readFile(dir, path)
		cases = append(cases, more...)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("reading scheduler_perf's workloads: %w", err)
	}
	return cases, nil
}

func readFile(dir, path string) (cases []*Case, err error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	name, err := filepath.Rel(dir, path)
	if err != nil {
		return nil, err
	}
	name = filepath.ToSlash(name)
	var list []yaml.Node
	if err := yaml.Unmarshal(text, &list); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	for i := range list {
		cases = append(cases, readCase(name, filepath.Dir(path), &list[i]))
	}
	return cases, nil
}

func readCase(file, dir string, n *yaml.Node) *Case {
	f := newFields(file, n)
	c := &Case{Name: f.text("name"), file: file, dir: dir, fields: f, pod: f.text("defaultPodTemplatePath")}
	f.into("featureGates", &c.gates)
	c.ops = list(f, "workloadTemplate")
	for _, w := range list(f, "workloads") {
		c.Workloads = append(c.Workloads, c.readWorkload(w))
	}
	// What to measure, and how fast it must be.
	f.ignore("labels", "metricsCollectorConfig", "defaultThresholdMetricSelector")
	c.err = f.done()
	return c
}

func (c *Case) readWorkload(n *yaml.Node) *Workload {
	f := newFields(c.file, n)
	w := &Workload{Case: c, Name: f.text("name"), line: n.Line, scale: 1}
	if n := f.get("params"); n != nil {
		params := newFields(c.file, n)
		w.params, f.err = params.value, params.err
	}
	f.into("featureGates", &w.gates)
	f.ignore("labels", "threshold", "thresholdMetricSelector")
	w.err = f.done()
	return w
}

// list returns the items of a field.
func list(f *fields, name string) []*yaml.Node {
	n := f.get(name)
	if n == nil {
		return nil
	}
	if n.Kind != yaml.SequenceNode {
		f.fail(n.Line, "%s should be a list", name)
	}
	return n.Content
}
