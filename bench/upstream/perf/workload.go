package perf

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"

	"go.yaml.in/yaml/v3"
	utilfeature "k8s.io/apiserver/pkg/util/feature"
	"k8s.io/component-base/featuregate"

	"github.com/berthsim/berth/cluster/manifest"
)

// unplayed are the feature gates of what isn't played: upstream's queue and its calls of the API.
var unplayed = map[string]bool{
	"SchedulerQueueingHints": true, "SchedulerAsyncAPICalls": true, "SchedulerAsyncPreemption": true,
}

// gated says which feature gate keeps a workload from being played: upstream keeps them for the whole
// process, so they are as they are by default.
func (w *Workload) gated() error {
	gates := maps.Clone(w.Case.gates)
	if gates == nil {
		gates = map[string]bool{}
	}
	maps.Copy(gates, w.gates)
	for _, name := range slices.Sorted(maps.Keys(gates)) {
		if unplayed[name] {
			continue
		}
		known := utilfeature.DefaultMutableFeatureGate.GetAll()
		if _, ok := known[featuregate.Feature(name)]; !ok {
			return w.wrong("upstream has no feature gate %s", name)
		}
		if is := utilfeature.DefaultFeatureGate.Enabled(featuregate.Feature(name)); is != gates[name] {
			return w.wrong("feature gate %s is %v by default, and the workload wants %v", name, is, gates[name])
		}
	}
	return nil
}

func (w *Workload) wrong(format string, args ...any) error {
	return &manifest.Error{File: w.Case.file, Line: w.line, Problem: fmt.Sprintf(format, args...), Remedy: "leave the workload out"}
}

// Playable returns the first workload of a test case that can be played; there the small ones are. If
// there is none, the error is that of the first.
func (c *Case) Playable() (*Workload, error) {
	if c.err != nil {
		return nil, c.err
	}
	err := fmt.Errorf("%s: test case %s has no workload", c.file, c.Name)
	for i, w := range c.Workloads {
		_, wrong := w.Script(0)
		if wrong == nil {
			return w, nil
		}
		if i == 0 {
			err = wrong
		}
	}
	return nil, err
}

// At returns the workload of a test case with so many nodes, give or take one in a hundred, that measures
// the most pods. If there is none, it is the one that is nearest, with all numbers multiplied.
func (c *Case) At(nodes int) (*Workload, error) {
	var nearest, largest *Workload
	by := math.Inf(1)
	for _, w := range c.Workloads {
		has, fixed, err := w.nodes()
		if err != nil || w.gated() != nil {
			continue
		}
		if abs(has-nodes) <= nodes/100 {
			if largest == nil || w.measured() > largest.measured() {
				largest = w
			}
			continue
		}
		if has == fixed || nodes <= fixed {
			continue
		}
		scale := float64(nodes-fixed) / float64(has-fixed)
		if off := math.Abs(math.Log(scale)); off < by {
			scaled := *w
			scaled.scale = scale
			nearest, by = &scaled, off
		}
	}
	if largest != nil {
		return largest, nil
	}
	if nearest == nil {
		return nil, fmt.Errorf("%s: no workload of %s can be had with %d nodes", c.file, c.Name, nodes)
	}
	return nearest, nil
}

// measured returns how many pods a workload measures, if that has its usual name.
func (w *Workload) measured() int {
	n := w.params["measurePods"]
	if n == nil {
		return 0
	}
	count, err := strconv.Atoi(n.Value)
	if err != nil {
		return 0 // the script will say so
	}
	return count
}

func abs(n int) int { return max(n, -n) }

// Title names the workload, and by how much it was made larger or smaller.
func (w *Workload) Title() string {
	if w.scale == 1 {
		return w.Name
	}
	return fmt.Sprintf("%s×%.3g", w.Name, w.scale)
}

// nodes counts the nodes that a workload creates, and how many of these are the same in all workloads.
func (w *Workload) nodes() (all, fixed int, err error) {
	p := &params{w: w, used: map[string]bool{}}
	for _, n := range w.Case.ops {
		f := newFields(w.Case.file, n)
		if f.text("opcode") != "createNodes" {
			continue
		}
		count := p.count(f)
		if f.err != nil {
			return 0, 0, f.err
		}
		all += count
		if f.value["countParam"] == nil {
			fixed += count
		}
	}
	return all, fixed, nil
}

// params are a workload's, and which of them were used.
type params struct {
	w    *Workload
	used map[string]bool
}

// count returns the number that an operation's fields count and countParam give.
func (p *params) count(f *fields) int {
	count, name := f.number("count"), f.text("countParam")
	if name == "" {
		return count
	}
	n := p.param(f, "countParam", name)
	if n == nil {
		return 0
	}
	if err := n.Decode(&count); err != nil {
		f.fail(n.Line, "parameter %s is no whole number", name)
	}
	return int(math.Round(float64(count) * p.w.scale))
}

// param returns the parameter that a field names, as $name.
func (p *params) param(f *fields, field, name string) *yaml.Node {
	if len(name) < 2 || name[0] != '$' || p.w.params[name[1:]] == nil {
		f.fail(f.at(field), "workload %s has no parameter %s", p.w.Name, name)
		return nil
	}
	p.used[name[1:]] = true
	return p.w.params[name[1:]]
}

// unused says which parameter no operation uses: scheduler_perf's Go code does something with it.
func (p *params) unused() error {
	for _, name := range slices.Sorted(maps.Keys(p.w.params)) {
		if !p.used[name] {
			n := p.w.params[name]
			return &manifest.Error{File: p.w.Case.file, Line: n.Line, Problem: "no operation uses parameter " + name, Remedy: "leave the test case out"}
		}
	}
	return nil
}
