package traces

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/berthsim/berth/cluster"
	"github.com/berthsim/berth/cluster/faults"
	"github.com/berthsim/berth/traces/wire"
)

// ownFaults reads what befell nodes in a file of Berth's own: what datasets that were
// converted say of it, and recordings.
var ownFaults = &Format{
	Name: own.Name, Doc: "what befell nodes in " + own.Doc, Path: own.Path, Recognise: own.Recognise,
	OpenFaults: func(path string, _ Settings) (*Faults, error) {
		f := &ownFile{path: path}
		var list []faults.Fault
		var wrong error
		if err := f.each(0, func(n *Note) {
			if n.What == wire.Struck && wrong == nil {
				var fault faults.Fault
				if fault, wrong = recordedFault(n); wrong == nil {
					list = append(list, fault)
				}
			}
		}); err != nil {
			return nil, err
		}
		if wrong != nil {
			return nil, &Error{File: path, Problem: wrong.Error(), Remedy: "correct the trace, or give another"}
		}
		if len(list) == 0 {
			return nil, &Error{File: path, Problem: "nothing befell nodes in it", Remedy: "give a trace that was made of a recording with failures, or a model"}
		}
		slices.SortStableFunc(list, func(a, b faults.Fault) int { return cmp.Compare(a.At, b.At) })
		parts := [][]byte{[]byte("berth faults/1")}
		for _, l := range list {
			parts = append(parts, fmt.Appendf(nil, "%+v", l))
		}
		return &Faults{Hash: hashOf(parts...), source: struckAgain(path, list)}, nil
	},
}

// recordedFault returns the fault that a note tells of.
func recordedFault(n *Note) (faults.Fault, error) {
	kind, err := faults.ParseKind(n.Fault.Kind)
	if err != nil {
		return faults.Fault{}, err
	}
	effect := faults.Effect{Kind: kind, Period: n.Fault.Period, Down: n.Fault.Down, By: n.Fault.By, Signal: n.Fault.Signal}
	switch {
	case n.Fault.Until <= n.At || len(n.Fault.Nodes) == 0:
		err = fmt.Errorf("a fault at %d ns ends before it begins, or befalls nothing", n.At)
	case kind == faults.Flap && (effect.Down <= 0 || effect.Down >= effect.Period), kind == faults.Late && effect.By <= 0,
		kind == faults.Pressure && !slices.Contains(faults.Signals, effect.Signal):
		err = fmt.Errorf("a fault at %d ns lacks what a %s has", n.At, kind)
	}
	return faults.Fault{At: n.At, Until: n.Fault.Until, Nodes: n.Fault.Nodes, Effect: effect}, err
}

// struckAgain makes a model of faults: what befell a node befalls the one that is called
// like it, and of the rest nothing.
func struckAgain(path string, list []faults.Fault) func(faults.Run) (faults.Source, error) {
	return func(run faults.Run) (faults.Source, error) {
		there := map[string]bool{}
		for i := range run.Nodes {
			there[run.Nodes[i].Name] = true
		}
		var kept faults.List
		known := false
		for _, f := range list {
			nodes := slices.DeleteFunc(slices.Clone(f.Nodes), func(name string) bool { return !there[name] })
			if known = known || len(nodes) > 0; len(nodes) > 0 && f.At < run.Horizon {
				f.Nodes = nodes
				kept = append(kept, f)
			}
		}
		if !known {
			return nil, &Error{File: path, Problem: "it befell none of the nodes that there are", Remedy: "give the trace that the nodes are of, too"}
		}
		return &kept, nil
	}
}

// struck tells of the times at which machines that are nodes weren't there, as of what FAULTS of
// a recording make of them if nothing else is said, mostly crashes. Time 0 is start of the
// recording's clock; what was over by then is left out.
func (m *Machines) struck(nodes []*cluster.NodeSpec, start cluster.Time, add func(at cluster.Time, f *wire.Fault)) {
	there := map[string]bool{}
	for _, n := range nodes {
		there[n.Name] = true
	}
	for i, name := range m.names {
		if !there[name] {
			continue
		}
		for _, o := range m.outages[i] {
			if o.until == o.at || o.until <= start {
				continue
			}
			f := &wire.Fault{Until: o.until, Nodes: []string{name}, Kind: m.as.String()}
			shiftTime(&f.Until, -start)
			add(max(0, o.at-start), f)
		}
	}
}
