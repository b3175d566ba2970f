package kube

import (
	"slices"

	"github.com/berthsim/berth/cluster"
)

// Nothing answers decisions that nobody carries out but what others do. While a run is dry, a
// decision shows until a later one is about the same, or the object is as it would be.

// outdo forgets decisions about what a later one is about.
func (t *translator) outdo(list []*flight, by *flight) []*flight {
	return t.forget(list, func(f *flight) bool {
		if f.d.Kind == by.d.Kind {
			a, ok := f.d.Detail.(cluster.Taint)
			return !ok || sameTaint(a, by.d.Detail.(cluster.Taint))
		}
		a, ok := f.d.Detail.(cluster.Taint)
		b, too := by.d.Detail.(cluster.Taint)
		return ok && too && sameTaint(a, b)
	})
}

func sameTaint(a, b cluster.Taint) bool { return a.Key == b.Key && a.Effect == b.Effect }

// doneByOthers forgets decisions about a node that it doesn't take any more.
func (t *translator) doneByOthers(n *node) {
	n.flights = t.forget(n.flights, func(f *flight) bool {
		switch of := f.d.Detail.(type) {
		case cluster.Taint:
			return slices.Contains(n.seen.Taints, of) == (f.d.Kind == cluster.AddTaint)
		case cluster.StatusChange:
			return f.outdated || n.said == of.To
		}
		return false
	})
}

// saidByOthers forgets decisions about a pod that it doesn't take any more, or that were about
// something that has changed since.
func (t *translator) saidByOthers(p *pod) {
	p.flights = t.forget(p.flights, func(f *flight) bool {
		switch f.d.Kind {
		case cluster.MarkUnready:
			return true
		case cluster.Nominate:
			return p.seen.Nominated == f.target
		}
		return p.seen.Terminating
	})
}

// forget removes flights from a list.
func (t *translator) forget(list []*flight, which func(*flight) bool) []*flight {
	return slices.DeleteFunc(list, func(f *flight) bool {
		if which(f) {
			delete(t.flights, f.seq)
			return true
		}
		return false
	})
}
