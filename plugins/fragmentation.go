package plugins

import (
	"cmp"
	"slices"

	"github.com/berthsim/berth/cluster"
)

// Fragmentation measures how much of a node's free GPU the pods to be expected
// can't use (Weng et al., "Beware of Fragmentation", ATC'23, section 3): for each
// typical pod the free shares that it can't use there, and of these the mean over
// the typical pods, weighted by how many there are. Memory doesn't count.
type Fragmentation struct {
	typical []typicalPod
	levels  []int32 // the distinct shares that typical pods ask of a GPU, ascending
	usable  []usable
}

// A typicalPod is a kind of pod to be expected.
type typicalPod struct {
	cpu    int64 // milli-CPUs
	gpus   int32
	level  int      // of the shares it asks of each GPU, in levels
	models []string // that will do; none means any
	weight float64  // share of the typical pods; they add up to 1
}

// usable says what a typical pod that asks for the shares of a level finds.
type usable struct {
	gpus int32 // with so many shares free
	lost int64 // shares free on the other GPUs
}

// typicalShare is how many of the pods to be expected are typical: the most
// frequent kinds, as many as it takes.
const typicalShare = 0.95

// NewFragmentation returns the measure for pods like those of mix.
func NewFragmentation(mix cluster.Mix) *Fragmentation {
	kinds, total := kindsOfPods(mix)
	f := &Fragmentation{}
	kept, sum := 0, int64(0)
	for kept < len(kinds) && float64(sum) < float64(typicalShare*float64(total)) {
		sum += kinds[kept].pods
		kept++
	}
	for _, k := range kinds[:kept] {
		f.levels = append(f.levels, k.shares)
	}
	slices.Sort(f.levels)
	f.levels = slices.Compact(f.levels)
	f.usable = make([]usable, len(f.levels))
	for _, k := range kinds[:kept] {
		level, _ := slices.BinarySearch(f.levels, k.shares)
		f.typical = append(f.typical, typicalPod{
			cpu: k.cpu, gpus: k.gpus, level: level, models: k.models,
			weight: float64(k.pods) / float64(total) / (float64(sum) / float64(total)),
		})
	}
	return f
}

// A podKind is what Fragmentation tells pods apart by.
type podKind struct {
	cpu    int64
	gpus   int32
	shares int32
	models []string
	pods   int64
}

// kindsOfPods adds up the pods of each kind, the most frequent kind first and
// among equals the larger, and returns the number of all.
func kindsOfPods(mix cluster.Mix) (kinds []podKind, total int64) {
	for _, m := range mix {
		g := m.Class.GPUs
		kinds = append(kinds, podKind{m.Class.Requests.Get(cluster.CPU), g.Count, g.Shares, g.Models, m.Pods})
		total += m.Pods
	}
	slices.SortStableFunc(kinds, podKind.compare)
	merged := kinds[:0]
	for _, k := range kinds {
		if last := len(merged) - 1; last >= 0 && merged[last].compare(k) == 0 {
			merged[last].pods += k.pods
		} else {
			merged = append(merged, k)
		}
	}
	slices.SortStableFunc(merged, func(a, b podKind) int {
		return cmp.Or(cmp.Compare(b.pods, a.pods), a.compare(b))
	})
	return merged, total
}

// compare orders kinds by what they ask for, the larger first.
func (k podKind) compare(other podKind) int {
	return cmp.Or(
		cmp.Compare(other.cpu, k.cpu),
		cmp.Compare(other.shares, k.shares),
		cmp.Compare(other.gpus, k.gpus),
		slices.Compare(other.models, k.models),
	)
}

// Of returns the fragmentation of n, in shares.
func (f *Fragmentation) Of(s *cluster.State, n cluster.NodeID) float64 {
	return f.ifFree(s.GPUModel(n), s.Free(n, cluster.CPU), s.Nodes.GPUFree[n])
}

// ifFree returns the fragmentation of a node of that GPU model if it had so much
// CPU and so many shares on each GPU free.
//
// The order of the additions is that of the paper's artifact, which keeps a sum
// for each of seven outcomes. It decides the last bit, and FGD truncates a score
// that is often exactly on the boundary.
func (f *Fragmentation) ifFree(model string, cpu int64, gpus []int32) float64 {
	free := f.measure(gpus)
	var lackBoth, lackGPU, lackCPU, cpuPodOK, cpuPodLack, noAccess float64
	for i := range f.typical {
		m := &f.typical[i]
		all := float64(m.weight * float64(free))
		enough := cpu >= m.cpu
		u := &f.usable[m.level]
		switch {
		case m.gpus == 0 && enough:
			cpuPodOK += all
		case m.gpus == 0:
			cpuPodLack += all
		case len(m.models) > 0 && !slices.Contains(m.models, model):
			noAccess += all
		case u.gpus >= m.gpus && enough:
			lackGPU += float64(m.weight * float64(u.lost))
		case u.gpus >= m.gpus:
			lackCPU += all
		case enough:
			lackGPU += all
		default:
			lackBoth += all
		}
	}
	return lackBoth + lackGPU + lackCPU + cpuPodOK + cpuPodLack + noAccess
}

// measure sets usable for each level and returns the sum of free shares.
func (f *Fragmentation) measure(gpus []int32) (free int64) {
	for i, level := range f.levels {
		u := usable{}
		for _, g := range gpus {
			if g >= level {
				u.gpus++
			} else {
				u.lost += int64(g)
			}
		}
		f.usable[i] = u
	}
	for _, g := range gpus {
		free += int64(g)
	}
	return free
}
