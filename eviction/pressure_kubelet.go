package eviction

import (
	"math"

	"github.com/berthsim/berth/cluster"
)

// A KubeletConfig says how the kubelets of a simulated cluster are set up, and what they
// measure.
type KubeletConfig struct {
	Pressure PressureConfig
	Usage    Usage // of memory; what else pods use isn't looked at
	Shutdown ShutdownConfig
}

// Kubelets are those of a simulated cluster in which pods use other amounts of memory than
// they ask for. It implements sim.KubeletPolicy and sim.GracefulShutdown.
//
// A node has the memory that pods may ask for together, and on top what its hard threshold of
// memory.available keeps free: by default the threshold is met as soon as pods use more than
// they could have asked for. What is set aside for the system is taken to be used by it, and
// doesn't show. If pods use more than there is, the kernel kills: at the second from which that
// is so, as far as it could be foreseen at the last look, and at the next one otherwise.
//
// State knows requests, not limits, so pods are Burstable, or BestEffort if they ask for neither
// CPU nor memory; each pod counts as one process.
type Kubelets struct {
	config  KubeletConfig
	periods []ShutdownPeriod
	nodes   []*oneKubelet // by row
	pods    []podUse      // by row

	used       []int64 // what follows is of the look in progress, and reused
	candidates []Candidate
	processes  []Process
	killed     []cluster.PodID
	evicted    []cluster.PodStop
}

// oneKubelet is what is kept of a node.
type oneKubelet struct {
	pressure *Pressure
	next     cluster.Time // when the kubelet looks; before, only the kernel is to be heard of
}

// podUse is what is kept of a pod.
type podUse struct {
	order uint64 // Pods.Order, lest the row is another's by now
	at    func(age cluster.Time) Consumption
	most  int64 // bytes
}

// NewKubelets returns kubelets that are all set up alike. The error says what is wrong with
// the configuration of shutdowns.
func NewKubelets(cfg KubeletConfig) (*Kubelets, error) {
	periods, err := cfg.Shutdown.Periods()
	if err != nil {
		return nil, err
	}
	return &Kubelets{config: cfg, periods: periods}, nil
}

// of returns a node's kubelet.
func (k *Kubelets) of(n cluster.NodeID) *oneKubelet {
	for len(k.nodes) <= int(n) {
		k.nodes = append(k.nodes, &oneKubelet{pressure: NewPressure(k.config.Pressure)})
	}
	return k.nodes[n]
}

// Admit implements sim.KubeletPolicy.
func (k *Kubelets) Admit(s *cluster.State, n cluster.NodeID, p cluster.PodID) (reason string) {
	class := s.Class(p)
	a := Arrival{Critical: isCritical(class), BestEffort: asksForNothing(class)}
	taint := cluster.Taint{Key: cluster.TaintMemoryPressure, Effect: cluster.NoSchedule}
	for i := range class.Tolerations {
		a.Tolerates = a.Tolerates || class.Tolerations[i].Tolerates(&taint)
	}
	_, reason = k.of(n).pressure.Admit(a)
	return reason
}

func isCritical(c *cluster.Class) bool {
	return c.Priority >= SystemCritical || c.Owner.Kind == "Node"
}

func asksForNothing(c *cluster.Class) bool {
	return c.Requests.Get(cluster.CPU) == 0 && c.Requests.Get(cluster.Memory) == 0
}

// Look implements sim.KubeletPolicy: the kernel acts, and, if it is time, the kubelet.
func (k *Kubelets) Look(s *cluster.State, n cluster.NodeID, now cluster.Time, pods []cluster.RunningPod) cluster.KubeletActs {
	node := k.of(n)
	capacity := k.capacity(s, n)
	k.killed, k.evicted = k.killed[:0], k.evicted[:0]
	if capacity == 0 || k.config.Usage == nil {
		return cluster.KubeletActs{Next: cluster.Never}
	}
	total := k.measure(s, now, pods)
	for total > capacity {
		victim := k.victim(s, pods, capacity)
		if victim < 0 {
			break
		}
		total -= k.used[victim]
		k.used[victim] = 0
		k.killed = append(k.killed, pods[victim].Pod)
	}
	looks := now >= node.next
	if looks {
		k.synchronize(s, node, now, pods, capacity, total)
	}
	acts := cluster.KubeletActs{Killed: k.killed, Evicted: k.evicted, Next: node.next}
	if node.pressure.Conditions().Has(MemoryPressure) {
		acts.Conditions[cluster.NodeMemoryPressure] = cluster.ConditionTrue
	} else if looks && len(k.evicted) == 0 && k.suffices(pods, capacity) {
		node.next, acts.Next = 0, cluster.Never
		return acts
	}
	acts.Next = k.runsOut(now, node.next, pods, capacity)
	return acts
}

// synchronize is the kubelet's look, after which node.next is when it looks again.
func (k *Kubelets) synchronize(s *cluster.State, node *oneKubelet, now cluster.Time, pods []cluster.RunningPod, capacity, total int64) {
	k.candidates = k.candidates[:0]
	for i, r := range pods {
		class := s.Class(r.Pod)
		k.candidates = append(k.candidates, Candidate{
			Priority: class.Priority, Static: class.Owner.Kind == "Node",
			Grace:         r.Stop, // its grace period is no shorter, and makes no difference beyond
			MemoryRequest: class.Requests.Get(cluster.Memory), Memory: k.used[i],
		})
	}
	var stats NodeStats
	stats.Set(MemoryAvailable, capacity-total, capacity, now)
	stats.Set(AllocatableMemoryAvailable, capacity-total, capacity, now)
	out := node.pressure.Synchronize(now, &stats, k.candidates, nil)
	node.next = out.Next
	gone := now
	for _, e := range out.Evicted {
		r := &pods[e.Pod]
		grace := max(e.Grace, MinContainerGrace)
		k.evicted = append(k.evicted, cluster.PodStop{Pod: r.Pod, Begin: now, Grace: grace})
		gone = max(gone, min(now+min(r.Stop, grace), r.Ends))
	}
	if len(out.Evicted) > 0 {
		node.next = After(gone, gone)
	}
}

