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

// Churn binds some pods wherever there is room, and ends some others.
func Churn(rng *rand.Rand, s *cluster.State) {
	for range rng.IntN(2 * len(s.Nodes.Live())) {
		p := AddPod(s, rng, fmt.Sprintf("churn-%d", rng.IntN(1<<30)))
		nodes := feasible(s, p)
		if len(nodes) == 0 {
			s.Observe(s.Now, []cluster.Event{{Kind: cluster.PodEnded, Pod: p, Node: cluster.None}})
			continue
		}
		n := nodes[rng.IntN(len(nodes))]
		s.Bind(p, n, randomGPUs(rng, s, p, n))
		s.TakeDecisions()
	}
	var ended []cluster.Event
	for p := range cluster.PodID(s.Pods.Rows()) {
		if n := s.Pods.Node[p]; n != cluster.None && rng.IntN(4) == 0 {
			ended = append(ended, cluster.Event{Kind: cluster.PodEnded, Pod: p, Node: n})
		}
	}
	s.Observe(s.Now+cluster.Second, ended)
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

// Fingerprint returns a text that differs if anything differs that a plugin can
// read of s.
func Fingerprint(s *cluster.State) string {
	ns, ps := &s.Nodes, &s.Pods
	text := fmt.Sprintln(s.Now, s.Seed, s.Version(), s.Mark(), s.Pending(), ns.Live(), ns.Name, ns.Cap, ns.Used,
		ns.EstimatedCPU, ns.EstimatedMemory, ns.GPUFree, ns.Stamp,
		ps.Name, ps.Class, ps.Phase, ps.Node, ps.Allocation, ps.Arrived, ps.Order)
	for _, n := range ns.Live() {
		for p := range s.PodsOn(n) {
			text += fmt.Sprint(p, " ")
		}
	}
	return text
}
