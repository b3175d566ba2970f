package traces

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"github.com/berthsim/berth/cluster"
	"github.com/berthsim/berth/cluster/faults"
	"github.com/berthsim/berth/traces/wire"
)

// A replay makes a workload of a recording that says of every pod when it came
// and how long it ran. The first comes at time 0, when all nodes are there.
type replay struct {
	nodes   []*cluster.NodeSpec
	batches list[batch]      // in order of arrival, once cut is done
	classes []*cluster.Class // by the numbers that batches have; equal ones are one
	names   batchNames

	labels func(name int64) cluster.Labels // of pods, by their batch's name; nil if they have none

	uses  func() ([]use, error) // what batches of one pod used; nil if nobody knows
	waits bool                  // whether batches know how long they waited

	machines *Machines // that say, by the recording's clock, when nodes weren't there; nil if nobody knows
}

// Options of formats that are replayed.
var (
	fromOption = Option{"from", "0s", "how far into the recording, from the first that was submitted, the run begins"}
	forOption  = Option{"for", "", "how much of the recording is played: what is submitted in that time; all if left out"}
	loadOption = Option{"load", "", "arrivals are moved closer, or apart, until the mean demand is this share of capacity: as recorded if left out"}
)

// A span is a part of a recording: from how far into it until before when.
type span struct{ from, until cluster.Time }

// span returns the values of the options from and for.
func (s Settings) span() (span, error) {
	from, err := faults.ParseDuration(s["from"])
	if err != nil {
		return span{}, s.wrong("from", "give a duration such as 30d")
	}
	if s["for"] == "" {
		return span{from, cluster.Never}, nil
	}
	length, err := faults.ParseDuration(s["for"])
	if err != nil || length == 0 || length > cluster.Never-1-from {
		return span{}, s.wrong("for", "give a duration above 0, such as 7d")
	}
	return span{from, from + length}, nil
}

// String writes the span down for a hash.
func (p span) String() string { return fmt.Sprintf("from=%d&until=%d", p.from, p.until) }

// cut puts the batches in order of arrival and leaves those that came in a span,
// which begins with the first of all. It returns how many rows others are of.
func (r *replay) cut(p span) (others int) {
	r.batches = sorted(r.batches)
	if r.batches.count == 0 || p.from == 0 && p.until == cluster.Never {
		return 0
	}
	start := r.batches.at(0).at
	var kept list[batch]
	for i := range r.batches.count {
		b := r.batches.at(i)
		if since := b.at - start; since >= p.from && since < p.until {
			kept.add(*b)
		} else if !b.more {
			others++
		}
	}
	r.batches = kept
	return others
}

// sorted returns batches in order of arrival, those that came together as they are. Most
// recordings are sorted. In others it is what says where batches go that is sorted, as
// batches are large.
func sorted(batches list[batch]) list[batch] {
	type place struct {
		at cluster.Time
		i  int
	}
	last, inOrder := cluster.Time(math.MinInt64), true
	for i := range batches.count {
		at := batches.at(i).at
		inOrder = inOrder && at >= last
		last = at
	}
	if inOrder {
		return batches
	}
	places := make([]place, batches.count)
	for i := range places {
		places[i] = place{batches.at(i).at, i}
	}
	slices.SortFunc(places, func(a, b place) int { return cmp.Or(cmp.Compare(a.at, b.at), cmp.Compare(a.i, b.i)) })
	var moved list[batch]
	for _, p := range places {
		moved.add(*batches.at(p.i))
	}
	return moved
}

