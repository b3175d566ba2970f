package eviction

import (
	"fmt"
	"math"

	"github.com/berthsim/berth/cluster"
)

// An Arrival is what the kubelet asks of a pod that was bound to its node while that is under
// pressure.
type Arrival struct {
	Critical   bool // see Candidate.Critical
	BestEffort bool // its QoS class: no container asks for, or is limited in, CPU or memory
	Tolerates  bool // it tolerates the taint node.kubernetes.io/memory-pressure:NoSchedule
}

// Admit reports whether the kubelet lets a pod in, and if not, with which message it fails; the
// reason is EvictedReason. Critical pods are always let in. Under pressure of memory alone, so are pods that
// are not of QoS class BestEffort and those that tolerate the condition's taint. Whatever the
// scheduler thinks, disks and process numbers that run out let nobody else in.
func (p *Pressure) Admit(a Arrival) (ok bool, message string) {
	switch {
	case p.conditions == 0, a.Critical:
		return true, ""
	case p.conditions == MemoryPressure && (!a.BestEffort || a.Tolerates):
		return true, ""
	}
	return false, fmt.Sprintf("The node had condition: %v. ", p.conditions)
}

// A QoS is a pod's quality-of-service class. Its order is that in which the kubelet would rather lose
// pods.
type QoS uint8

// The classes.
const (
	BestEffort QoS = iota
	Burstable
	Guaranteed
)

// A Tenant is what the kubelet asks of a pod that may have to make room for a critical one, or is it.
type Tenant struct {
	Priority int32
	Static   bool // a static or mirror pod
	QoS      QoS
	Requests cluster.Amounts // its PodSlots don't matter: a pod is one pod
}

func (t *Tenant) critical() bool { return t.Static || t.Priority >= SystemCritical }

// request returns what a pod frees of a resource when it goes.
func (t *Tenant) request(r cluster.Resource) int64 {
	if r == cluster.PodSlots {
		return 1
	}
	return t.Requests.Get(r)
}

// A Shortage is how much of a resource is missing for a pod to fit a node, in the resource's unit.
type Shortage struct {
	Resource cluster.Resource
	Amount   int64
}

// MakeRoom is the kubelet's own preemption (pkg/kubelet/preemption). A critical pod that a kubelet
// must let in, and that fails for lack of resources only, takes the room of others: MakeRoom returns
// their indexes in the order in which they are killed, with their own grace periods. It may take
// from pods that are not critical and from those of lower priority. It spares Guaranteed pods as far
// as Burstable ones suffice, and those as far as BestEffort ones do, which matters for shortages of
// pods; within a class it takes, time and again, the pod that leaves least of the shortages. Ok is
// false if the pod is not critical or there is not enough to be taken; nobody is killed then.
//
// The pods are to be in the order in which the kubelet has them, which is that of a Go map: it
// decides between equals.
func MakeRoom(pod *Tenant, pods []Tenant, lack []Shortage) (victims []int, ok bool) {
	if !pod.critical() {
		return nil, false
	}
	var byClass [3][]int
	for i := range pods {
		if p := &pods[i]; !p.critical() || pod.Priority > p.Priority {
			byClass[p.QoS] = append(byClass[p.QoS], i)
		}
	}
	bestEffort, burstable, guaranteed := byClass[BestEffort], byClass[Burstable], byClass[Guaranteed]
	r := room{pods}
	if len(r.without(lack, bestEffort, burstable, guaranteed)) > 0 {
		return nil, false
	}
	guaranteed = r.nearest(guaranteed, r.without(lack, bestEffort, burstable))
	burstable = r.nearest(burstable, r.without(lack, bestEffort, guaranteed))
	bestEffort = r.nearest(bestEffort, r.without(lack, burstable, guaranteed))
	return append(append(bestEffort, burstable...), guaranteed...), true
}

// A room is what pods of a node hold.
type room struct{ pods []Tenant }

// without returns what of the shortages remains when the pods of some groups go.
func (r room) without(lack []Shortage, groups ...[]int) (left []Shortage) {
	for _, s := range lack {
		for _, group := range groups {
			for _, i := range group {
				s.Amount -= r.pods[i].request(s.Resource)
			}
		}
		if s.Amount > 0 {
			left = append(left, s)
		}
	}
	return left
}

// nearest picks pods until nothing is lacking. Their number is to be kept low, so each time it takes
// the one that leaves least; of those that leave as little, the one that asks for least memory, then
// CPU, then the last. There must be enough of them.
func (r room) nearest(candidates []int, lack []Shortage) (picked []int) {
	candidates = append([]int(nil), candidates...)
	for len(lack) > 0 {
		best, least := 0, math.Inf(1)
		for at, i := range candidates {
			d := r.distance(i, lack)
			if d < least || d == least && r.asksNoMore(i, candidates[best]) {
				best, least = at, d
			}
		}
		picked = append(picked, candidates[best])
		lack = r.without(lack, candidates[best:best+1])
		candidates[best] = candidates[len(candidates)-1]
		candidates = candidates[:len(candidates)-1]
	}
	return picked
}

// distance returns how far a pod's end leaves one from what is lacking: the sum of the squares of the
// shares of each shortage that remain.
func (r room) distance(i int, lack []Shortage) (sum float64) {
	for _, s := range lack {
		if left := float64(s.Amount - r.pods[i].request(s.Resource)); left > 0 {
			sum += math.Pow(left/float64(s.Amount), 2)
		}
	}
	return sum
}

// asksNoMore reports whether pod i asks for less memory than pod j, or as much, and no more CPU.
func (r room) asksNoMore(i, j int) bool {
	a, b := r.pods[i].Requests, r.pods[j].Requests
	if m, n := a.Get(cluster.Memory), b.Get(cluster.Memory); m != n {
		return m < n
	}
	return a.Get(cluster.CPU) <= b.Get(cluster.CPU)
}
