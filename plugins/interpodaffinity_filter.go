package plugins

import (
	"github.com/berthsim/berth/cluster"
	"github.com/berthsim/berth/scheduler"
)

var (
	tooFar     = scheduler.Verdict{Code: scheduler.Unresolvable, Reasons: []string{"node(s) didn't match pod affinity rules"}}
	tooNear    = scheduler.Verdict{Code: scheduler.Unschedulable, Reasons: []string{"node(s) didn't match pod anti-affinity rules"}}
	notWelcome = scheduler.Verdict{Code: scheduler.Unschedulable, Reasons: []string{"node(s) didn't satisfy existing pods anti-affinity rules"}}
)

// Filter implements scheduler.Filter.
func (pl *interPodAffinity) Filter(s *cluster.State, p cluster.PodID) func(cluster.NodeID) scheduler.Verdict {
	may, _ := pl.FilterTrial(s, p)
	return may
}

// FilterTrial implements scheduler.TrialFilter. As upstream, it lets the pod run
// anywhere for the whole cycle if at its beginning nothing spoke against it, even
// if a trial adds pods that do.
func (pl *interPodAffinity) FilterTrial(s *cluster.State, p cluster.PodID) (
	may func(cluster.NodeID) scheduler.Verdict, changed func(q cluster.PodID, n cluster.NodeID, delta int),
) {
	class := s.Class(p)
	if len(class.Affinity.Required)+len(class.AntiAffinity.Required) == 0 && !s.AnyAntiAffinity() {
		return nil, nil // as the counts would show
	}
	f := &affinityFilter{state: s, class: class}
	f.share()
	f.sums.addAll(s)
	none := f.existing == 0
	for i := f.existing; i < len(f.sums.columns); i++ {
		none = none && f.sums.columns[i].total == 0
	}
	if none {
		return nil, nil
	}
	return f.may, f.changed
}

// An affinityFilter counts pods by topology domain. Columns up to anti count the
// pods that all required affinity terms of a pod are about, those up to existing
// the pods that a required anti-affinity term of the pod is about, and the others
// the pods with a required anti-affinity term that is about the pod. A pod counts
// once for each term.
type affinityFilter struct {
	state          *cluster.State
	class          *cluster.Class // of the pod that wants a node
	sums           domainSums
	anti, existing int
}

// share makes the columns and notes what pods of each class bring to them.
func (f *affinityFilter) share() {
	s := f.state
	near, away := f.class.Affinity.Required, f.class.AntiAffinity.Required
	for i := range near {
		f.sums.column(near[i].TopologyKey, 0)
	}
	f.anti = len(f.sums.columns)
	for i := range away {
		f.sums.column(away[i].TopologyKey, f.anti)
	}
	f.existing = len(f.sums.columns)
	if len(near)+len(away) > 0 {
		for id := range cluster.ClassID(s.Classes()) {
			f.shareOwn(id)
		}
	}
	for _, id := range s.AffineClasses() {
		theirs := s.ClassByID(id).AntiAffinity.Required
		for i := range theirs {
			if theirs[i].Matches(s, f.class) {
				f.sums.bring(id, f.sums.column(theirs[i].TopologyKey, f.existing), 1)
			}
		}
	}
}

// shareOwn notes what pods of class id bring to the columns of the pod's own terms.
func (f *affinityFilter) shareOwn(id cluster.ClassID) {
	s, c := f.state, f.state.ClassByID(id)
	near, away := f.class.Affinity.Required, f.class.AntiAffinity.Required
	if matchesAll(s, near, c) {
		for i := range near {
			f.sums.bring(id, f.sums.column(near[i].TopologyKey, 0), 1)
		}
	}
	for i := range away {
		if incomingMatches(s, &away[i], c) {
			f.sums.bring(id, f.sums.column(away[i].TopologyKey, f.anti), 1)
		}
	}
}

// may says whether the pod may run on n.
func (f *affinityFilter) may(n cluster.NodeID) scheduler.Verdict {
	labels := f.state.Nodes.Labels[n]
	switch {
	case !f.nearEnough(labels):
		return tooFar
	case f.counts(f.anti, f.existing, labels):
		return tooNear
	case f.counts(f.existing, len(f.sums.columns), labels):
		return notWelcome
	}
	return scheduler.Verdict{}
}

// nearEnough reports whether a node's domains meet the required affinity terms.
func (f *affinityFilter) nearEnough(node cluster.Labels) bool {
	met := true
	for i := range f.anti {
		sum, ok := f.sums.columns[i].at(node)
		if !ok {
			return false
		}
		met = met && sum > 0
	}
	return met || f.first()
}

// first reports whether the pod is the first of a series with affinity to each
// other. There is no pod that all of its terms are about, or none in any domain;
// so that such pods don't wait for ever, the first may go where it likes.
func (f *affinityFilter) first() bool {
	for i := range f.anti {
		if f.sums.columns[i].total != 0 {
			return false
		}
	}
	return matchesAll(f.state, f.class.Affinity.Required, f.class)
}

// counts reports whether any of the columns from first up to end counts pods in
// a node's domain.
func (f *affinityFilter) counts(first, end int, node cluster.Labels) bool {
	for i := first; i < end; i++ {
		if sum, _ := f.sums.columns[i].at(node); sum > 0 {
			return true
		}
	}
	return false
}

// changed follows a trial.
func (f *affinityFilter) changed(q cluster.PodID, n cluster.NodeID, delta int) {
	f.sums.addPod(f.state.Pods.Class[q], f.state.Nodes.Labels[n], delta)
}
