package plugins

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/berthsim/berth/cluster"
	"github.com/berthsim/berth/scheduler/schedulertest"
)

// A twinPod is a typical pod of the slow twin of Fragmentation, which goes by the
// text of the paper and its artifact: it forms p_m and F_n(m) for one typical pod
// after the other and adds to seven sums.
type twinPod struct {
	cpu, milli, gpus int64
	spec             string // models, joined with |
	count            int64
	p                float64
}

// twinTypical returns the distinct (cpu, milli, gpus, spec) of all pods by count,
// the highest first, and among equals the larger cpu, milli, gpus, spec; of these
// the first that together make up 95 % of all pods.
func twinTypical(mix cluster.Mix) []twinPod {
	type key struct {
		cpu, milli, gpus int64
		spec             string
	}
	count := map[key]int64{}
	total := int64(0)
	for _, m := range mix {
		g := m.Class.GPUs
		count[key{m.Class.Requests.Get(cluster.CPU), int64(g.Shares), int64(g.Count), strings.Join(g.Models, "|")}] += m.Pods
		total += m.Pods
	}
	var pods []twinPod
	for k, n := range count {
		pods = append(pods, twinPod{cpu: k.cpu, milli: k.milli, gpus: k.gpus, spec: k.spec, count: n})
	}
	slices.SortFunc(pods, func(a, b twinPod) int {
		return -cmp.Or(cmp.Compare(a.count, b.count), cmp.Compare(a.cpu, b.cpu), cmp.Compare(a.milli, b.milli),
			cmp.Compare(a.gpus, b.gpus), cmp.Compare(a.spec, b.spec))
	})
	sum, last := int64(0), 0
	for 100*sum < 95*total {
		sum += pods[last].count
		last++
	}
	pods = pods[:last]
	for i := range pods {
		pods[i].p = float64(pods[i].count) / float64(total) / (float64(sum) / float64(total))
	}
	return pods
}

// The seven sums, in the artifact's order.
const (
	twinLackBoth = iota
	twinLackGPU
	twinSatisfied
	twinLackCPU
	twinCPUPodOK
	twinCPUPodLack
	twinNoAccess
)

// twinOutcome says what a typical pod finds on a node: which sum the unusable
// milli-GPUs go to.
func twinOutcome(m *twinPod, model string, cpu int64, gpus []int32) (sum int, unusable, all int64) {
	fitting := int64(0)
	for _, free := range gpus {
		all += int64(free)
		if int64(free) >= m.milli {
			fitting++
		} else {
			unusable += int64(free)
		}
	}
	allowed := m.spec == "" || slices.Contains(strings.Split(m.spec, "|"), model)
	if m.gpus == 0 {
		if cpu >= m.cpu {
			return twinCPUPodOK, all, all
		}
		return twinCPUPodLack, all, all
	}
	if !allowed {
		return twinNoAccess, all, all
	}
	if fitting < m.gpus {
		if cpu < m.cpu {
			return twinLackBoth, all, all
		}
		return twinLackGPU, all, all
	}
	if cpu < m.cpu {
		return twinLackCPU, all, all
	}
	return twinSatisfied, unusable, all
}

// twinFragmentation is F(n).
func twinFragmentation(typical []twinPod, model string, cpu int64, gpus []int32) float64 {
	var sums [7]float64
	for i := range typical {
		m := &typical[i]
		sum, unusable, all := twinOutcome(m, model, cpu, gpus)
		if sum == twinSatisfied {
			sums[twinLackGPU] += float64(m.p * float64(unusable))
			sums[twinSatisfied] += float64(m.p * float64(all-unusable))
		} else {
			sums[sum] += float64(m.p * float64(all))
		}
	}
	return sums[0] + sums[1] + sums[3] + sums[4] + sums[5] + sums[6]
}

