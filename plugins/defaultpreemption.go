package plugins

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"github.com/berthsim/berth/cluster"
	"github.com/berthsim/berth/scheduler"
)

// DefaultPreemption is kube's plugin of that name
// (pkg/scheduler/framework/plugins/defaultpreemption and framework/preemption).
var DefaultPreemption = &scheduler.Plugin{
	Name: "DefaultPreemption",
	Doc: "DefaultPreemption makes room for a pod that fits nowhere by ending less important ones, as few and as unimportant as it can. " +
		"Disruption budgets are respected where there is a choice.",
	New: func(args scheduler.Args) (any, error) {
		d := &defaultPreemption{MinCandidateNodesPercentage: 10, MinCandidateNodesAbsolute: 100}
		if args == nil {
			return d, nil
		}
		if err := args(d); err != nil {
			return nil, err
		}
		return d, d.validate()
	},
	Required: true,
}

// defaultPreemption holds the plugin's options: how many candidate nodes are
// enough, as a share of the nodes that might do and at least.
type defaultPreemption struct {
	MinCandidateNodesPercentage int64 `json:"minCandidateNodesPercentage"`
	MinCandidateNodesAbsolute   int64 `json:"minCandidateNodesAbsolute"`

	known map[cluster.ClassID]*memory
	size  int              // of all in known
	found []*candidate     // scratch
	gone  []removed        // scratch
	nodes []cluster.NodeID // scratch
}

func (d *defaultPreemption) validate() error {
	switch {
	case d.MinCandidateNodesPercentage < 0 || d.MinCandidateNodesPercentage > 100:
		return fmt.Errorf("minCandidateNodesPercentage is %d; it must be 0 to 100", d.MinCandidateNodesPercentage)
	case d.MinCandidateNodesAbsolute < 0 || d.MinCandidateNodesAbsolute > math.MaxInt32:
		return fmt.Errorf("minCandidateNodesAbsolute is %d; it must be 0 to %d", d.MinCandidateNodesAbsolute, math.MaxInt32)
	case d.MinCandidateNodesPercentage == 0 && d.MinCandidateNodesAbsolute == 0:
		return fmt.Errorf("minCandidateNodesPercentage and minCandidateNodesAbsolute are both 0; one must be more")
	}
	return nil
}

// Preempt implements scheduler.Preemptor.
func (d *defaultPreemption) Preempt(s *cluster.State, p cluster.PodID, diag scheduler.Diagnosis, t *scheduler.Trial) (scheduler.Preemption, bool) {
	if !eligible(s, p, &diag) {
		return scheduler.Preemption{}, false
	}
	candidates, wrong := d.candidates(s, p, &diag, t)
	if len(candidates) == 0 {
		// Nothing helps, so what is kept for the pod need be kept no longer.
		kept := s.Pods.Nominated[p] != cluster.None || s.Hope(p) != ""
		return scheduler.Preemption{Node: cluster.None}, kept && !wrong
	}
	candidates, ok := askExtenders(s, t, candidates)
	if !ok {
		return scheduler.Preemption{}, false
	}
	best := slices.MinFunc(candidates, (*candidate).compare)
	return scheduler.Preemption{Node: best.Node, Victims: best.Victims}, true
}

// eligible reports whether p may make others go. It may not while pods that it
// made go already are still leaving the node that is kept for it.
func eligible(s *cluster.State, p cluster.PodID, diag *scheduler.Diagnosis) bool {
	if s.Class(p).NeverPreempts {
		return false
	}
	n := s.Pods.Nominated[p]
	if n == cluster.None || diag.Of(n).Code == scheduler.Unresolvable || !s.Nodes.IsLive(n) {
		return true
	}
	for q := range s.PodsOn(n) {
		if s.Class(q).Priority < s.Class(p).Priority && s.Pods.Phase[q] == cluster.Terminating && s.Pods.Preempted[q] {
			return false
		}
	}
	return true
}

