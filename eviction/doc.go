// Package eviction takes pods off nodes, as Kubernetes' controllers and kubelets do.
//
// Health finds out which nodes are no longer heard of and taints them at a limited rate;
// TaintEviction deletes the pods that don't tolerate that. They are controllers that only
// decide: what they decide is written to State. A Policy says how fast, and which pods go.
//
// Budgets keeps what disruption budgets allow, API answers for the Eviction API, Drain empties nodes
// through it, Descheduler improves where pods are, and GC takes away what nobody else does.
//
// The files called pressure… are the kubelet's side: what it does when its node runs short of
// memory, disk or processes (Pressure), what the kernel does when that comes too late (OOMVictim),
// which pods it lets in meanwhile (Pressure.Admit, MakeRoom), and how it ends pods when its node is
// shut down (Shutdown). They are values and functions of their arguments; whoever plays the kubelet
// measures, kills and waits, and says what time it is.
//
// Where behaviour is Kubernetes', its own code is named; bench/upstream holds both against each
// other.
package eviction
