package bench

import (
	"slices"

	"github.com/berthsim/berth/cluster"
	"github.com/berthsim/berth/cluster/sim"
	"gonum.org/v1/gonum/stat"
)

// stormMetrics are those of runs with faults or eviction.
var stormMetrics = []Metric{
	{Name: "nodes_tainted", Doc: "nodes tainted NoExecute"},
	{Name: "evictions", Doc: "pods evicted"},
	{Name: "evictions_needed", Doc: "of pods whose containers had died with their node"},
	{Name: "evictions_needless", Doc: "of pods whose containers ran"},
	{Name: "evictions_by_kubelets", Doc: "pods evicted by kubelets under memory pressure; not among evictions"},
	{Name: "pod_minutes_lost", Unit: "min", Doc: "pods on nodes that were down, or waiting to go on elsewhere, over time"},
	{Name: "detect_mean", Unit: "s", Doc: "from a node's silence to Unknown, mean"},
	{Name: "detect_p99", Unit: "s", Doc: "the same, 99th percentile"},
	{Name: "recover_mean", Unit: "s", Doc: "from a node's silence to its evicted pods running elsewhere, mean over pods"},
	{Name: "recover_p99", Unit: "s", Doc: "the same, 99th percentile"},
	{Name: "pending_peak", Doc: "most pods without a node at a time"},
	{Name: "budget_violations", Doc: "evictions that a disruption budget did not allow"},
}

// A stormMeasure is a Recorder that takes those.
type stormMeasure struct {
	c     *sim.Cluster
	nodes []stormNode             // by row
	pods  []stormPod              // by row
	since map[string]cluster.Time // when the nodes of evicted pods fell silent, by the pods' names

	at   cluster.Time
	idle int64   // pods that should run and don't
	lost float64 // minutes of those

	tainted, needed, needless, violations, pressed int
	detect, recover                                []float64 // seconds

	now    [lines]int // what is drawn over time
	peak   int        // of pods that are pending
	series series[[lines]int]
}

// A stormNode is what counts of a node.
type stormNode struct {
	silent cluster.Time // since when, Never if it is heard of
	ready  bool
	idle   int64 // pods on it that don't run
}

// A stormPod is what counts of a pod.
type stormPod struct {
	bound, told bool
	decided     bool         // by a controller, that it is to go
	waits       bool         // in the place of one that was evicted
	lost        cluster.Time // when that one's node fell silent
}

func newStormMeasure(c *sim.Cluster) *stormMeasure {
	return &stormMeasure{c: c, since: map[string]cluster.Time{}}
}

// Record implements cluster.Recorder. It returns no error.
func (m *stormMeasure) Record(s *cluster.State, events []cluster.Event, ds []cluster.Decision) error {
	m.lost += float64(float64(m.idle) * (s.Now - m.at).Seconds() / 60)
	m.series.until(s.Now, m.now)
	m.at = s.Now
	for i := range events {
		m.event(s, &events[i])
	}
	for i := range ds {
		m.decision(s, &ds[i])
	}
	m.now[linePending] = s.Pending()
	m.peak = max(m.peak, s.Pending())
	return nil
}

func (m *stormMeasure) event(s *cluster.State, e *cluster.Event) {
	switch e.Kind {
	case cluster.NodeAdded:
		for len(m.nodes) <= int(e.Node) {
			m.nodes = append(m.nodes, stormNode{silent: cluster.Never})
		}
		m.setReady(s, e.Node)
	case cluster.NodeHeard:
		n := &m.nodes[e.Node]
		switch silent := e.Health.Lease.Until <= s.Now; {
		case !silent:
			n.silent = cluster.Never
		case n.silent == cluster.Never:
			n.silent = s.Now
		}
		m.setReady(s, e.Node)
		m.refresh(s, e.Node)
	case cluster.PodAdded, cluster.PodBound, cluster.PodTold, cluster.PodEnded:
		m.pod(s, e)
		if e.Node != cluster.None {
			m.refresh(s, e.Node)
		}
	}
}