// TestFragmentationByHand has one node, of which each typical pod finds
// something else.
func TestFragmentationByHand(t *testing.T) {
	// 4 CPUs and 1000 + 300 + 0 shares of three T4 are free.
	s := stateOf(gpuNode{cpu: 4000, used: 2000, gpus: []int32{1000, 300, 0}, model: "T4"})
	kinds := []struct {
		class *cluster.Class
		lost  float64 // of 1300
	}{
		{onlyCPU(1000), 1300},                                             // asks no GPU, fits
		{onlyCPU(4001), 1300},                                             // asks no GPU, doesn't fit
		{sharing(1000, 500), 300},                                         // 300 + 0 are on GPUs that are too full
		{sharing(4000, 300), 0},                                           // 0 is
		{sharing(4000, 301), 300},                                         // 300 + 0 are
		{sharing(4001, 300), 1300},                                        // too little CPU
		{whole(4000, 2), 1300},                                            // too few GPUs
		{whole(4001, 2), 1300},                                            // both
		{only(sharing(0, 100), "V100"), 1300},                             // the wrong model
		{only(sharing(0, 100), "A10", "T4"), 0},                           // one of two models
		{only(whole(0, 1), "A10", "T4"), 300},                             // the GPU with 1000 will do
		{&cluster.Class{Requests: cluster.Amounts{cluster.CPU: 0}}, 1300}, // asks nothing
	}
	all := 0.0
	var mix cluster.Mix
	for _, k := range kinds {
		if got := NewFragmentation(cluster.Mix{{Class: k.class, Pods: 7}}).Of(s, 0); got != k.lost {
			t.Errorf("for pods that ask %v, %+v alone: %v, want %v", k.class.Requests, k.class.GPUs, got, k.lost)
		}
		mix = append(mix, cluster.MixShare{Class: k.class, Pods: 7})
		all += k.lost
	}
	// All are typical: 11 of 12 make up 91.7 %. So F is the mean: (7 × 1300 + 3 × 300 + 2 × 0) / 12 = 833.33.
	if got := NewFragmentation(mix).Of(s, 0); got < 833.33 || got > 833.34 || all != 10000 {
		t.Errorf("for all of them: %v, want 833.33; the sum is %v", got, all)
	}
	// 3 of 4 pods lose 300, 1 of 4 loses 1300: 550.
	if got := NewFragmentation(cluster.Mix{{Class: kinds[2].class, Pods: 3}, {Class: kinds[0].class, Pods: 1}}).Of(s, 0); got != 550 {
		t.Errorf("for three that lose 300 and one that loses 1300: %v, want 550", got)
	}
}

// typicalText writes typical pods as "cpu/shares×gpus models weight".
func typicalText(mix cluster.Mix) string {
	f := NewFragmentation(mix)
	var parts []string
	for _, m := range f.typical {
		parts = append(parts, strings.TrimSpace(fmt.Sprintf("%d/%d×%d %s", m.cpu, f.levels[m.level], m.gpus, strings.Join(m.models, "|")))+fmt.Sprintf(" %.3f", m.weight))
	}
	return strings.Join(parts, ", ")
}

func TestTypicalPods(t *testing.T) {
	share := func(pods int64, c *cluster.Class) cluster.MixShare { return cluster.MixShare{Class: c, Pods: pods} }
	withMemory := sharing(1000, 500)
	withMemory.Requests = cluster.Amounts{cluster.CPU: 1000, cluster.Memory: 1 << 30}
	elsewhere := sharing(1000, 500)
	elsewhere.Namespace, elsewhere.Priority = "elsewhere", 7
	for _, tt := range []struct {
		why  string
		mix  cluster.Mix
		want string
	}{
		{"none", cluster.Mix{}, ""},
		{"one", cluster.Mix{share(3, onlyCPU(5))}, "5/0×0 1.000"},
		{"the most frequent first", cluster.Mix{share(3, onlyCPU(5)), share(5, onlyCPU(4))}, "4/0×0 0.625, 5/0×0 0.375"},
		{"95 % are enough", cluster.Mix{share(5, onlyCPU(5)), share(95, onlyCPU(4))}, "4/0×0 1.000"},
		{"94 % are not", cluster.Mix{share(6, onlyCPU(5)), share(94, onlyCPU(4))}, "4/0×0 0.940, 5/0×0 0.060"},
		{"the cut goes through equals", cluster.Mix{share(90, onlyCPU(4)), share(5, onlyCPU(1)), share(5, onlyCPU(9))}, "4/0×0 0.947, 9/0×0 0.053"},
		{"the larger CPU first, then shares, then GPUs, then models", cluster.Mix{
			share(1, only(whole(1, 2), "A10")), share(1, only(whole(1, 2), "T4")), share(1, whole(1, 2)), share(1, whole(1, 1)),
			share(1, sharing(1, 999)), share(1, onlyCPU(1)), share(1, onlyCPU(2)),
		}, "2/0×0 0.143, 1/1000×2 T4 0.143, 1/1000×2 A10 0.143, 1/1000×2 0.143, 1/1000×1 0.143, 1/999×1 0.143, 1/0×0 0.143"},
		{"memory, namespace and priority don't count", cluster.Mix{
			share(3, sharing(1000, 500)), share(5, sharing(1000, 501)), share(2, withMemory), share(1, elsewhere),
		}, "1000/500×1 0.545, 1000/501×1 0.455"},
	} {
		if got := typicalText(tt.mix); got != tt.want {
			t.Errorf("%s:\ngot  %s\nwant %s", tt.why, got, tt.want)
		}
		slices.Reverse(tt.mix)
		if got := typicalText(tt.mix); got != tt.want {
			t.Errorf("%s, in reverse:\ngot  %s\nwant %s", tt.why, got, tt.want)
		}
	}
}

