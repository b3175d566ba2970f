package traces

import (
	"fmt"
	"slices"

	"github.com/berthsim/berth/cluster"
	"github.com/berthsim/berth/traces/wire"
)

// An openbReplay makes the workload that was recorded: pods come when they were
// created and run, once they have a node, as long as they did. The first comes
// at time 0, when all nodes are there.
type openbReplay struct {
	nodes  []*cluster.NodeSpec // in the order of the file
	pods   []openbPod          // by time of creation, then in the order of the file
	runs   openbRuns
	gpus   int64   // capacity, in shares
	window int64   // seconds from first to last arrival
	load   float64 // 0 to leave arrivals as they are
}

// longestWindow bounds the time over which arrivals may be spread: 146 years.
const longestWindow = float64(1 << 62) // ns

// timeOpenb makes t a replay of rec, and returns what tells it from others.
func (t *Trace) timeOpenb(rec *openbRecording, podFile string, s Settings) (options string, err error) {
	p := &openbReplay{nodes: rec.nodes, pods: slices.Clone(rec.pods), gpus: rec.gpus}
	if p.load, err = s.load(0); err != nil {
		return "", err
	}
	slices.SortStableFunc(p.pods, func(a, b openbPod) int { return int(min(max(a.created-b.created, -1), 1)) })
	p.runs = runsOf(p.pods)
	p.window = p.pods[len(p.pods)-1].created - p.pods[0].created
	if err := p.check(podFile); err != nil {
		return "", err
	}
	t.OfferedLoad, t.Timed, t.events, t.placed = p.load, true, p.events, p.placed
	for i := range p.pods {
		if q := &p.pods[i]; q.ran >= 0 {
			t.Waits = append(t.Waits, cluster.Time(q.waited)*cluster.Second)
		}
	}
	t.Seeded = slices.ContainsFunc(p.pods, func(q openbPod) bool { return q.ran < 0 })
	if p.load == 0 {
		offered := p.demand(func(q *openbPod) float64 { return p.runs.like(q).mean() })
		t.OfferedLoad = offered / float64(p.gpus) / float64(p.window)
	}
	return "mode=time&load=" + formatNumber(p.load), nil
}

// check returns an error if p can't be played.
func (p *openbReplay) check(podFile string) error {
	if len(p.runs.all.seconds) == 0 {
		return &Error{File: podFile, Problem: "no pod was ever scheduled, so no run time is known", Remedy: "give mode=fill"}
	}
	if p.window == 0 {
		return &Error{File: podFile, Problem: "all pods are created at the same time", Remedy: "give mode=fill"}
	}
	if p.load == 0 {
		return nil
	}
	if p.demand(func(*openbPod) float64 { return 0 }) == 0 {
		return &Error{File: podFile, Problem: "no pod uses a GPU for any time, so there is no load to change", Remedy: "leave load out"}
	}
	longest := p.demand(func(q *openbPod) float64 { return float64(p.runs.like(q).longest) })
	if p.windowFor(longest) > longestWindow {
		return &Error{
			Problem: fmt.Sprintf("load %s spreads arrivals over more than a century", formatNumber(p.load)),
			Remedy:  "give a higher load",
		}
	}
	return nil
}

// demand sums what all pods use of GPUs, in share-seconds. How long pods run
// that were never scheduled, unknown says.
func (p *openbReplay) demand(unknown func(*openbPod) float64) float64 {
	sum := 0.0
	for i := range p.pods {
		q := &p.pods[i]
		ran := float64(q.ran)
		if q.ran < 0 {
			ran = unknown(q)
		}
		sum += float64(float64(q.spec.Class.GPUs.Total()) * ran)
	}
	return sum
}

// windowFor returns over how many nanoseconds arrivals must be spread for a
// demand, in share-seconds, to be the load asked for.
func (p *openbReplay) windowFor(demand float64) float64 {
	return float64(demand / float64(p.gpus) / p.load * float64(cluster.Second))
}