// pod follows a pod's life.
func (m *stormMeasure) pod(s *cluster.State, e *cluster.Event) {
	for len(m.pods) <= int(e.Pod) {
		m.pods = append(m.pods, stormPod{})
	}
	p := &m.pods[e.Pod]
	switch e.Kind {
	case cluster.PodAdded:
		*p = stormPod{}
		key := cluster.Key(e.PodSpec.Class.Namespace, e.PodSpec.Continues)
		if lost, ok := m.since[key]; ok {
			delete(m.since, key)
			p.waits, p.lost = true, lost
			m.idle++
		}
	case cluster.PodBound:
		p.bound = true
		m.now[lineRunning]++
		if p.waits {
			p.waits = false
			m.idle--
			m.recover = append(m.recover, (s.Now - p.lost).Seconds())
		}
	case cluster.PodTold:
		p.told = true
		if !p.decided {
			m.pressed++
			m.since[s.PodName(e.Pod)] = s.Now
		}
		m.now[lineRunning]--
		m.now[lineTerminating]++
	case cluster.PodEnded:
		switch {
		case p.told:
			m.now[lineTerminating]--
		case p.bound:
			m.now[lineRunning]--
		case p.waits:
			m.idle--
		}
	}
}

func (m *stormMeasure) decision(s *cluster.State, d *cluster.Decision) {
	switch d.Kind {
	case cluster.Preempt:
		m.pods[d.Pod].decided = true
	case cluster.SetConditions:
		m.setReady(s, d.Node)
		if silent := m.nodes[d.Node].silent; silent != cluster.Never {
			m.detect = append(m.detect, (s.Now - silent).Seconds())
		}
	case cluster.AddTaint:
		if d.Detail.(cluster.Taint).Effect == cluster.NoExecute {
			m.tainted++
		}
	case cluster.Evict:
		m.evicted(s, d)
	}
}

// evicted counts an eviction.
func (m *stormMeasure) evicted(s *cluster.State, d *cluster.Decision) {
	if m.c.Down(d.Node) {
		m.needed++
	} else {
		m.needless++
	}
	m.pods[d.Pod].decided = true
	m.now[lineEvictions]++
	m.since[s.PodName(d.Pod)] = min(m.nodes[d.Node].silent, s.Now)
	for b := range s.Budgets.All() {
		if b.Allowed <= 0 && b.Namespace == s.Class(d.Pod).Namespace && b.Selector.Matches(s.Pods.Labels[d.Pod]) {
			m.violations++
			break
		}
	}
}

// setReady brings the number of ready nodes up to date.
func (m *stormMeasure) setReady(s *cluster.State, row cluster.NodeID) {
	n := &m.nodes[row]
	if n.ready {
		m.now[lineReady]--
	}
	n.ready = s.Nodes.Health[row].Conditions[cluster.NodeReady] == cluster.ConditionTrue
	if n.ready {
		m.now[lineReady]++
	}
}

// refresh counts the pods on a node that don't run, because it is down. Those that have been
// told to end are not to run any more.
func (m *stormMeasure) refresh(s *cluster.State, row cluster.NodeID) {
	n := &m.nodes[row]
	idle := int64(0)
	if m.c.Down(row) {
		for p := range s.PodsOn(row) {
			if s.Pods.Phase[p] == cluster.Bound {
				idle++
			}
		}
	}
	m.idle += idle - n.idle
	n.idle = idle
}

// metrics adds the run's metrics to out.
func (m *stormMeasure) metrics(out map[string]float64) {
	out["nodes_tainted"] = float64(m.tainted)
	out["evictions"] = float64(m.needed + m.needless)
	out["evictions_needed"] = float64(m.needed)
	out["evictions_needless"] = float64(m.needless)
	out["evictions_by_kubelets"] = float64(m.pressed)
	out["pod_minutes_lost"] = m.lost
	out["pending_peak"] = float64(m.peak)
	out["budget_violations"] = float64(m.violations)
	for name, times := range map[string][]float64{"detect": m.detect, "recover": m.recover} {
		if len(times) == 0 {
			continue
		}
		slices.Sort(times)
		sum := 0.0
		for _, t := range times {
			sum += t
		}
		out[name+"_mean"] = sum / float64(len(times))
		out[name+"_p99"] = stat.Quantile(0.99, stat.Empirical, times, nil)
	}
}
