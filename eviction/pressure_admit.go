package eviction

import "fmt"

// An Arrival is what the kubelet asks of a pod that was bound to its node while that is under
// pressure.
type Arrival struct {
	Critical   bool // see Candidate.Critical
	BestEffort bool // its QoS class: no container asks for, or is limited in, CPU or memory
	Tolerates  bool // it tolerates the taint node.kubernetes.io/memory-pressure:NoSchedule
}

// MemoryPressureTaint is the key of the taint that Arrival.Tolerates is about; its effect is NoSchedule.
const MemoryPressureTaint = "node.kubernetes.io/memory-pressure"

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
