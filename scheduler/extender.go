package scheduler

import (
	"fmt"
	"slices"

	"github.com/berthsim/berth/cluster"
)

// ExtenderName stands for all extenders among the plugins that rejected a pod, as in
// kube-scheduler. They listen to no change in particular, so any change wakes the pod.
const ExtenderName = "Extender"

// MaxExtenderScore is the highest score that an extender gives a node; the lowest is
// 0, and neither is checked.
const MaxExtenderScore = 10

// Verbs is a set of things that an extender is asked.
type Verbs uint8

// The verbs, named as in Kubernetes.
const (
	VerbFilter Verbs = 1 << iota
	VerbPrioritize
	VerbPreempt
)

// An Extender is somebody outside the scheduler who has a say about pods: in
// kube-scheduler, a process that is asked over HTTP. What an Extender does is not
// the scheduler's business; here it is only said when it is asked, and what becomes
// of its answers. None of its methods may write to s.
type Extender interface {
	Name() string
	Verbs() Verbs // which of Filter, Prioritize and Preempt it is asked

	// Ignorable says that pods are placed all the same if it gives no answer.
	// Otherwise an error of Filter is one of the pod's try: the pod rests, and no
	// change of the cluster wakes it before.
	Ignorable() bool

	// Interested reports whether p concerns it at all.
	Interested(s *cluster.State, p cluster.PodID) bool

	// Filter says on which of nodes p may run.
	Filter(s *cluster.State, p cluster.PodID, nodes []cluster.NodeID) (Filtered, error)

	// Prioritize scores nodes, those that it likes to: 0 to MaxExtenderScore.
	// Weight is its weight. Its error means that it has no say.
	Prioritize(s *cluster.State, p cluster.PodID, nodes []cluster.NodeID) (scores []ExtenderScore, weight int64, err error)

	// Preempt says which of the candidates will do, and who must go there, which
	// may be other pods of that node.
	Preempt(s *cluster.State, p cluster.PodID, candidates []Candidate) ([]Candidate, error)
}

// Filtered is what an extender says of nodes.
type Filtered struct {
	Kept []cluster.NodeID // in its order

	// Rejected are nodes with a reason. A node that is neither kept nor here is
	// left out without one, and nobody is preempted there.
	Rejected []ExtenderRejection

	// Bare says that it has sent nodes back, and not only their names. Then
	// kube-scheduler scores what it was sent, of which it doesn't know which pods
	// and images are there (BareScorer).
	Bare bool
}

// An ExtenderRejection is a node on which an extender doesn't let a pod run.
type ExtenderRejection struct {
	Node         cluster.NodeID
	Reason       string
	Unresolvable bool // preemption would not help
}

// An ExtenderScore is what an extender scores a node.
type ExtenderScore struct {
	Node  cluster.NodeID
	Score int64
}

// A Candidate is a node on which a pod would fit if its victims were gone.
type Candidate struct {
	Node       cluster.NodeID
	Victims    []cluster.PodID // the most important first
	Violations int             // victims whose disruption budget does not allow it
}

// A BareScorer is a Scorer to which it matters what is known of a node beside the
// node itself: pods that are there, images.
type BareScorer interface {
	Scorer

	// ScoreBare is Scores, as if nothing were known of nodes when each is scored.
	// What kube's plugin prepares in PreScore is prepared as ever.
	ScoreBare(s *cluster.State, p cluster.PodID, nodes []cluster.NodeID, out []int64) bool
}

// Emptied calls do while no pod is on nodes.
func Emptied(s *cluster.State, nodes []cluster.NodeID, do func()) {
	mark := s.Mark()
	for _, n := range nodes {
		for _, q := range slices.Collect(s.PodsOn(n)) {
			s.Remove(q)
		}
	}
	do()
	s.Undo(mark)
}

// SetExtenders sets who is asked beside the plugins, in the order in which they are
// asked to filter: those that can't be ignored first, as kube-scheduler has it.
func (pr *Profile) SetExtenders(extenders []Extender) {
	pr.extenders = extenders
	if len(extenders) > 0 {
		pr.extended = 1 << pr.member(ExtenderName, nil)
	}
}

// asks reports whether some extender is asked a verb about p.
func (pr *Profile) asks(s *cluster.State, p cluster.PodID, verb Verbs) bool {
	return slices.ContainsFunc(pr.extenders, func(x Extender) bool { return x.Verbs()&verb != 0 && x.Interested(s, p) })
}

// extend reports whether some extender does something, whatever the pod.
func (pr *Profile) extend(verb Verbs) bool {
	return slices.ContainsFunc(pr.extenders, func(x Extender) bool { return x.Verbs()&verb != 0 })
}