// events returns the recording under a seed.
func (p *openbReplay) events(seed int64) Stream {
	window := p.spread(seed)
	i := 0
	return &workload{nodes: p.nodes, next: func() (arrival, bool) {
		if i == len(p.pods) {
			return arrival{}, false
		}
		q := &p.pods[i]
		i++
		pod := &q.spec
		if q.ran < 0 {
			drawn := q.spec
			drawn.Run = cluster.Time(p.runs.draw(seed, q)) * cluster.Second
			pod = &drawn
		}
		return arrival{at: p.at(q, window), pod: pod}, true
	}}
}

// spread returns over how many nanoseconds arrivals are spread under a seed; 0 if they stay.
func (p *openbReplay) spread(seed int64) float64 {
	if p.load == 0 {
		return 0
	}
	// Each seed has the same load, rather than the same times of arrival:
	// run times spread so widely that the drawn ones change the demand.
	return p.windowFor(p.demand(func(q *openbPod) float64 { return float64(p.runs.draw(seed, q)) }))
}

// placed tells when pods had waited as long as was recorded.
func (p *openbReplay) placed(seed int64, add func(at cluster.Time, placed wire.Placement)) {
	window := p.spread(seed)
	for i := range p.pods {
		if q := &p.pods[i]; q.ran >= 0 && q.waited >= 0 {
			wait := cluster.Time(q.waited) * cluster.Second
			add(p.at(q, window)+wait, wire.Placement{Pod: cluster.PodID(2 * i), Node: cluster.None, Wait: wait})
		}
	}
}

// at returns when q comes if arrivals are spread over a window of so many
// nanoseconds; 0 leaves them as they were.
func (p *openbReplay) at(q *openbPod, window float64) cluster.Time {
	since := q.created - p.pods[0].created
	if window == 0 {
		return cluster.Time(since) * cluster.Second
	}
	return cluster.Time(float64(since) / float64(p.window) * window)
}

// openbRuns are the recorded run times, from which those are drawn that were not
// recorded.
type openbRuns struct {
	all    *openbPool
	byGPUs map[openbGPUs]*openbPool
}

// openbGPUs is what pods must have in common for one's run time to do for the
// other's.
type openbGPUs struct{ count, shares int32 }

// An openbPool holds run times, in seconds, in the order in which pods come.
type openbPool struct {
	seconds []int64
	sum     float64
	longest int64
}

// runsOf collects the run times of pods.
func runsOf(pods []openbPod) openbRuns {
	runs := openbRuns{all: &openbPool{}, byGPUs: map[openbGPUs]*openbPool{}}
	for i := range pods {
		if pods[i].ran < 0 {
			continue
		}
		gpus := openbGPUsOf(&pods[i])
		if runs.byGPUs[gpus] == nil {
			runs.byGPUs[gpus] = &openbPool{}
		}
		runs.byGPUs[gpus].add(pods[i].ran)
		runs.all.add(pods[i].ran)
	}
	return runs
}

func openbGPUsOf(q *openbPod) openbGPUs {
	gpus := &q.spec.Class.GPUs
	return openbGPUs{gpus.Count, gpus.Shares}
}

// like returns the run times of pods that ask for the same GPUs as q, or of all
// pods if there are none.
func (runs openbRuns) like(q *openbPod) *openbPool {
	if pool, ok := runs.byGPUs[openbGPUsOf(q)]; ok {
		return pool
	}
	return runs.all
}

// draw returns how many seconds q runs under a seed.
func (runs openbRuns) draw(seed int64, q *openbPod) int64 {
	pool := runs.like(q)
	return pool.seconds[cluster.NewDraw(seed, "openb run time", q.spec.Name).Below(len(pool.seconds))]
}

func (pool *openbPool) add(seconds int64) {
	pool.seconds = append(pool.seconds, seconds)
	pool.sum += float64(seconds)
	pool.longest = max(pool.longest, seconds)
}

// mean returns the mean run time, in seconds.
func (pool *openbPool) mean() float64 { return pool.sum / float64(len(pool.seconds)) }
