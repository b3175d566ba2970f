package scheduler

import "github.com/berthsim/berth/cluster"

// A Trial asks the filters about a pod while pods are put on nodes and taken off
// them as if. What it does to the State it takes back; it must be closed before
// anything else is decided.
type Trial struct {
	s       *cluster.State
	profile *Profile
	pod     cluster.PodID
	filters []prepared
	steps   []step
	asked   bool // filters holds them

	hopeless []func(cluster.NodeID) bool // of Foretellers
	foretold bool                        // hopeless holds them
}

// prepared is a filter that has been asked about the pod.
type prepared struct {
	name    string
	may     func(cluster.NodeID) Verdict
	changed func(q cluster.PodID, n cluster.NodeID, delta int)
}

// A step is one thing that a Trial did.
type step struct {
	mark  int // in the State's journal, before
	pod   cluster.PodID
	node  cluster.NodeID
	delta int
}

// NewTrial asks about p, as the State is now.
func (pr *Profile) NewTrial(s *cluster.State, p cluster.PodID) *Trial {
	return &Trial{s: s, profile: pr, pod: p}
}

// ask prepares the profile's filters, if that hasn't been done: before the first change,
// or question.
func (t *Trial) ask() {
	if t.asked {
		return
	}
	t.asked = true
	pr, s, p := t.profile, t.s, t.pod
	for i := range pr.filters {
		f := prepared{name: pr.filters[i].name}
		if follower, ok := pr.filters[i].Filter.(TrialFilter); ok {
			f.may, f.changed = follower.FilterTrial(s, p)
		} else {
			f.may = pr.filters[i].Filter.Filter(s, p)
		}
		if f.may != nil {
			t.filters = append(t.filters, f)
		}
	}
}

// Hopeless reports that the pod would not fit on n even if all less important pods were
// removed from there, as far as that can be told without a trial. It must be asked before
// anything is removed or added.
func (t *Trial) Hopeless(n cluster.NodeID) bool {
	if !t.foretold {
		t.foretold = true
		for i := range t.profile.filters {
			if f, ok := t.profile.filters[i].Filter.(Foreteller); ok {
				if hopeless := f.Hopeless(t.s, t.pod); hopeless != nil {
					t.hopeless = append(t.hopeless, hopeless)
				}
			}
		}
	}
	for _, hopeless := range t.hopeless {
		if hopeless(n) {
			return true
		}
	}
	return false
}

// Remove takes q off its node.
func (t *Trial) Remove(q cluster.PodID) {
	t.ask()
	n := t.s.Pods.Node[q]
	st := step{t.s.Mark(), q, n, -1}
	t.s.Remove(q)
	t.did(st)
}

// Add puts q, which is on no node, on n with the devices a.
func (t *Trial) Add(q cluster.PodID, n cluster.NodeID, a cluster.Allocation) {
	t.ask()
	st := step{t.s.Mark(), q, n, +1}
	t.s.Try(q, n, a)
	t.did(st)
}

func (t *Trial) did(st step) {
	t.steps = append(t.steps, st)
	t.tell(st.pod, st.node, st.delta)
}

func (t *Trial) tell(q cluster.PodID, n cluster.NodeID, delta int) {
	for i := range t.filters {
		if changed := t.filters[i].changed; changed != nil {
			changed(q, n, delta)
		}
	}
}

// Mark returns a point that Undo can go back to.
func (t *Trial) Mark() int { return len(t.steps) }

// Undo takes back what was done since mark.
func (t *Trial) Undo(mark int) {
	for i := len(t.steps) - 1; i >= mark; i-- {
		st := t.steps[i]
		t.s.Undo(st.mark)
		t.tell(st.pod, st.node, -st.delta)
	}
	t.steps = t.steps[:mark]
}

// Close takes back everything.
func (t *Trial) Close() { t.Undo(0) }

// Verdict asks the filters about n in turn, until one rules it out, and returns
// which that was.
func (t *Trial) Verdict(n cluster.NodeID) (plugin string, v Verdict) {
	t.ask()
	work := &t.profile.ranks.work
	for i := range t.filters {
		work.Filtered++
		if v := t.filters[i].may(n); v.Code != Success {
			return t.filters[i].name, v
		}
	}
	return "", Verdict{}
}

// VerdictWithNominees is Verdict as kube-scheduler gives it: if n is kept for
// other pods of the same priority or higher, the pod must fit both with them
// there and without; they may never come, and the pod may depend on them or be
// in their way.
func (t *Trial) VerdictWithNominees(n cluster.NodeID) (plugin string, v Verdict) {
	mark := t.Mark()
	if t.addNominees(n) {
		plugin, v = t.Verdict(n)
		t.Undo(mark)
		if v.Code != Success {
			return plugin, v
		}
	}
	return t.Verdict(n)
}

// addNominees puts the pods for which n is kept there, if they are as important
// as the Trial's, and reports whether there are any.
func (t *Trial) addNominees(n cluster.NodeID) bool {
	if !t.s.AnyNominee() {
		return false
	}
	var nominees []cluster.PodID
	priority := t.s.Class(t.pod).Priority
	for q := range t.s.Nominees(n) {
		if q != t.pod && t.s.Class(q).Priority >= priority && t.s.Pods.Node[q] == cluster.None {
			nominees = append(nominees, q)
		}
	}
	for _, q := range nominees {
		a, _ := t.profile.allocate(t.s, q, n) // none, if n can't serve q any more
		t.Add(q, n, a)
	}
	return len(nominees) > 0
}
