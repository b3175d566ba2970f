package scheduler

import "github.com/berthsim/berth/cluster"

// PreEnqueue says whether p may be tried at all; if not, which plugin forbids it.
func (pr *Profile) PreEnqueue(s *cluster.State, p cluster.PodID) (plugin string, v Verdict) {
	for _, pre := range pr.enqueuers {
		if v := pre.PreEnqueue(s, p); v.Code != Success {
			return pre.name, v
		}
	}
	return "", Verdict{}
}

// Preemption returns what the profile's preemptors propose for p, which fits
// nowhere; ok is false if that is nothing. It writes nothing to s.
func (pr *Profile) Preemption(s *cluster.State, p cluster.PodID) (pre Preemption, ok bool) {
	if len(pr.preemptors) == 0 || !s.AnyBelow(s.Class(p).Priority) && s.Pods.Nominated[p] == cluster.None {
		return pre, false // there is nobody to make go, as a look at every node would find out
	}
	d := pr.Diagnose(s, p)
	for _, preemptor := range pr.preemptors {
		t := pr.NewTrial(s, p)
		pre, ok = preemptor.Preempt(s, p, d, t)
		t.Close()
		if ok {
			return pre, true
		}
	}
	return pre, false
}

// preempt has pods ended to make room for p, and keeps the node for it. Less
// important pods for which the node was kept lose it. It reports whether anything
// was to be done.
func (pr *Profile) preempt(s *cluster.State, p cluster.PodID) bool {
	pre, ok := pr.Preemption(s, p)
	if !ok {
		return false
	}
	for _, victim := range pre.Victims {
		if s.Pods.Phase[victim] != cluster.Terminating {
			s.Preempt(victim)
		}
	}
	if pre.Node != cluster.None {
		var losers []cluster.PodID
		for q := range s.Nominees(pre.Node) {
			if s.Class(q).Priority < s.Class(p).Priority {
				losers = append(losers, q)
			}
		}
		for _, q := range losers {
			s.Nominate(q, cluster.None)
		}
	}
	if s.Pods.Nominated[p] != pre.Node {
		s.Nominate(p, pre.Node)
	}
	return true
}
