package traces

import (
	"fmt"
	"slices"

	"github.com/berthsim/berth/cluster"
)

// syntheticNodes returns n nodes, of each kind as many as its share of the
// recorded ones, by largest remainder: of equal remainders, the first counts.
func syntheticNodes(n int) []*cluster.NodeSpec {
	recorded := 0
	for _, k := range nodeKinds {
		recorded += k.nodes
	}
	counts := make([]int, len(nodeKinds))
	byRemainder := make([]int, len(nodeKinds))
	missing := n
	for i, k := range nodeKinds {
		counts[i] = n * k.nodes / recorded
		byRemainder[i] = i
		missing -= counts[i]
	}
	remainder := func(i int) int { return n * nodeKinds[i].nodes % recorded }
	slices.SortStableFunc(byRemainder, func(i, j int) int { return remainder(j) - remainder(i) })
	for _, i := range byRemainder[:missing] {
		counts[i]++
	}
	var nodes []*cluster.NodeSpec
	for i := range nodeKinds {
		for range counts[i] {
			nodes = append(nodes, nodeKinds[i].node(len(nodes)))
		}
	}
	return nodes
}

// node returns the i-th node of a cluster.
func (k *nodeKind) node(i int) *cluster.NodeSpec {
	capacity := make(cluster.Amounts, cluster.PodSlots+1)
	capacity[cluster.CPU], capacity[cluster.Memory], capacity[cluster.PodSlots] = k.cpu, k.memory*mib, openbPodSlots
	return &cluster.NodeSpec{Name: fmt.Sprintf("node-%04d", i), Capacity: capacity, GPUs: k.gpus, GPUModel: k.model}
}

// syntheticMix returns the distribution that pods are drawn from: each class
// with the product of its marginal counts, scaled so that all have the same
// denominator, and classes in the order of the tables.
func syntheticMix() cluster.Mix {
	sharing := int64(0)
	for _, p := range sharedParts {
		sharing += p.pods
	}
	var mix cluster.Mix
	for _, c := range podCategories {
		parts := []part{{cluster.WholeGPU, sharing}}
		if c.gpus == 0 {
			parts[0].shares = 0
		}
		if c.shared {
			parts = sharedParts
		}
		for _, r := range c.requests {
			for _, p := range parts {
				mix = append(mix, cluster.MixShare{Class: syntheticClass(c.gpus, r, p), Pods: r.pods * p.pods})
			}
		}
	}
	return mix
}

func syntheticClass(gpus int32, r request, p part) *cluster.Class {
	requests := make(cluster.Amounts, cluster.Memory+1)
	requests[cluster.CPU], requests[cluster.Memory] = r.cpu, r.memory*mib
	return &cluster.Class{
		Namespace: "default",
		Requests:  requests,
		GPUs:      cluster.GPURequest{Count: gpus, Shares: p.shares},
	}
}

// A drawable is a Mix from which classes can be drawn.
type drawable struct {
	mix        cluster.Mix
	upTo       []int64 // the pods of each class and of those before it
	meanShares float64 // of GPUs that a pod asks for
}

func drawableOf(mix cluster.Mix) *drawable {
	d := &drawable{mix: mix}
	pods, shares := int64(0), int64(0)
	for _, m := range mix {
		pods += m.Pods
		shares += m.Pods * m.Class.GPUs.Total()
		d.upTo = append(d.upTo, pods)
	}
	d.meanShares = float64(shares) / float64(pods)
	return d
}

// class returns the class that x stands for.
func (d *drawable) class(x cluster.Draw) *cluster.Class {
	k := int64(x.Below(int(d.upTo[len(d.upTo)-1])))
	i, _ := slices.BinarySearch(d.upTo, k+1)
	return d.mix[i].Class
}
