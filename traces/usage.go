package traces

import (
	"cmp"
	"slices"

	"github.com/berthsim/berth/cluster"
	"github.com/berthsim/berth/traces/wire"
)

// A Used is what a pod of a workload was seen to use, at a time by the workload's clock:
// when it would have used that if it had started when it came. Pods are numbered as
// package wire does: pod 2k is the k-th that comes, from 0.
type Used struct {
	At cluster.Time
	wire.Usage
}

// Usage returns what the recording says that the pods of Events used under a seed, in order
// of time, and of pods; nothing where it doesn't say. It is read anew by each call, since it
// may take many times the memory of the workload.
func (t *Trace) Usage(seed int64) ([]Used, error) {
	if t.used == nil {
		return nil, nil
	}
	return t.used(seed)
}

// placed tells when pods ran whose arrivals are spread over so many nanoseconds, and how long
// they had waited: of a job's pods the first, as recordings say it of jobs.
func (r *replay) placed(spread float64, add func(at cluster.Time, p wire.Placement)) {
	pods := int64(0)
	for i := range r.batches.count {
		b := r.batches.at(i)
		if r.waits && b.waited >= 0 && !b.more {
			add(r.moved(b.at, spread)+b.waited, wire.Placement{Pod: cluster.PodID(2 * pods), Node: cluster.None, Wait: b.waited})
		}
		pods += b.count()
	}
}

// A use is what the pods of a batch were seen to use at an age.
type use struct {
	name        int64 // of the batch, its number: no other batch has it
	age         cluster.Time
	cpu, memory int64 // milli-CPUs, bytes; wire.Unknown if that isn't known
}

// used returns what pods used whose arrivals are spread over so many nanoseconds.
func (r *replay) used(spread float64) ([]Used, error) {
	if r.uses == nil {
		return nil, nil
	}
	uses, err := r.uses()
	if err != nil {
		return nil, err
	}
	type coming struct {
		at  cluster.Time
		pod cluster.PodID
	}
	come, pods := map[int64]coming{}, int64(0)
	for i := range r.batches.count {
		b := r.batches.at(i)
		come[b.name] = coming{r.moved(b.at, spread), cluster.PodID(2 * pods)}
		pods += b.count()
	}
	used := make([]Used, 0, len(uses))
	for _, u := range uses {
		if c, ok := come[u.name]; ok { // others came outside the span
			used = append(used, Used{c.at + u.age, wire.Usage{Pod: c.pod, CPU: u.cpu, Memory: u.memory}})
		}
	}
	slices.SortStableFunc(used, func(a, b Used) int {
		return cmp.Or(cmp.Compare(a.At, b.At), cmp.Compare(a.Pod, b.Pod))
	})
	return used, nil
}
