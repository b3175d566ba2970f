package traces

import (
	"cmp"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/berthsim/berth/cluster"
)

// fillSynthetic makes t a workload that fills g's cluster.
func (t *Trace) fillSynthetic(g *generator, s Settings) (err error) {
	if _, given := s["pods"]; given {
		return &Error{Problem: "pods is given with mode=fill, where load says how many there are", Remedy: "leave pods out, or give mode=time"}
	}
	if g.load, err = s.load(1.3); err != nil {
		return err
	}
	t.Pods = int(math.Round(g.target() / g.mix.meanShares))
	t.events = g.filling
	return nil
}

// target is how much the pods of a filling ask for at least, in shares.
func (g *generator) target() float64 { return float64(g.load * float64(g.gpus)) }

// filling returns a stream that ends with the pod with which all ask for the
// target or more.
func (g *generator) filling(seed int64) Stream {
	i, asked := 0, int64(0)
	return &workload{nodes: g.ordered(seed), next: func() (arrival, bool) {
		if float64(asked) >= g.target() {
			return arrival{}, false
		}
		pod := g.pod(seed, i)
		asked += pod.Class.GPUs.Total()
		i++
		return arrival{at: fillingTime(i - 1), pod: pod}, true
	}}
}

// pod returns the i-th pod under a seed.
func (g *generator) pod(seed int64, i int) *cluster.PodSpec {
	name := "pod-" + strconv.Itoa(i)
	return &cluster.PodSpec{
		Name:  name,
		Class: g.mix.class(cluster.NewDraw(seed, "synthetic class", name)),
		Run:   cluster.Never,
	}
}

// ordered returns the nodes in an order drawn under a seed. Order of arrival
// decides among nodes of equal score, so it must not go by kind.
func (g *generator) ordered(seed int64) []*cluster.NodeSpec {
	type drawn struct {
		key  cluster.Draw
		node *cluster.NodeSpec
	}
	order := make([]drawn, len(g.nodes))
	for i, n := range g.nodes {
		order[i] = drawn{cluster.NewDraw(seed, "synthetic node order", n.Name), n}
	}
	slices.SortFunc(order, func(a, b drawn) int {
		return cmp.Or(cmp.Compare(a.key, b.key), strings.Compare(a.node.Name, b.node.Name))
	})
	nodes := make([]*cluster.NodeSpec, len(order))
	for i := range order {
		nodes[i] = order[i].node
	}
	return nodes
}
