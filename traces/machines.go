package traces

import (
	"io"
	"math"
	"slices"
	"strconv"

	"github.com/berthsim/berth/cluster"
	"github.com/berthsim/berth/cluster/faults"
	"github.com/berthsim/berth/internal/heap"
)

// Machines are what a recording says of machines: when each was there, and how
// large it was.
type Machines struct {
	names   []string   // in order of first appearance
	outages [][]outage // of each machine, in order of time
	events  []machineEvent
	rows    [machineUpdate + 1]int // by event type
	repairs int                    // outages that end
	as      faults.Kind            // what notes say that outages were

	zones       int
	cpu, memory float64 // of a machine of capacity 1: milli-CPUs, bytes
}

// An outage is a time in which a machine wasn't there.
type outage struct{ at, until cluster.Time }

// A machineEvent is a row of the recording. Capacities are shares of the largest
// machine's.
type machineEvent struct {
	at          cluster.Time
	machine     int32
	kind        uint8
	cpu, memory float64 // 0 as long as it isn't known
}

// machinePodSlots is kube's default for a kubelet (maxPods); the recording has no
// such bound.
const machinePodSlots = 110

// Nodes returns all machines as nodes, each as it was when it first came. Some
// came only in the course of the recording.
func (m *Machines) Nodes() []*cluster.NodeSpec {
	nodes := make([]*cluster.NodeSpec, len(m.names))
	for i := range m.events {
		if e := &m.events[i]; nodes[e.machine] == nil {
			nodes[e.machine] = m.node(e)
		}
	}
	return slices.DeleteFunc(nodes, func(n *cluster.NodeSpec) bool { return n == nil }) // came after the end
}

// Events returns the recording as a stream: NodeAdded, NodeChanged and
// NodeRemoved, each with the NodeSpec that holds from then, or held until then.
func (m *Machines) Events() Stream { return &machineStream{of: m} }

// machineStream is the Stream of Machines.
type machineStream struct {
	of   *Machines
	next int
}

// Next implements Stream.
func (s *machineStream) Next() (cluster.Event, error) {
	if s.next == len(s.of.events) {
		return cluster.Event{}, io.EOF
	}
	e := &s.of.events[s.next]
	s.next++
	kinds := [...]cluster.Kind{machineAdd: cluster.NodeAdded, machineRemove: cluster.NodeRemoved, machineUpdate: cluster.NodeChanged}
	return cluster.Event{Time: e.at, Kind: kinds[e.kind], Pod: cluster.None, Node: cluster.None, NodeSpec: s.of.node(e)}, nil
}

// node describes a machine as of an event. Capacity is rounded to whole
// milli-CPUs and MiB; what isn't known is 0, so that nothing runs there.
func (m *Machines) node(e *machineEvent) *cluster.NodeSpec {
	name := m.names[e.machine]
	capacity := make(cluster.Amounts, cluster.PodSlots+1)
	capacity[cluster.CPU] = int64(math.Round(float64(e.cpu * m.cpu)))
	capacity[cluster.Memory] = int64(math.Round(float64(e.memory*m.memory)/mib)) * mib
	capacity[cluster.PodSlots] = machinePodSlots
	return &cluster.NodeSpec{Name: name, Capacity: capacity, Labels: cluster.MakeLabels(map[string]string{
		"kubernetes.io/hostname": name,
		faults.ZoneLabel:         m.zone(name),
	})}
}

// zone returns the zone of a machine: zones are about equally large, and a machine
// is in the same one in every run.
func (m *Machines) zone(name string) string {
	return "zone-" + strconv.Itoa(1+cluster.NewDraw(0, "zone of a machine", name).Below(m.zones))
}

// faults makes a model of the machines' outages: a node that is called like a
// machine fails when that did, and any other when a machine did that is drawn for
// it. That a machine came late is no outage.
func (m *Machines) faults(effect faults.Effect) func(faults.Run) (faults.Source, error) {
	byName := map[string]int{}
	for i, name := range m.names {
		byName[name] = i
	}
	return func(run faults.Run) (faults.Source, error) {
		s := &outages{effect: effect, horizon: run.Horizon, names: make([]string, len(run.Nodes))}
		for i := range run.Nodes {
			name := run.Nodes[i].Name
			machine, ok := byName[name]
			if !ok {
				machine = cluster.NewDraw(run.Seed, run.Purpose+"recorded machine", name).Below(len(m.names))
			}
			s.names[i] = name
			s.push(upcoming{node: int32(i), outages: m.outages[machine]})
		}
		return s, nil
	}
}

// outages is a Source of what happens to each node, in order of time.
type outages struct {
	effect  faults.Effect
	horizon cluster.Time
	names   []string
	next    heap.Heap[upcoming]
}

// upcoming are the outages that a node has yet to suffer.
type upcoming struct {
	node    int32
	outages []outage
}

// Before implements heap.Ordered.
func (u upcoming) Before(other upcoming) bool {
	if a, b := u.outages[0].at, other.outages[0].at; a != b {
		return a < b
	}
	return u.node < other.node
}

func (s *outages) push(u upcoming) {
	if len(u.outages) > 0 && u.outages[0].at < s.horizon {
		s.next.Push(u)
	}
}

// Next implements faults.Source.
func (s *outages) Next() (faults.Fault, error) {
	if len(s.next) == 0 {
		return faults.Fault{}, io.EOF
	}
	u := s.next.Pop()
	o := u.outages[0]
	s.push(upcoming{u.node, u.outages[1:]})
	return faults.Fault{At: o.at, Until: o.until, Nodes: s.names[u.node : u.node+1 : u.node+1], Effect: s.effect}, nil
}