// play makes t the replay of r, which was read from a file, and returns what
// tells it from others with the same content.
func (t *Trace) play(r *replay, s Settings, file string) (options string, err error) {
	load, err := s.load(0)
	if err != nil {
		return "", err
	}
	if r.batches.count == 0 {
		return "", &Error{File: file, Problem: "nothing was submitted in the time that is played", Remedy: "leave from and for out, or give a recording with at least one job"}
	}
	window := r.window()
	if window == 0 {
		return "", &Error{File: file, Problem: "all pods come at the same time, so there is no load", Remedy: "give a longer part of the recording with from and for"}
	}
	t.Nodes, t.GPUs, t.Mix, t.Timed = len(r.nodes), gpusOf(r.nodes), r.mix(), true
	t.Pods = 0
	for _, share := range t.Mix {
		t.Pods += int(share.Pods)
	}
	demand, capacity := r.demand(t.GPUs > 0)
	t.OfferedLoad = demand / capacity / window.Seconds()
	spread := 0.0
	if load > 0 {
		if spread, err = spreadFor(demand/capacity, load, file); err != nil {
			return "", err
		}
		t.OfferedLoad = load
	}
	t.events = func(int64) Stream { return &workload{nodes: r.nodes, next: r.arrivals(spread)} }
	if r.uses != nil {
		t.used = func(int64) ([]Used, error) { return r.used(spread) }
	}
	if r.machines != nil && spread == 0 { // moved arrivals have nothing to do with when nodes failed
		start := r.batches.at(0).at
		t.struck = func(add func(cluster.Time, *wire.Fault)) { r.machines.struck(r.nodes, start, add) }
	}
	if r.waits {
		t.placed = func(_ int64, add func(cluster.Time, wire.Placement)) { r.placed(spread, add) }
	}
	return "load=" + formatNumber(load), nil
}

// spreadFor returns over how many nanoseconds arrivals must be spread for a demand,
// in seconds of the whole capacity, to be the load asked for.
func spreadFor(demand, load float64, file string) (float64, error) {
	spread := float64(demand / load * float64(cluster.Second))
	if spread == 0 {
		return 0, &Error{File: file, Problem: "no pod uses anything for any time, so there is no load to change", Remedy: "leave load out"}
	}
	if spread > longestWindow {
		return 0, &Error{
			Problem: fmt.Sprintf("load %s spreads arrivals over more than a century", formatNumber(load)),
			Remedy:  "give a higher load",
		}
	}
	return spread, nil
}

// window returns the time from first to last arrival.
func (r *replay) window() cluster.Time {
	return r.batches.at(r.batches.count-1).at - r.batches.at(0).at
}

// mix counts the pods of each class, in order of first appearance.
func (r *replay) mix() cluster.Mix {
	var mix cluster.Mix
	at := make([]int32, len(r.classes)) // in mix, from 1
	for i := range r.batches.count {
		b := r.batches.at(i)
		if at[b.class] == 0 {
			mix = append(mix, cluster.MixShare{Class: r.class(b)})
			at[b.class] = int32(len(mix))
		}
		mix[at[b.class]-1].Pods += b.count()
	}
	return mix
}

// demand sums what all pods use, in share-seconds of GPUs, or milli-CPU-seconds in
// a recording without; and what all nodes have, in shares or milli-CPUs.
func (r *replay) demand(ofGPUs bool) (demand, capacity float64) {
	for _, n := range r.nodes {
		if ofGPUs {
			capacity += float64(n.GPUs * cluster.WholeGPU)
		} else {
			capacity += float64(n.Capacity.Get(cluster.CPU))
		}
	}
	for i := range r.batches.count {
		b := r.batches.at(i)
		each := r.class(b).Requests.Get(cluster.CPU)
		if ofGPUs {
			each = r.class(b).GPUs.Total()
		}
		demand += float64(float64(each) * float64(b.count()) * b.run.Seconds())
	}
	return demand, capacity
}

// arrivals returns the pods one after another. They are spread over so many
// nanoseconds; 0 leaves them as they were.
func (r *replay) arrivals(spread float64) func() (arrival, bool) {
	i, of := 0, int32(0)
	return func() (arrival, bool) {
		if i == r.batches.count {
			return arrival{}, false
		}
		b := r.batches.at(i)
		a := arrival{at: r.moved(b.at, spread), pod: r.spec(b, of)}
		if of++; int64(of) >= b.count() {
			i, of = i+1, 0
		}
		return a, true
	}
}

// moved returns when what came at a time of the recording's clock comes, if arrivals are
// spread over so many nanoseconds; 0 leaves them as they were.
func (r *replay) moved(at cluster.Time, spread float64) cluster.Time {
	since := at - r.batches.at(0).at
	if spread > 0 {
		return cluster.Time(math.Round(float64(float64(since) / float64(r.window()) * spread)))
	}
	return since
}