// candidates tries the nodes that preemption may help on, from one drawn for the
// pod on, until there are enough and one of them violates no budget. Wrong says that
// on some node nobody need go: an extender has ruled it out, and upstream takes that
// for an error of its own.
func (d *defaultPreemption) candidates(s *cluster.State, p cluster.PodID, diag *scheduler.Diagnosis, t *scheduler.Trial) (found []*candidate, wrong bool) {
	var known *memory
	if diag.ByRow {
		if known = d.remembered(s, s.Pods.Class[p]); known != nil && d.inVain(s, p, diag, t, known) {
			return nil, false
		}
	}
	may := diag.With(s, scheduler.Unschedulable)
	enough := d.Enough(int64(len(may)))
	var offset int
	if enough < int64(len(may)) {
		offset = s.Draw("preemption", p).Below(len(may))
	}
	found = d.found[:0]
	var clean bool // one of them violates no budget
	for i := range may {
		n := may[(offset+i)%len(may)]
		c := d.again(s, p, n, t, known)
		if c == nil || len(c.Victims) == 0 {
			wrong = wrong || c != nil
			continue
		}
		found = append(found, c)
		clean = clean || c.Violations == 0
		if clean && int64(len(found)) >= enough {
			break
		}
	}
	d.found = found
	if known != nil {
		known.conclude(s, len(found) == 0 && !wrong)
	}
	return found, wrong
}

// Enough returns how many candidates are enough where so many nodes might do.
func (d *defaultPreemption) Enough(nodes int64) int64 {
	return min(nodes, max(nodes*d.MinCandidateNodesPercentage/100, d.MinCandidateNodesAbsolute))
}

// try finds out whom p would have to displace on n. It takes every less important pod
// off, and if p fits then, puts back one after the other all those beside whom p still
// fits: first those whose budget does not allow their disruption, and the more
// important first. It returns nil if p doesn't fit even then.
func (d *defaultPreemption) try(s *cluster.State, p cluster.PodID, n cluster.NodeID, t *scheduler.Trial) *candidate {
	if t.Hopeless(n) {
		return nil
	}
	mark := t.Mark()
	defer t.Undo(mark)
	gone := d.gone[:0]
	for q := range s.PodsOn(n) {
		if s.Class(q).Priority < s.Class(p).Priority {
			gone = append(gone, removed{q, s.Pods.Allocation[q]})
		}
	}
	d.gone = gone
	for _, r := range gone {
		t.Remove(r.pod)
	}
	if len(gone) == 0 || !fits(t, n) {
		return nil
	}
	slices.SortFunc(gone, func(a, b removed) int { return byImportance(s, a.pod, b.pod) })
	violating, clean := byBudget(s, gone)
	c := scheduler.Candidate{Node: n}
	reprieve := func(r removed) (spared bool) {
		before := t.Mark()
		t.Add(r.pod, n, r.devices)
		if fits(t, n) {
			return true
		}
		t.Undo(before)
		c.Victims = append(c.Victims, r.pod)
		return false
	}
	for _, r := range violating {
		if !reprieve(r) {
			c.Violations++
		}
	}
	for _, r := range clean {
		reprieve(r)
	}
	slices.SortFunc(c.Victims, func(a, b cluster.PodID) int { return byImportance(s, a, b) })
	return newCandidate(s, c)
}

// removed is a pod that was taken off, with the devices it had.
type removed struct {
	pod     cluster.PodID
	devices cluster.Allocation
}

func fits(t *scheduler.Trial, n cluster.NodeID) bool {
	_, v := t.VerdictWithNominees(n)
	return v.Code == scheduler.Success
}

// byImportance puts the pod of higher priority first, and then the one that runs
// for longer.
func byImportance(s *cluster.State, a, b cluster.PodID) int {
	return cmp.Or(
		cmp.Compare(s.Class(b).Priority, s.Class(a).Priority),
		cmp.Compare(s.Pods.Started[a], s.Pods.Started[b]),
	)
}

// byBudget tells the pods whose disruption some budget does not allow from the
// others, if those before them are disrupted, too. Pods without labels are under
// no budget.
func byBudget(s *cluster.State, pods []removed) (violating, clean []removed) {
	var left []int32
	for b := range s.Budgets.All() {
		left = append(left, b.Allowed)
	}
	for _, r := range pods {
		class, violated, i := s.Class(r.pod), false, -1
		for b := range s.Budgets.All() {
			i++
			if b.Namespace != class.Namespace || b.Selector.Empty() || len(s.Pods.Labels[r.pod]) == 0 ||
				!b.Selector.Matches(class.Labels) || slices.Contains(b.Disrupted, s.Pods.Name[r.pod]) {
				continue
			}
			left[i]--
			violated = violated || left[i] < 0
		}
		if violated {
			violating = append(violating, r)
		} else {
			clean = append(clean, r)
		}
	}
	return violating, clean
}