// filterByExtenders has the extenders narrow the nodes that the filters have left,
// one after the other.
func (pr *Profile) filterByExtenders(s *cluster.State, p cluster.PodID, nodes []cluster.NodeID, r *search) ([]cluster.NodeID, error) {
	for _, x := range pr.extenders {
		if len(nodes) == 0 {
			break
		}
		if x.Verbs()&VerbFilter == 0 || !x.Interested(s, p) {
			continue
		}
		f, err := x.Filter(s, p, nodes)
		if err != nil && !x.Ignorable() {
			return nil, fmt.Errorf("extender %s: %w", x.Name(), err)
		}
		if err != nil {
			continue
		}
		for _, rejected := range f.Rejected {
			code := Unschedulable
			if rejected.Unresolvable {
				code = Unresolvable
			}
			r.note(NodeVerdict{rejected.Node, ExtenderName, Verdict{code, []string{rejected.Reason}}})
		}
		nodes, r.bare = f.Kept, r.bare || f.Bare
	}
	return nodes, nil
}

// prioritize calls told for each score of each extender, of those of nodes that it
// names. An extender that is interested and isn't asked scores all nodes 0.
func (pr *Profile) prioritize(s *cluster.State, p cluster.PodID, nodes []cluster.NodeID, told func(x Extender, place int, score, weight int64)) {
	for _, x := range pr.extenders {
		if !x.Interested(s, p) {
			continue
		}
		if x.Verbs()&VerbPrioritize == 0 {
			for i := range nodes {
				told(x, i, 0, 0)
			}
			continue
		}
		scores, weight, err := x.Prioritize(s, p, nodes)
		if err != nil {
			continue // as upstream, whether the extender is ignorable or not
		}
		for _, sc := range scores {
			for i, n := range nodes {
				if n == sc.Node {
					told(x, i, sc.Score, weight)
				}
			}
		}
	}
}

// addPriorities adds the extenders' scores to the sums of the plugins', and notes
// which nodes they have scored.
func (pr *Profile) addPriorities(s *cluster.State, p cluster.PodID, nodes []cluster.NodeID, sum []int64, tell func(place int, score PluginScore)) {
	pr.told = nil
	if len(pr.extenders) == 0 {
		return
	}
	pr.prioritize(s, p, nodes, func(x Extender, i int, score, weight int64) {
		if pr.told == nil {
			pr.told = make([]bool, len(nodes))
		}
		pr.told[i] = true
		scaled := score * (MaxScore / MaxExtenderScore)
		sum[i] += scaled * weight
		if tell != nil && weight != 0 {
			tell(i, PluginScore{x.Name(), score, scaled, weight})
		}
	})
}

// chooseTold is choose where extenders have scored nodes. Of equal nodes those that
// an extender has scored come first. Among these kube-scheduler draws, and so do all
// rules but TiesLowest, by seed, pod and node.
func (pr *Profile) chooseTold(s *cluster.State, p cluster.PodID, nodes []cluster.NodeID, sum []int64) int {
	best := []int{0}
	for i := 1; i < len(nodes); i++ {
		j := best[0]
		switch {
		case sum[i] > sum[j] || sum[i] == sum[j] && pr.told[i] && !pr.told[j]:
			best = append(best[:0], i)
		case sum[i] == sum[j] && pr.told[i] == pr.told[j]:
			best = append(best, i)
		}
	}
	if len(best) == 1 {
		return best[0]
	}
	if pr.ties == TiesKube && !pr.told[best[0]] {
		return chooseKube(sum, 0)
	}
	draw := cluster.Draw(0)
	if pr.ties != TiesLowest {
		draw = s.Draw("ties", p)
	}
	return slices.MinFunc(best, func(i, j int) int {
		if pr.ties == TiesLowest {
			return int(int64(s.Nodes.Order[nodes[i]]) - int64(s.Nodes.Order[nodes[j]]))
		}
		if s.Nodes.For(draw, nodes[i]) > s.Nodes.For(draw, nodes[j]) {
			return -1
		}
		return 1
	})
}

// AskExtenders has the profile's extenders choose among candidates for preemption,
// and say who must go. Each sees what those before it have left. Candidates keep
// their order; others that an extender names come behind them.
func (t *Trial) AskExtenders(candidates []Candidate) ([]Candidate, error) {
	s, asked := t.s, candidates
	for _, x := range t.profile.extenders {
		if len(asked) == 0 {
			break
		}
		if x.Verbs()&VerbPreempt == 0 || !x.Interested(s, t.pod) {
			continue
		}
		left, err := x.Preempt(s, t.pod, asked)
		empty := func(c Candidate) bool { return len(c.Victims) == 0 }
		if i := slices.IndexFunc(left, empty); err == nil && i >= 0 && !x.Ignorable() {
			err = fmt.Errorf("it names no victims on node %s", s.Nodes.Name[left[i].Node])
		}
		switch {
		case err == nil:
			asked = slices.DeleteFunc(left, empty)
		case !x.Ignorable():
			return nil, fmt.Errorf("extender %s: %w", x.Name(), err)
		}
	}
	place := func(c Candidate) int {
		if i := slices.IndexFunc(candidates, func(of Candidate) bool { return of.Node == c.Node }); i >= 0 {
			return i
		}
		return len(candidates)
	}
	slices.SortStableFunc(asked, func(a, b Candidate) int { return place(a) - place(b) })
	return asked, nil
}

// AsksExtenders reports whether AskExtenders has anybody to ask.
func (t *Trial) AsksExtenders() bool { return len(t.profile.extenders) > 0 }
