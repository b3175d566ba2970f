package schedulertest

import (
	"fmt"
	"math/rand/v2"
	"slices"

	"github.com/berthsim/berth/cluster"
)

// What nodes have and pods ask for is drawn from few values, so that it meets
// often, and is left out often, so that most pods still fit somewhere.

var taintKeys = []string{"dedicated", "node.kubernetes.io/unschedulable"}

// imageBytes are sizes around what ImageLocality counts at the least and the most.
var imageBytes = []int64{1 << 20, 30 << 20, 700 << 20, 3000 << 20}

func imageName(i int) string { return fmt.Sprintf("registry.example.com/app-%d:latest", i) }

var features = []string{"FeatureA", "FeatureB"}

// constrainNode adds to a node what pods may have constraints about.
func constrainNode(rng *rand.Rand, spec *cluster.NodeSpec) {
	if rng.IntN(3) > 0 {
		spec.Capacity[cluster.EphemeralStorage] = int64(rng.IntN(3)) << 34
	}
	labels := map[string]string{"kubernetes.io/hostname": spec.Name}
	if rng.IntN(4) > 0 {
		labels["topology.kubernetes.io/zone"] = []string{"a", "b", "c"}[rng.IntN(3)]
	}
	if rng.IntN(2) == 0 {
		labels["disk"] = []string{"hdd", "ssd"}[rng.IntN(2)]
	}
	if rng.IntN(2) == 0 {
		labels["generation"] = []string{"7", "8", "9", "new"}[rng.IntN(4)]
	}
	spec.Labels = cluster.MakeLabels(labels)
	for rng.IntN(4) == 0 {
		spec.Taints = append(spec.Taints, cluster.Taint{
			Key: taintKeys[rng.IntN(2)], Value: []string{"", "gpu"}[rng.IntN(2)], Effect: cluster.Effect(1 + rng.IntN(3)),
		})
	}
	spec.Unschedulable = rng.IntN(8) == 0
	for i, bytes := range imageBytes {
		if rng.IntN(2) == 0 {
			names := []string{imageName(i), fmt.Sprintf("registry.example.com/app-%d@sha256:%064d", i, i)}
			spec.Images = append(spec.Images, cluster.Image{Names: names, Bytes: bytes})
		}
	}
	for _, f := range features {
		if rng.IntN(3) > 0 {
			spec.Features = append(spec.Features, f)
		}
	}
}

// constrainClass gives a pod a few constraints, or none.
func constrainClass(rng *rand.Rand, c *cluster.Class) {
	if rng.IntN(4) == 0 {
		c.Requests = append(c.Requests, rng.Int64N(3)<<32) // of ephemeral storage
	}
	for rng.IntN(2) == 0 {
		c.Tolerations = append(c.Tolerations, randomToleration(rng))
	}
	switch rng.IntN(12) {
	case 0:
		c.NodeName = fmt.Sprintf("node-%03d", rng.IntN(8))
	case 1, 2:
		c.NodeLabels = cluster.Labels{{Key: "disk", Value: "ssd"}}
	case 3, 4, 5:
		c.RequiredNode = &cluster.NodeSelector{}
		for range rng.IntN(4) {
			c.RequiredNode.Terms = append(c.RequiredNode.Terms, randomTerm(rng))
		}
	}
	for rng.IntN(3) == 0 {
		c.Preferred = append(c.Preferred, cluster.PreferredTerm{Weight: 1 + rng.Int32N(100), NodeSelectorTerm: randomTerm(rng)})
	}
	for rng.IntN(4) == 0 {
		c.Ports = append(c.Ports, cluster.HostPort{
			IP:       []string{"", "0.0.0.0", "10.0.0.1", "10.0.0.2"}[rng.IntN(4)],
			Protocol: []string{"", "TCP", "UDP"}[rng.IntN(3)],
			Port:     8080 + rng.Int32N(2),
		})
	}
	for rng.IntN(3) > 0 {
		c.Images = append(c.Images, imageName(rng.IntN(1+len(imageBytes))))
	}
	if rng.IntN(8) == 0 {
		c.ImageVolumes = []string{imageName(rng.IntN(len(imageBytes)))}
	}
	if rng.IntN(6) == 0 {
		c.Features = features[:1+rng.IntN(2)]
	}
	if rng.IntN(8) == 0 {
		c.Gates = []string{"example.com/gate"}
	}
	if rng.IntN(8) == 0 {
		c.Estimates = &cluster.Estimates{
			CPU: c.Requests[cluster.CPU] + 100, Memory: c.Requests[cluster.Memory],
			IncomingCPU: 300, IncomingMemory: 1 << 29,
		}
	}
}

func randomToleration(rng *rand.Rand) cluster.Toleration {
	t := cluster.Toleration{Effect: cluster.Effect(rng.IntN(4))}
	t.Key = slices.Concat(taintKeys, []string{""})[rng.IntN(3)]
	if t.Exists = t.Key == "" || rng.IntN(2) == 0; !t.Exists {
		t.Value = []string{"", "gpu"}[rng.IntN(2)]
	}
	return t
}

// randomTerm returns a term that selects nodes by label, by name, or both; or an
// empty one, which selects none.
func randomTerm(rng *rand.Rand) (t cluster.NodeSelectorTerm) {
	for range rng.IntN(3) {
		t.Labels = append(t.Labels, []cluster.Requirement{
			{Key: "disk", Op: cluster.In, Values: []string{"hdd", "ssd"}[rng.IntN(2):]},
			{Key: "disk", Op: cluster.NotIn, Values: []string{"hdd"}},
			{Key: "generation", Op: cluster.Gt, Values: []string{"7"}},
			{Key: "generation", Op: cluster.Lt, Values: []string{"9"}},
			{Key: "topology.kubernetes.io/zone", Op: cluster.Exists},
			{Key: "disk", Op: cluster.DoesNotExist},
			{Key: "disk", Op: cluster.Unparsable},
		}[rng.IntN(7)])
	}
	for rng.IntN(3) == 0 {
		t.Fields = append(t.Fields, cluster.Requirement{
			Key: cluster.FieldName, Op: []cluster.Operator{cluster.In, cluster.In, cluster.NotIn}[rng.IntN(3)],
			Values: []string{fmt.Sprintf("node-%03d", rng.IntN(8))},
		})
	}
	return t
}