// measure notes what pods use now, and returns the sum.
func (k *Kubelets) measure(s *cluster.State, now cluster.Time, pods []cluster.RunningPod) (total int64) {
	k.used = k.used[:0]
	for i := range pods {
		r := &pods[i]
		for len(k.pods) <= int(r.Pod) {
			k.pods = append(k.pods, podUse{})
		}
		if u := &k.pods[r.Pod]; u.order != s.Pods.Order[r.Pod] || u.at == nil {
			*u = k.learn(s, r.Pod)
		}
		use := k.useOf(r, now)
		k.used = append(k.used, use)
		total += use
	}
	return total
}

// learn asks what a pod will use.
func (k *Kubelets) learn(s *cluster.State, p cluster.PodID) podUse {
	requests := s.Class(p).Requests
	subject := Subject{Name: s.PodName(p), Request: Consumption{Memory: requests.Get(cluster.Memory), Disk: requests.Get(cluster.EphemeralStorage)}}
	u := podUse{order: s.Pods.Order[p], at: k.config.Usage.Usage(subject), most: math.MaxInt64}
	if c, ok := k.config.Usage.(Ceiling); ok {
		u.most = c.Most(subject).Memory
	}
	return u
}

// useOf returns what a pod uses at a time, if nothing becomes of it until then.
func (k *Kubelets) useOf(r *cluster.RunningPod, at cluster.Time) int64 {
	if r.Began == cluster.Never {
		return 0
	}
	return k.pods[r.Pod].at(at - r.Began).Memory
}

// page is what the kernel counts memory in.
const page = 4096

// victim returns the index of the pod that the kernel kills, -1 if none uses anything.
func (k *Kubelets) victim(s *cluster.State, pods []cluster.RunningPod, capacity int64) int {
	k.processes = k.processes[:0]
	for i, r := range pods {
		class := s.Class(r.Pod)
		pod := OOMPod{
			NodeCritical: class.Priority >= SystemCritical+1000, QoS: Burstable,
			Containers: []OOMContainer{{MemoryRequest: class.Requests.Get(cluster.Memory)}},
		}
		if asksForNothing(class) {
			pod.QoS = BestEffort
		}
		process := Process{Pages: k.used[i] / page, Adj: OOMScoreAdj(&pod, 0, capacity)}
		if k.used[i] == 0 {
			process.Adj = unkillable
		}
		k.processes = append(k.processes, process)
	}
	return OOMVictim(k.processes, capacity/page)
}

// capacity returns the bytes that a node's pods can use before the kernel kills; 0 if its
// memory isn't known.
func (k *Kubelets) capacity(s *cluster.State, n cluster.NodeID) int64 {
	allocatable := s.Nodes.Cap[cluster.Memory][n]
	if i := lastThreshold(k.config.Pressure.Thresholds, MemoryAvailable, true); i >= 0 && allocatable > 0 {
		t := &k.config.Pressure.Thresholds[i]
		switch {
		case !t.Relative:
			return addCapped(allocatable, t.Quantity)
		case t.Percentage < 1:
			return int64(float64(allocatable) / (1 - float64(t.Percentage)))
		}
	}
	return allocatable
}

// suffices reports whether no threshold of memory can be met, whatever the pods do.
func (k *Kubelets) suffices(pods []cluster.RunningPod, capacity int64) bool {
	needed := int64(0)
	for i := range k.config.Pressure.Thresholds {
		if t := &k.config.Pressure.Thresholds[i]; t.Condition() == MemoryPressure {
			needed = max(needed, addCapped(t.Of(capacity), t.MinReclaim.Of(capacity)))
		}
	}
	for i := range pods {
		needed = addCapped(needed, k.pods[pods[i].Pod].most)
	}
	return needed <= capacity
}

// runsOut returns the first whole second from now at which these pods use more than there is,
// and next if that isn't earlier.
func (k *Kubelets) runsOut(now, next cluster.Time, pods []cluster.RunningPod, capacity int64) cluster.Time {
	later := func(at cluster.Time) (total int64) {
		for i := range pods {
			total += k.useOf(&pods[i], at)
		}
		return total
	}
	if later(next) <= capacity {
		return next
	}
	for at := now + cluster.Second; at < next; at += cluster.Second {
		if later(at) > capacity {
			return at
		}
	}
	return next
}

// ShutDown implements sim.GracefulShutdown.
func (k *Kubelets) ShutDown(s *cluster.State, _ cluster.NodeID, now cluster.Time, pods []cluster.RunningPod) (stops []cluster.PodStop, off cluster.Time) {
	if len(k.periods) == 0 {
		return nil, now
	}
	all := make([]ShutdownPod, len(pods))
	for i, r := range pods {
		all[i] = ShutdownPod{Priority: s.Class(r.Pod).Priority, Grace: r.Stop, Takes: r.Stop}
		if r.Ends < cluster.Never {
			all[i].Takes = min(r.Stop, max(r.Ends-now, 0))
		}
	}
	begun, off := Shutdown(now, k.periods, all)
	for _, b := range begun {
		stops = append(stops, cluster.PodStop{Pod: pods[b.Pod].Pod, Begin: b.Begin, Grace: max(b.Grace, MinContainerGrace)})
	}
	return stops, off
}
