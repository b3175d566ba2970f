package schedulertest

import (
	"fmt"
	"math/rand/v2"

	"github.com/berthsim/berth/cluster"
)

var models = []string{"", "T4", "V100", "A10"}

// RandomState returns a cluster of n nodes of many sizes, some without GPUs,
// with no pods on them, that expects a mix of pods like those of AddPod.
func RandomState(rng *rand.Rand, n int) *cluster.State {
	s := cluster.NewState()
	s.Seed = rng.Int64()
	for range 12 {
		s.Mix = append(s.Mix, cluster.MixShare{Class: RandomClass(rng), Pods: 1 + rng.Int64N(50)})
	}
	var events []cluster.Event
	for i := range n {
		events = append(events, cluster.Event{Kind: cluster.NodeAdded, NodeSpec: RandomNode(rng, fmt.Sprintf("node-%03d", i))})
	}
	s.Observe(0, events)
	return s
}

// extended is a resource that some nodes have and some pods ask for.
const extended = "example.com/nic"

// RandomNode describes a node, now and then one with nothing of some resource.
func RandomNode(rng *rand.Rand, name string) *cluster.NodeSpec {
	spec := &cluster.NodeSpec{Name: name, Capacity: cluster.Amounts{
		cluster.CPU:      int64(rng.IntN(9)) * 16000,
		cluster.Memory:   int64(rng.IntN(9)) << 36,
		cluster.PodSlots: []int64{3, 110, 1001}[rng.IntN(3)],
	}}
	if m := rng.IntN(len(models)); m > 0 {
		spec.GPUModel, spec.GPUs = models[m], 1<<rng.IntN(4)
	}
	if rng.IntN(2) == 0 {
		spec.Extended = []cluster.NamedAmount{{Name: extended, Amount: 1 + rng.Int64N(8)}}
	}
	constrainNode(rng, spec)
	return spec
}

// RandomClass describes a pod: without GPUs, with a share of one, or with some.
func RandomClass(rng *rand.Rand) *cluster.Class {
	c := &cluster.Class{Namespace: "test", Priority: int32(rng.IntN(3)), Requests: cluster.Amounts{
		cluster.CPU:    []int64{0, 500, 4000, 11300, 32000}[rng.IntN(5)],
		cluster.Memory: []int64{0, 1 << 28, 1 << 33, 1 << 36}[rng.IntN(4)],
	}}
	if c.Requests[cluster.CPU] == 0 {
		c.BestEffortCPU = 1
	}
	if c.Requests[cluster.Memory] == 0 {
		c.BestEffortMemory = 1
	}
	switch rng.IntN(4) {
	case 0:
	case 1:
		c.GPUs = cluster.GPURequest{Count: 1 << rng.IntN(4), Shares: cluster.WholeGPU}
	default:
		c.GPUs = cluster.GPURequest{Count: 1, Shares: []int32{1, 110, 320, 470, 500, 810, 999}[rng.IntN(7)]}
	}
	if c.GPUs.Count > 0 && rng.IntN(4) == 0 {
		c.GPUs.Models = []string{"A10", "V100"}
	}
	if rng.IntN(6) == 0 {
		c.Extended = []cluster.NamedAmount{{Name: extended, Amount: 1 + rng.Int64N(3)}}
	}
	constrainClass(rng, c)
	return c
}

// AddPod adds a pending pod of a random class, one in two of a class that s
// expects, and returns it.
func AddPod(s *cluster.State, rng *rand.Rand, name string) cluster.PodID {
	class := RandomClass(rng)
	if rng.IntN(2) == 0 && len(s.Mix) > 0 {
		class = s.Mix[rng.IntN(len(s.Mix))].Class
	}
	events := []cluster.Event{{Time: s.Now, Kind: cluster.PodAdded, PodSpec: &cluster.PodSpec{Name: name, Class: class, Run: cluster.Never}}}
	s.Observe(s.Now, events)
	return events[0].Pod
}

// Churn binds some pods wherever there is room, ends some others, and now and
// then has a node leave and another come, which may get the same row or name.
func Churn(rng *rand.Rand, s *cluster.State) {
	for range rng.IntN(2 * len(s.Nodes.Live())) {
		p := AddPod(s, rng, fmt.Sprintf("churn-%d", rng.IntN(1<<30)))
		if !bindAnywhere(rng, s, p) {
			s.Observe(s.Now, []cluster.Event{{Kind: cluster.PodEnded, Pod: p, Node: cluster.None}})
		}
		s.TakeDecisions()
	}
	var events []cluster.Event
	leaving := cluster.NodeID(cluster.None)
	if rng.IntN(2) == 0 {
		leaving = s.Nodes.Live()[rng.IntN(len(s.Nodes.Live()))]
	}
	drained := rng.IntN(2) == 0 // or its pods hold its row until they end
	for p := range cluster.PodID(s.Pods.Rows()) {
		n := s.Pods.Node[p]
		if n != cluster.None && (rng.IntN(4) == 0 || n == leaving && drained) {
			events = append(events, cluster.Event{Kind: cluster.PodEnded, Pod: p, Node: n})
		}
	}
	if leaving != cluster.None {
		name := s.Nodes.Name[leaving]
		if rng.IntN(2) == 0 {
			name = fmt.Sprintf("node-%d", rng.IntN(1<<30))
		}
		events = append(events, cluster.Event{Kind: cluster.NodeRemoved, Node: leaving},
			cluster.Event{Kind: cluster.NodeAdded, NodeSpec: RandomNode(rng, name)})
	}
	s.Observe(s.Now+cluster.Second, events)
}

// tryOut adds and removes pods at random for a trial that is to be undone.
func tryOut(rng *rand.Rand, s *cluster.State, pending []cluster.PodID) {
	for p := range cluster.PodID(s.Pods.Rows()) {
		if s.Pods.Node[p] != cluster.None && rng.IntN(8) == 0 {
			s.Remove(p)
		}
	}
	for _, p := range pending {
		if nodes := feasible(s, p); len(nodes) > 0 {
			n := nodes[rng.IntN(len(nodes))]
			s.Try(p, n, randomGPUs(rng, s, p, n))
		}
	}
}

func bindAnywhere(rng *rand.Rand, s *cluster.State, p cluster.PodID) bool {
	nodes := feasible(s, p)
	if len(nodes) == 0 {
		return false
	}
	n := nodes[rng.IntN(len(nodes))]
	s.Bind(p, n, randomGPUs(rng, s, p, n))
	return true
}

func randomGPUs(rng *rand.Rand, s *cluster.State, p cluster.PodID, n cluster.NodeID) (a cluster.Allocation) {
	want, free := s.Class(p).GPUs, s.Nodes.GPUFree[n]
	left := want.Count
	for _, i := range rng.Perm(len(free)) {
		if left > 0 && free[i] >= want.Shares {
			a.GPUs = a.GPUs.With(i)
			left--
		}
	}
	return a
}

// feasible returns the nodes that have room for p and GPUs that will do.
func feasible(s *cluster.State, p cluster.PodID) (nodes []cluster.NodeID) {
	class := s.Class(p)
nodes:
	for _, n := range s.Nodes.Live() {
		for r, want := range class.Requests {
			if want > 0 && want > s.Free(n, cluster.Resource(r)) {
				continue nodes
			}
		}
		fitting := int32(0)
		for _, free := range s.Nodes.GPUFree[n] {
			if free >= class.GPUs.Shares {
				fitting++
			}
		}
		if fitting >= class.GPUs.Count && s.AllowsModel(s.Pods.Class[p], n) {
			nodes = append(nodes, n)
		}
	}
	return nodes
}
