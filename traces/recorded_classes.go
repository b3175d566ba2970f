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
	on          cluster.Label // that a node must have; zero for any
	extended    cluster.NamedAmount
}

// recordedClasses holds the classes of a recording by what they are told apart by.
type recordedClasses map[recordedRequest]*cluster.Class

// class returns the class of pods of one container that ask for q.
func (rs recordedClasses) class(q recordedRequest) *cluster.Class {
	if c, ok := rs[q]; ok {
		return c
	}
	q.namespace = strings.Clone(q.namespace) // a row's fields share the whole row's memory
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
	rs[q] = c
	return c
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
