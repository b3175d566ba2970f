package eviction

import "github.com/berthsim/berth/cluster"

// EvictedReason is the reason in the status of a pod that its kubelet evicted or turned away under pressure.
const EvictedReason = "Evicted"

// HardGrace is what pods get to end when a hard threshold, or their own use of local storage, has
// them evicted: they are asked to end, but not waited for.
const HardGrace = cluster.Second

// MinContainerGrace is what the kubelet gives a container between SIGTERM and SIGKILL in any case,
// whatever the grace period of its pod (pkg/kubelet/kuberuntime, minimumGracePeriodInSeconds).
const MinContainerGrace = 2 * cluster.Second

// A Cause is what a pod was evicted for: the name of a signal, or one of the limits below. They are
// the labels of the kubelet's metric evictions.
type Cause string

// Limits on local storage that pods exceed.
const (
	EmptyDirLimit         Cause = "emptydirfs.limit"
	PodStorageLimit       Cause = "ephemeralpodfs.limit"
	ContainerStorageLimit Cause = "ephemeralcontainerfs.limit"
)

// A Kill is a pod that the kubelet kills. The pod ends as Failed with EvictedReason; budgets don't
// count. The kubelet waits for a pod to be killed, though no longer than KillTimeout, before it goes on.
type Kill struct {
	Pod   int          // index into the pods that Synchronize was given
	Grace cluster.Time // from SIGTERM to SIGKILL, instead of the pod's own; see MinContainerGrace
	Cause Cause
}

// An Outcome is what a kubelet did at one look at its node.
type Outcome struct {
	// Evicted are the pods to be killed, one after the other: at most one, but for pods that exceed
	// limits on local storage. The slice is valid until the next Synchronize.
	Evicted []Kill
	// Starved reports whether a threshold had the kubelet act, and Signal which one. It may have
	// found nobody to evict, or enough in what it deleted.
	Starved bool
	Signal  Signal
	// Next is when the kubelet looks again. If it evicted pods, that depends on when they are gone:
	// Next is 0 then, and After tells.
	Next cluster.Time
}

// A Reclaimer deletes what no pod needs: dead containers, unused images, or both. It returns the
// node's stats thereafter; they are only read.
type Reclaimer interface {
	Reclaim(containers, images bool) *NodeStats
}

// A Pressure is one kubelet's eviction manager: what it remembers between two looks at its node.
// It is driven by Synchronize, and not safe for concurrent use.
type Pressure struct {
	config     PressureConfig
	thresholds []Threshold
	configured int // how many of thresholds there are before the kubelet knows its disks
	begun      bool

	since      []cluster.Time // when each threshold was first met, without a break; notMet if it isn't
	unresolved []bool         // which were met for their grace periods, and not resolved since
	observed   [3]cluster.Time
	conditions Conditions
	last       NodeStats
	urgent     []int
	evicted    []Kill
}

// notMet is before every time.
const notMet = cluster.Time(-1)

// NewPressure returns the state of a kubelet that has just started. It keeps cfg, which must not be
// changed any more.
func NewPressure(cfg PressureConfig) *Pressure {
	if cfg.Rank == nil {
		cfg.Rank = KubeletRank
	}
	p := &Pressure{
		config: cfg, thresholds: cfg.Disks.withContainerFs(cfg.Thresholds), configured: len(cfg.Thresholds),
		observed: [3]cluster.Time{notMet, notMet, notMet},
	}
	p.since = make([]cluster.Time, len(p.thresholds))
	for i := range p.since {
		p.since[i] = notMet
	}
	p.unresolved = make([]bool, len(p.thresholds))
	return p
}

// Conditions returns what the kubelet reports of its node: conditions that it observed less than the
// transition period before its last look. They don't wait for the grace periods of soft thresholds.
func (p *Pressure) Conditions() Conditions { return p.conditions }

