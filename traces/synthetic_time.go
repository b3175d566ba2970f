package traces

import (
	"fmt"

	"github.com/berthsim/berth/cluster"
	"github.com/berthsim/berth/internal/chance"
)

// Bounds of the number of pods. With fewer, it might be that none asks for a
// GPU, and there is no load.
const (
	minSyntheticPods = 100
	maxSyntheticPods = 10_000_000
)

// longestSyntheticWindow bounds the expected time from first to last arrival, in
// seconds: ten years. It leaves room for workloads that turn out longer than
// expected, since run times vary so much.
const longestSyntheticWindow = 10 * 365 * 86400.0

// timeSynthetic makes t a workload of pods that come and end.
func (t *Trace) timeSynthetic(g *generator, s Settings) (err error) {
	g.count = 5000
	if _, given := s["pods"]; given {
		if g.count, err = s.integer("pods", minSyntheticPods, maxSyntheticPods); err != nil {
			return err
		}
	}
	if g.load, err = s.load(0.9); err != nil {
		return err
	}
	expected := float64(float64(g.count) * g.mix.meanShares * syntheticRunTimes.Mean())
	if g.windowFor(expected) > longestSyntheticWindow {
		return &Error{
			Problem: fmt.Sprintf("%d pods at load %s come over more than ten years", g.count, formatNumber(g.load)),
			Remedy:  "give a higher load, fewer pods or more nodes",
		}
	}
	t.Pods, t.Timed, t.events = g.count, true, g.timed
	return nil
}

// windowFor returns over how many seconds arrivals must be spread for a demand,
// in share-seconds, to be the load asked for.
func (g *generator) windowFor(demand float64) float64 { return demand / float64(g.gpus) / g.load }

// timed returns a Poisson process of arrivals, scaled so that under every seed
// the pods' demand is the load asked for: given how many arrivals there are and
// when the first and the last is, the process is the same at any rate.
func (g *generator) timed(seed int64) Stream {
	gaps, demand := 0.0, 0.0 // between all arrivals, in mean gaps; in share-seconds
	for i := range g.count {
		pod := g.timedPod(seed, i)
		demand += float64(float64(pod.Class.GPUs.Total()) * pod.Run.Seconds())
		if i > 0 {
			gaps += gap(seed, pod.Name)
		}
	}
	window := min(float64(g.windowFor(demand)*float64(cluster.Second)), longestWindow)
	i, since := 0, 0.0
	return &workload{nodes: g.ordered(seed), next: func() (arrival, bool) {
		if i == g.count {
			return arrival{}, false
		}
		pod := g.timedPod(seed, i)
		if i > 0 {
			since += gap(seed, pod.Name)
		}
		i++
		return arrival{at: cluster.Time(since / gaps * window), pod: pod}, true
	}}
}

// gap returns the time between a pod's arrival and the one before, in mean gaps.
func gap(seed int64, name string) float64 {
	return chance.Exponential(1).Draw(cluster.NewDraw(seed, "synthetic arrival", name))
}

// timedPod returns the i-th pod under a seed, with its run time: whole
// milliseconds, and at least one.
func (g *generator) timedPod(seed int64, i int) *cluster.PodSpec {
	pod := g.pod(seed, i)
	seconds := min(syntheticRunTimes.Draw(cluster.NewDraw(seed, "synthetic run time", pod.Name)), longestSyntheticRun)
	pod.Run = max(1, cluster.Time(float64(seconds*1000))) * cluster.Millisecond
	return pod
}
