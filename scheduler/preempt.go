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

// forbids is PreEnqueue, which asks the plugin at the place first before the others.
func (pr *Profile) forbids(s *cluster.State, p cluster.PodID, first int8) (plugin int8, ok bool) {
	pr.watch.begin(PhasePreEnqueue, "")
	defer pr.watch.end()
	for _, pre := range pr.enqueuers {
		if pre.bit == first && pre.PreEnqueue(s, p).Code != Success {
			return first, false
		}
	}
	for _, pre := range pr.enqueuers {
		if pre.bit != first && pre.PreEnqueue(s, p).Code != Success {
			return pre.bit, false
		}
	}
	return ungated, true
}

// listens reports whether the plugin at a place wants to hear of a change.
func (pr *Profile) listens(plugin int8, c *Change) bool {
	w := pr.members[plugin].Waker
	return w == nil || w.Wakes()&c.What != 0
}

// wake returns which of plugins change their minds about pods like p.
func (pr *Profile) wake(s *cluster.State, p cluster.PodID, plugins uint64, c *Change, st *Stats) (woken uint64) {
	for i := range pr.members {
		if plugins>>i&1 == 0 || !pr.listens(int8(i), c) {
			continue
		}
		w := pr.members[i].Waker
		pr.watch.begin(PhaseWake, pr.members[i].name)
		helps := w == nil || w.Wake(s, s.Class(p), c)
		pr.watch.end()
		if helps {
			woken |= 1 << i
		}
		st.hint(pr.members[i].name, helps)
	}
	return woken
}

// Preemption returns what the profile's preemptors propose for p, which fits
// nowhere; ok is false if that is nothing. It writes nothing to s.
func (pr *Profile) Preemption(s *cluster.State, p cluster.PodID) (pre Preemption, ok bool) {
	promised := s.Pods.Nominated[p] != cluster.None || s.Hope(p) != ""
	asked, reclaims, worth := pr.reclaimer(s, p)
	if !reclaims {
		asked, worth = pr.preemptors, s.AnyBelow(s.Class(p).Priority)
	}
	if len(asked) == 0 || !worth && !promised {
		return pre, false // there is nobody to make go, as a look at every node would find out
	}
	pr.watch.begin(PhaseDiagnose, "")
	d, kept := pr.diagnosedByRow(s, p)
	if !kept {
		d = pr.diagnosed(s, p)
	}
	pr.watch.end()
	if d.Err != nil {
		return pre, false
	}
	if d.Ruled.Code != Success && !(reclaims && d.Ruled.Code == Unschedulable && d.RuledBy == asked[0].name) {
		return pre, false // upstream's DynamicResources fails then, before anybody is asked
	}
	for _, preemptor := range asked {
		pr.watch.begin(PhasePreempt, preemptor.name)
		t := pr.NewTrial(s, p)
		pre, ok = preemptor.Preempt(s, p, d, t)
		t.Close()
		pr.watch.end()
		if ok {
			return pre, true
		}
	}
	return pre, false
}

// reclaimer returns the preemptor that alone says who goes for p, if there is one, and whether
// it is worth asking.
func (pr *Profile) reclaimer(s *cluster.State, p cluster.PodID) (asked []namedPreemptor, alone, worth bool) {
	for i := range pr.preemptors {
		if rc, ok := pr.preemptors[i].Preemptor.(Reclaimer); ok {
			if alone, worth = rc.Reclaims(s, p); alone {
				return pr.preemptors[i : i+1], true, worth
			}
		}
	}
	return nil, false, false
}

// carryOut has pods ended to make room for p, and keeps the node for it. Less
// important pods for which the node was kept lose it. It returns how those were for
// which a node was kept that is kept no longer.
func carryOut(s *cluster.State, p cluster.PodID, pre Preemption) (lost []cluster.PodState) {
	for _, victim := range pre.Victims {
		if s.Pods.Phase[victim] != cluster.Terminating && s.Pods.Phase[victim] != cluster.Ended {
			s.Preempt(victim)
		}
	}
	give := func(q cluster.PodID, n cluster.NodeID) {
		was := s.PodState(q)
		if was.Nominated == n {
			return
		}
		s.Nominate(q, n)
		if was.Nominated != cluster.None {
			lost = append(lost, was)
		}
	}
	if pre.Node != cluster.None {
		var losers []cluster.PodID
		for q := range s.Nominees(pre.Node) {
			if s.Class(q).Priority < s.Class(p).Priority && s.Pods.Phase[q] == cluster.Pending {
				losers = append(losers, q)
			}
		}
		for _, q := range losers {
			give(q, cluster.None)
		}
	}
	give(p, pre.Node)
	return lost
}
