package traces

import (
	"fmt"
	"math/rand"
	"slices"
	"strconv"
	"strings"

	"github.com/berthsim/berth/cluster"
)

// An openbFill makes the workload of the paper's experiments: the cluster is
// filled from empty, and nothing ever ends. It follows the authors' artifact,
// https://github.com/hkust-adsl/kubernetes-scheduler-simulator, draw by draw, so
// that the published result of each seed can be reproduced: every call of a
// method of rand.Rand below has its counterpart there, in the same order, and so
// the legacy generator of math/rand is part of the format.
type openbFill struct {
	nodes []*cluster.NodeSpec // by name
	pods  []*cluster.PodSpec  // by name
	names map[string]bool     // of the pods
	gpus  int64               // capacity, in shares
	asked int64               // by the recorded pods, in shares
	load  float64
}

// maxFillPods is more pods than anyone means. It keeps a list in which hardly a
// pod asks for GPUs from being copied until memory is full.
const maxFillPods = 20_000_000

// fillOpenb makes t a filling of rec, and returns what tells it from others.
func (t *Trace) fillOpenb(rec *openbRecording, s Settings) (options string, err error) {
	f := &openbFill{
		nodes: slices.Clone(rec.nodes),
		names: map[string]bool{},
		gpus:  rec.gpus,
		asked: rec.asked,
	}
	if f.load, err = s.load(1.3); err != nil {
		return "", err
	}
	for i := range rec.pods {
		pod := rec.pods[i].spec
		pod.Run = cluster.Never
		f.pods = append(f.pods, &pod)
		f.names[pod.Name] = true
	}
	slices.SortFunc(f.nodes, func(a, b *cluster.NodeSpec) int { return strings.Compare(a.Name, b.Name) })
	slices.SortFunc(f.pods, func(a, b *cluster.PodSpec) int { return strings.Compare(a.Name, b.Name) })
	if err := f.check(); err != nil {
		return "", err
	}
	t.OfferedLoad, t.Seeded, t.events = f.load, true, f.events
	return "mode=fill&load=" + formatNumber(f.load), nil
}

// target is how much the pods are to ask for, in shares. The artifact compares
// floats, so it stays one.
func (f *openbFill) target() float64 { return float64(f.load * float64(f.gpus)) }

// check returns an error if the target can't be reached.
func (f *openbFill) check() error {
	if f.asked == 0 {
		return &Error{Problem: "no pod asks for a GPU, so none fill the cluster's", Remedy: "give a list of pods that do: pods=default"}
	}
	if pods := float64(f.target() / float64(f.asked) * float64(len(f.pods))); pods > maxFillPods {
		return &Error{
			Problem: fmt.Sprintf("load %s takes about %.0f pods", formatNumber(f.load), pods),
			Remedy:  fmt.Sprintf("give a load that takes at most %d", maxFillPods),
		}
	}
	return nil
}

// events returns the filling under a seed.
func (f *openbFill) events(seed int64) Stream {
	r := rand.New(rand.NewSource(seed))
	r.Int() // the artifact writes a number to its log
	order := f.order(r)
	for range 10 {
		r.Int63() // the artifact's informers start up
	}
	return &workload{nodes: f.ranked(r), next: f.arrivals(order)}
}

// order returns the pods, as indexes of f.pods, in the order in which they come:
// all of them, in random order, and then copies until they ask for the target;
// or, if they ask for more to begin with, those that are left when enough of
// them are taken out.
func (f *openbFill) order(r *rand.Rand) []int32 {
	order := make([]int32, len(f.pods))
	for i := range order {
		order[i] = int32(i)
	}
	r.Shuffle(len(order), func(i, j int) { order[i], order[j] = order[j], order[i] })
	asked, target := f.asked, f.target()
	for float64(asked) > target {
		i := r.Intn(len(order))
		asked -= f.pods[order[i]].Class.GPUs.Total()
		order = slices.Delete(order, i, i+1)
	}
	if float64(f.asked) >= target { // the artifact draws no more if nothing is missing
		return order
	}
	for {
		i := r.Intn(len(f.pods))
		gpus := &f.pods[i].Class.GPUs
		if float64(asked+int64(gpus.Shares)) > target { // of one GPU, as the artifact has it
			return order
		}
		asked += gpus.Total()
		order = append(order, int32(i))
	}
}

// ranked returns the nodes in random order. The artifact writes each node's rank
// before its name, and takes the least name among nodes of equal score. Here the
// nodes keep their names: order of arrival decides among equals.
func (f *openbFill) ranked(r *rand.Rand) []*cluster.NodeSpec {
	nodes := make([]*cluster.NodeSpec, len(f.nodes))
	for i, rank := range r.Perm(len(f.nodes)) {
		nodes[rank] = f.nodes[i]
	}
	return nodes
}

// arrivals returns the pods one after another. Those past the length of the
// recording are copies, and get names of their own.
func (f *openbFill) arrivals(order []int32) func() (arrival, bool) {
	i, copies := 0, 0
	return func() (arrival, bool) {
		if i == len(order) {
			return arrival{}, false
		}
		pod := f.pods[order[i]]
		if i >= len(f.pods) {
			copied := *pod
			for copied.Name == pod.Name || f.names[copied.Name] {
				copies++
				copied.Name = pod.Name + "-copy-" + strconv.Itoa(copies)
			}
			pod = &copied
		}
		i++
		return arrival{at: fillingTime(i - 1), pod: pod}, true
	}
}