// TestFragmentationAgreesWithTwin compares to the last bit, on nodes and mixes of
// all kinds.
func TestFragmentationAgreesWithTwin(t *testing.T) {
	models := []string{"", "A10", "T4", "V100"}
	for seed := range uint64(300) {
		rng := rand.New(rand.NewPCG(seed, 4))
		var mix cluster.Mix
		for range 1 + rng.IntN(60) {
			mix = append(mix, cluster.MixShare{Class: schedulertest.RandomClass(rng), Pods: 1 + rng.Int64N(1+rng.Int64N(1000))})
		}
		typical, f := twinTypical(mix), NewFragmentation(mix)
		for range 100 {
			model, cpu := models[rng.IntN(len(models))], rng.Int64N(9)*5000-1000
			gpus := make([]int32, rng.IntN(10))
			for i := range gpus {
				gpus[i] = []int32{0, 1000, rng.Int32N(1001)}[rng.IntN(3)]
			}
			if got, want := f.ifFree(model, cpu, gpus), twinFragmentation(typical, model, cpu, gpus); got != want {
				t.Fatalf("seed %d, %s with %d m and %v: %v, twin %v", seed, model, cpu, gpus, got, want)
			}
		}
	}
}

// TestFragmentationOnTinyInputs tries all mixes of up to three of nine kinds of
// pods, with counts of 1 to 3, on all nodes with up to two GPUs.
func TestFragmentationOnTinyInputs(t *testing.T) {
	kinds := []*cluster.Class{
		onlyCPU(0), onlyCPU(4), sharing(0, 300), sharing(4, 300), sharing(4, 500), whole(0, 1), whole(4, 2),
		only(sharing(4, 300), "T4"), only(whole(0, 1), "A10"),
	}
	nodes := []gpuNode{}
	for _, cpu := range []int64{3, 4} {
		for _, model := range []string{"T4", "A10"} {
			nodes = append(nodes, gpuNode{cpu: cpu, model: model})
			for _, a := range []int32{0, 299, 300, 500, 1000} {
				nodes = append(nodes, gpuNode{cpu: cpu, model: model, gpus: []int32{a}})
				for _, b := range []int32{0, 299, 300, 500, 1000} {
					nodes = append(nodes, gpuNode{cpu: cpu, model: model, gpus: []int32{a, b}})
				}
			}
		}
	}
	compared := 0
	var compare func(mix cluster.Mix, from int)
	compare = func(mix cluster.Mix, from int) {
		typical, f := twinTypical(mix), NewFragmentation(mix)
		for _, n := range nodes {
			if got, want := f.ifFree(n.model, n.cpu, n.gpus), twinFragmentation(typical, n.model, n.cpu, n.gpus); got != want {
				t.Fatalf("%s on %+v: %v, twin %v", typicalText(mix), n, got, want)
			}
			compared++
		}
		if len(mix) == 3 {
			return
		}
		for i := from; i < len(kinds); i++ {
			for pods := range int64(3) {
				compare(append(slices.Clone(mix), cluster.MixShare{Class: kinds[i], Pods: pods + 1}), i)
			}
		}
	}
	compare(nil, 0)
	if compared < 100_000 {
		t.Errorf("only %d comparisons", compared)
	}
}
