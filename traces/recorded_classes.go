package traces

import (
	"strings"

	"github.com/berthsim/berth/cluster"
)

// A recordedRequest is what tells the classes of recorded pods apart.
type recordedRequest struct {
	namespace   string
	owner       cluster.OwnerRef
	priority    int32
	cpu, memory int64         // milli-CPUs, bytes; 0 for none
	gpus        int32         // whole ones
	required    int32         // the number of what a node must be, in recordedClasses.selectors; 0 for nothing
	on          cluster.Label // that a node must have; zero for any
	extended    cluster.NamedAmount
}

// recordedClasses holds the classes of a recording by what they are told apart by.
type recordedClasses struct {
	all    []*cluster.Class // by number, from 0
	by     map[recordedRequest]*recordedClass
	recent []*recordedClass // the last one with each hash, nil for none

	selectors []*cluster.NodeSelector // what nodes must be, by number, from 1
}

// A recordedClass is the number of a class, and what it is told apart by.
type recordedClass struct {
	request recordedRequest
	number  int32
}

// recentClasses is how many hashes there are: a power of two.
const recentClasses = 1 << 11

// hash returns a number below recentClasses that is usually another for requests that
// differ.
func (q *recordedRequest) hash() uint64 {
	h := uint64(q.cpu)*0x9e3779b97f4a7c15 + uint64(q.memory)*0xff51afd7ed558ccd + uint64(q.gpus)*0xc2b2ae3d27d4eb4f + uint64(q.priority)*0x165667b19e3779f9
	for _, text := range [...]string{q.namespace, q.owner.Name} { // of which the end tells most
		h = (h ^ wordOf(text[max(0, len(text)-wordBytes):])) * 0x9fb21c651e98df25
		h ^= h >> 28
	}
	return h * 0xbf58476d1ce4e5b9 >> 32 % recentClasses
}

// number returns that of the class of pods of one container that ask for q. Most rows ask for
// what one shortly before asked for, so that the map, which has long keys, is seldom
// asked.
func (rs *recordedClasses) number(q *recordedRequest) int32 {
	if rs.by == nil {
		rs.by, rs.recent = map[recordedRequest]*recordedClass{}, make([]*recordedClass, recentClasses)
	}
	recent := &rs.recent[q.hash()]
	if *recent != nil && (*recent).request == *q {
		return (*recent).number
	}
	c, ok := rs.by[*q]
	if !ok {
		c = rs.make(*q)
		rs.by[c.request] = c
	}
	*recent = c
	return c.number
}

// make makes the class of q, without parts of the file's text.
func (rs *recordedClasses) make(q recordedRequest) *recordedClass {
	q.namespace, q.owner.Name = strings.Clone(q.namespace), strings.Clone(q.owner.Name)
	c := &cluster.Class{Namespace: q.namespace, Owner: q.owner, Priority: q.priority}
	if q.cpu > 0 || q.memory > 0 {
		c.Requests = make(cluster.Amounts, cluster.Memory+1)
		c.Requests[cluster.CPU], c.Requests[cluster.Memory] = q.cpu, q.memory
	}
	if q.cpu == 0 {
		c.BestEffortCPU = 1
	}
	if q.memory == 0 {
		c.BestEffortMemory = 1
	}
	if q.gpus > 0 {
		c.GPUs = cluster.GPURequest{Count: q.gpus, Shares: cluster.WholeGPU}
	}
	if q.extended.Amount > 0 {
		c.Extended = []cluster.NamedAmount{q.extended}
	}
	if q.on != (cluster.Label{}) {
		q.on.Value = strings.Clone(q.on.Value)
		c.NodeLabels = cluster.Labels{q.on}
	}
	if q.required > 0 {
		c.RequiredNode = rs.selectors[q.required-1]
	}
	rs.all = append(rs.all, c)
	return &recordedClass{q, int32(len(rs.all) - 1)}
}

// A machine is what a node of a recording has.
type machine struct {
	name        string
	cpu, memory int64 // milli-CPUs, bytes
	gpus        int
	model       string
	slots       int64             // pods that fit; 0 for as many as kube's kubelet takes if nobody tells it
	labels      map[string]string // beside its name; nil for none
}

// manySlots is what nodes have in recordings of systems that put hundreds of small
// tasks on a machine: none says what the bound was.
const manySlots = 1000

// node makes a node of m.
func (m machine) node() *cluster.NodeSpec {
	capacity := make(cluster.Amounts, cluster.PodSlots+1)
	capacity[cluster.CPU], capacity[cluster.Memory], capacity[cluster.PodSlots] = m.cpu, m.memory, m.slots
	if m.slots == 0 {
		capacity[cluster.PodSlots] = machinePodSlots
	}
	labels := map[string]string{"kubernetes.io/hostname": m.name}
	for _, l := range cluster.MakeLabels(m.labels) {
		labels[l.Key] = l.Value
	}
	return &cluster.NodeSpec{Name: m.name, Capacity: capacity, GPUs: m.gpus, GPUModel: m.model, Labels: cluster.MakeLabels(labels)}
}
