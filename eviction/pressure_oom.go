package eviction

// What the kubelet sets oom_score_adj to (pkg/kubelet/qos), from -1000, never to be killed, to 1000.
const (
	KubeletOOMScoreAdj    = -999 // the kubelet's and kube-proxy's own
	guaranteedOOMScoreAdj = -997
	bestEffortOOMScoreAdj = 1000
)

// An OOMContainer is what a container asks for, and what kind it is.
type OOMContainer struct {
	MemoryRequest int64 // bytes
	Init          bool  // an init container
	Sidecar       bool  // an init container that is restarted always; Init is set too
}

// An OOMPod is what the kubelet asks of a pod to set its containers' oom_score_adj.
type OOMPod struct {
	// NodeCritical: its priority class is system-node-critical, and it is critical (see Candidate.Critical).
	NodeCritical bool
	QoS          QoS
	// MemoryRequest is what the pod asks for as a whole (spec.resources), in bytes; 0 if it doesn't.
	MemoryRequest int64
	// Containers are the init containers, in their order, and then the others. There must be one of those.
	Containers []OOMContainer
}

// OOMScoreAdj returns the oom_score_adj of the processes of p's i-th container on a node with so many
// bytes of memory: the more of it a Burstable container asks for, the longer it lives. A container
// that uses all it asked for then has a badness of about 1000 like any other. Divisions round
// towards 0. What a pod asks for beyond what its containers do is spread evenly over them, and a
// sidecar is never killed before the container of its pod that asks for least.
func OOMScoreAdj(p *OOMPod, i int, capacity int64) int {
	switch {
	case p.NodeCritical || p.QoS == Guaranteed:
		return guaranteedOOMScoreAdj
	case p.QoS == BestEffort:
		return bestEffortOOMScoreAdj
	}
	c := &p.Containers[i]
	spread := p.spread()
	adj := 1000 - 1000*(c.MemoryRequest+spread)/capacity
	if c.Sidecar {
		adj = min(adj, 1000-1000*(p.leastRequest()+spread)/capacity)
	}
	switch {
	case adj < 1000+guaranteedOOMScoreAdj: // a Guaranteed pod that uses all memory has a badness of 3
		return 1000 + guaranteedOOMScoreAdj
	case adj == bestEffortOOMScoreAdj:
		return bestEffortOOMScoreAdj - 1
	}
	return int(adj)
}

// spread returns what each container gets of the pod's request that none of them asks for.
func (p *OOMPod) spread() int64 {
	if p.MemoryRequest == 0 {
		return 0
	}
	return (p.MemoryRequest - p.aggregate()) / int64(len(p.Containers))
}

// aggregate returns what containers ask for together: the regular ones and sidecars all run at once,
// and an init container runs along with the sidecars before it.
func (p *OOMPod) aggregate() int64 {
	var regular, sidecars, initial int64
	for i := range p.Containers {
		switch c := &p.Containers[i]; {
		case c.Sidecar:
			sidecars += c.MemoryRequest
			initial = max(initial, sidecars)
		case c.Init:
			initial = max(initial, sidecars+c.MemoryRequest)
		default:
			regular += c.MemoryRequest
		}
	}
	return max(regular+sidecars, initial)
}

// leastRequest returns the least that a regular container asks for.
func (p *OOMPod) leastRequest() int64 {
	least := int64(-1)
	for i := range p.Containers {
		if c := &p.Containers[i]; !c.Init && (least < 0 || c.MemoryRequest < least) {
			least = c.MemoryRequest
		}
	}
	return least
}

// A Process is one that the kernel may kill. A container whose processes share its memory evenly may
// stand for one: since 1.28, kubelets have the kernel kill all processes of a container together where
// cgroups are of version 2 (memory.oom.group; singleProcessOOMKill: false).
type Process struct {
	Pages int64 // resident, swapped out and page tables
	Adj   int   // its oom_score_adj
}

// unkillable is the oom_score_adj that exempts a process.
const unkillable = -1000

// Badness returns the kernel's measure of how much would be won by killing a process, in pages, when
// totalPages have run out: those of the node with its swap, or, if a container exceeds its own limit,
// those of the limit. Ok is false if the process must not be killed. It is oom_badness of Linux 5.9
// and later (mm/oom_kill.c), where adj counts in thousandths of the memory, rounded down to a
// multiple of 1000 pages.
func Badness(p Process, totalPages int64) (pages int64, ok bool) {
	if p.Adj == unkillable {
		return 0, false
	}
	return p.Pages + int64(p.Adj)*(totalPages/1000), true
}

// OOMVictim returns the index of the process that the kernel kills; -1 if there is none. Processes
// are to be in the order of their creation: the kernel goes through all of them, and takes the last
// of equals (oom_evaluate_task in mm/oom_kill.c).
func OOMVictim(processes []Process, totalPages int64) int {
	victim, worst := -1, int64(0)
	for i, p := range processes {
		if badness, ok := Badness(p, totalPages); ok && (victim < 0 || badness >= worst) {
			victim, worst = i, badness
		}
	}
	return victim
}
