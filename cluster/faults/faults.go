// Package faults says what breaks in a cluster, when, and for how long: from
// distributions, from scripts, and from whatever else implements Model, as
// recordings of failures do. It makes nothing happen; a simulated cluster, or
// whoever injects faults into a real one, does.
//
// All is known before anything is decided, and every draw is keyed by seed,
// purpose and name: what a policy does, or a node more or less, doesn't change
// what befalls the other nodes.
package faults

import (
	"io"

	"github.com/berthsim/berth/cluster"
	"github.com/berthsim/berth/internal/input"
)

// An Error says what is wrong with a spec or a script, where, and what to do
// about it.
type Error = input.Error

// A Fault is something that befalls nodes, all of them for the same time.
// Faults from different models, or of different zones and nodes, may overlap on
// a node; then each does what it does.
type Fault struct {
	At    cluster.Time // from here,
	Until cluster.Time // to here, this moment excluded; later than At. Never if it isn't repaired
	Nodes []string     // names, at least one, each once; not to be changed
	Effect
}

// A Node is what faults may depend on of a node.
type Node struct{ Name, Zone, Rack string } // Zone and Rack "" if it is in none

// The labels that NodeOf reads. Kubernetes has no label for racks; this one is
// what those use who need it.
const (
	ZoneLabel = "topology.kubernetes.io/zone"
	RackLabel = "topology.kubernetes.io/rack"
)

// NodeOf returns what faults may depend on of a node that joins a cluster.
func NodeOf(spec *cluster.NodeSpec) Node {
	zone, _ := spec.Labels.Get(ZoneLabel)
	rack, _ := spec.Labels.Get(RackLabel)
	return Node{spec.Name, zone, rack}
}

// A Run is what faults are drawn for.
type Run struct {
	Nodes   []Node // with different names
	Seed    int64
	Horizon cluster.Time // faults that begin then or later are left out; Never for no end

	// Purpose tells what one model draws from what another does. Whoever joins
	// models sets it, for a run it is "".
	Purpose string
}

// A Model says which faults befall the nodes of a run.
type Model interface {
	// Source returns the faults of a run. It returns an *Error if the run's
	// nodes lack what the model needs. Every call gives a Source of its own.
	Source(run Run) (Source, error)

	// String returns the spec that the model can be had from.
	String() string
}

// A Source yields faults in order of At. It returns io.EOF after the last, and
// no other error. Faults of one moment come in an order that the run alone
// decides.
type Source interface {
	Next() (Fault, error)
}

// A List is a Source of faults that are there already, in order of At.
type List []Fault

// Next implements Source.
func (l *List) Next() (Fault, error) {
	if len(*l) == 0 {
		return Fault{}, io.EOF
	}
	f := (*l)[0]
	*l = (*l)[1:]
	return f, nil
}