// Synchronize is one look at the node at time now: stats is what was measured of it, and pods are those
// that have not ended. It returns whom to evict. A nil reclaimer deletes nothing. Pods are only read,
// and those that were evicted before stay among them until they have ended.
func (p *Pressure) Synchronize(now cluster.Time, stats *NodeStats, pods []Candidate, r Reclaimer) Outcome {
	p.observe(now, stats)
	out := Outcome{Next: now + MonitoringPeriod}
	p.evicted = p.evicted[:0]
	if !p.config.NoStorageLimits {
		for i := range pods {
			if cause := pods[i].overStorageLimit(p.config.Disks); cause != "" && !pods[i].Critical() {
				p.evicted = append(p.evicted, Kill{i, HardGrace, cause})
			}
		}
	}
	if len(p.evicted) == 0 && len(p.urgent) > 0 {
		t := &p.thresholds[p.choose()]
		out.Starved, out.Signal = true, t.Signal
		if !p.reclaim(t.Signal, stats, r) {
			if i := firstEvictable(pods, p.config.Rank(t.Signal, p.config.Disks)); i >= 0 {
				p.evicted = append(p.evicted, Kill{i, p.grace(t, &pods[i]), Cause(t.Signal.String())})
			}
		}
	}
	if len(p.evicted) > 0 {
		out.Evicted, out.Next = p.evicted, 0
	}
	return out
}

// observe takes in what was measured: which thresholds are met, since when, which conditions follow,
// and which thresholds call for action.
func (p *Pressure) observe(now cluster.Time, stats *NodeStats) {
	n := len(p.thresholds)
	if !p.begun {
		n, p.begun = p.configured, true
	}
	p.urgent = p.urgent[:0]
	for i := range p.thresholds[:n] {
		t := &p.thresholds[i]
		o := &stats[t.Signal]
		if !t.met(o, false) && !(p.unresolved[i] && t.met(o, true)) {
			p.since[i], p.unresolved[i] = notMet, false
			continue
		}
		if p.since[i] == notMet {
			p.since[i] = now
		}
		for c := range p.observed {
			if t.Condition().Has(1 << c) {
				p.observed[c] = now
			}
		}
		p.unresolved[i] = now-p.since[i] >= t.Grace
		if before := &p.last[t.Signal]; p.unresolved[i] && (!before.Known || o.At == 0 || o.At > before.At) {
			p.urgent = append(p.urgent, i)
		}
	}
	p.conditions = 0
	for c, at := range p.observed {
		if at != notMet && now-at < p.config.TransitionPeriod {
			p.conditions |= 1 << c
		}
	}
	p.last = *stats
}

// choose returns the threshold to act on: one of memory if there is any, since the kernel kills
// when memory has run out, and only fails calls when disks are full.
func (p *Pressure) choose() int {
	memory := 0
	for i, t := range p.urgent {
		if p.thresholds[t].Condition() == MemoryPressure {
			p.urgent[i], p.urgent[memory] = p.urgent[memory], p.urgent[i]
			memory++
		}
	}
	n := memory
	if n == 0 {
		n = len(p.urgent)
	}
	if n > 1 && p.config.Tie != nil {
		return p.urgent[p.config.Tie(n)]
	}
	return p.urgent[0]
}

// reclaim deletes what no pod needs, and reports whether that has resolved all thresholds: also those
// of other signals, soft ones that are in their grace periods, and minimum reclaims of thresholds that
// never were met.
func (p *Pressure) reclaim(s Signal, stats *NodeStats, r Reclaimer) bool {
	containers, images := p.config.Disks.reclaims(s)
	if !containers && !images {
		return false
	}
	if r != nil {
		stats = r.Reclaim(containers, images)
	}
	for i := range p.thresholds {
		t := &p.thresholds[i]
		if t.met(&stats[t.Signal], true) {
			return false
		}
	}
	return true
}

// grace returns what a pod gets to end if a threshold has it evicted.
func (p *Pressure) grace(t *Threshold, pod *Candidate) cluster.Time {
	if t.Hard() {
		return HardGrace
	}
	return min(p.config.MaxPodGrace, pod.Grace)
}

// KillTimeout returns how long the kubelet waits for a pod to be killed that it gave so much grace:
// half as long again, and 10 s at least. It counts in whole seconds.
func KillTimeout(grace cluster.Time) cluster.Time {
	seconds := grace / cluster.Second
	return max(seconds+seconds/2, 10) * cluster.Second
}

// After returns when the kubelet looks at its node again after evictions: the last pod was killed, or
// given up, at killed, and what they held was gone at gone, Never if it isn't known to go. The kubelet
// asks every second, and doesn't wait longer than 30.
func After(killed, gone cluster.Time) cluster.Time {
	const poll, most = cluster.Second, 30 * cluster.Second
	if gone >= killed+most {
		return killed + most
	}
	polls := max(1, (gone-killed+poll-1)/poll)
	return killed + polls*poll
}
