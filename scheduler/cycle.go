package scheduler

import (
	"fmt"
	"slices"

	"github.com/berthsim/berth/cluster"
)

// Select returns the node and devices that p gets; ok is false if it fits
// nowhere. It writes nothing to s.
//
// As in kube-scheduler, a node that is kept for p and feasible is taken without
// a look at others, and a node that is the only feasible one is taken unscored.
func (pr *Profile) Select(s *cluster.State, p cluster.PodID) (n cluster.NodeID, a cluster.Allocation, ok bool) {
	pr.err = nil
	pr.ranks.work.Decisions++
	if pr.mayRank() {
		pr.watch.begin(PhaseChoose, "")
		n, known := pr.selectRanked(s, p)
		pr.watch.end()
		if known {
			return pr.give(s, p, n)
		}
	}
	pr.ranks.work.Scans++
	pr.watch.begin(PhaseFilter, "")
	nodes := pr.feasible(s, p)
	pr.watch.end()
	if len(nodes) == 0 {
		return cluster.None, a, false
	}
	n = nodes[0]
	if len(nodes) > 1 {
		if pr.err = pr.preScore(s, p); pr.err != nil {
			return cluster.None, a, false
		}
		pr.watch.begin(PhaseScore, "")
		sum := pr.score(s, p, nodes)
		pr.watch.end()
		pr.watch.begin(PhaseChoose, "")
		n = nodes[pr.choose(s, p, nodes, sum)]
		pr.watch.end()
	}
	return pr.give(s, p, n)
}

// give returns n with the devices that p gets there; ok is false if n is None.
func (pr *Profile) give(s *cluster.State, p cluster.PodID, n cluster.NodeID) (_ cluster.NodeID, a cluster.Allocation, ok bool) {
	if n == cluster.None {
		return n, a, false
	}
	a, v := pr.allocate(s, p, n)
	return n, a, v.Code == Success
}

// Err returns why the pod of the last Select could not be filtered, since an
// extender failed, or scored; nil if it could be, or fits nowhere. As in
// kube-scheduler, nobody is preempted for it.
func (pr *Profile) Err() error { return pr.err }

func (pr *Profile) preScore(s *cluster.State, p cluster.PodID) error {
	for _, pre := range pr.preScorers {
		pr.watch.begin(PhasePreScore, pre.name)
		err := pre.PreScore(s, p)
		pr.watch.end()
		if err != nil {
			return fmt.Errorf("running PreScore plugin %q: %w", pre.name, err)
		}
	}
	return nil
}

// feasible returns the feasible nodes in the order in which they were looked at.
func (pr *Profile) feasible(s *cluster.State, p cluster.PodID) []cluster.NodeID {
	pr.all, pr.bare, pr.sorted = false, false, false
	if pr.asks(s, p, VerbFilter) {
		return pr.feasibleExtended(s, p)
	}
	v := pr.visiting(s, p, pr.nodes)
	pr.rejected, pr.pending = v.bits, 0
	pr.all = v.all && !pr.asks(s, p, VerbPreempt)
	pr.sorted = v.all && !pr.inZones()
	if v.ruled.Code != Success {
		return nil
	}
	pr.nodes = v.nodes
	kept, failed := pr.tryNominated(s, p)
	if kept != cluster.None {
		pr.nodes = append(pr.nodes[:0], kept)
		return pr.nodes
	}
	if v.enough < len(v.nodes) {
		return pr.sample(s, p, v, failed)
	}
	looked := len(v.nodes)
	if !v.all {
		looked += outside(failed, v.nodes)
	}
	nodes := v.nodes
	for i := range pr.filters {
		if len(nodes) == 0 {
			break
		}
		nodes = pr.narrow(&pr.filters[i], s, p, nodes)
	}
	if s.AnyNominee() {
		nodes = pr.narrowByNominees(s, p, nodes)
		pr.rejected = unknownRejectors
	}
	pr.advance(s, looked)
	return nodes
}

// narrow is Narrow, and notes whether the filter ruled a node out.
func (pr *Profile) narrow(f *namedFilter, s *cluster.State, p cluster.PodID, nodes []cluster.NodeID) []cluster.NodeID {
	before := len(nodes)
	pr.ranks.work.Filtered += uint64(before)
	pr.watch.begin(PhaseFilter, f.name)
	defer pr.watch.end()
	if f.batch != nil {
		nodes = f.batch.FilterBatch(s, p, nodes)
	} else if may := f.Filter.Filter(s, p); may != nil {
		kept := nodes[:0]
		for _, n := range nodes {
			switch may(n).Code {
			case Success:
				kept = append(kept, n)
			case Pending:
				pr.pending |= 1 << f.bit
			}
		}
		nodes = kept
	}
	if len(nodes) < before {
		pr.rejected |= 1 << f.bit
	}
	return nodes
}

// keep is Narrow.
func (f *namedFilter) keep(s *cluster.State, p cluster.PodID, nodes []cluster.NodeID) []cluster.NodeID {
	if f.batch != nil {
		return f.batch.FilterBatch(s, p, nodes)
	}
	return Narrow(f.Filter, s, p, nodes)
}

// raw is Scores.
func (sc *weightedScorer) raw(s *cluster.State, p cluster.PodID, nodes []cluster.NodeID, out []int64) bool {
	if sc.batch != nil {
		return sc.batch.ScoreBatch(s, p, nodes, out)
	}
	return Scores(sc.Scorer, s, p, nodes, out)
}

// tryNominated returns the node that is kept for p, if it is feasible; otherwise
// failed is the node that isn't.
func (pr *Profile) tryNominated(s *cluster.State, p cluster.PodID) (kept, failed cluster.NodeID) {
	n := s.Pods.Nominated[p]
	if n == cluster.None || !s.Nodes.IsLive(n) {
		return cluster.None, cluster.None
	}
	t := pr.NewTrial(s, p)
	if _, v := t.VerdictWithNominees(n); v.Code != Success {
		return cluster.None, n
	}
	return n, cluster.None
}

// narrowByNominees keeps the nodes on which p fits beside the pods that they are
// kept for.
func (pr *Profile) narrowByNominees(s *cluster.State, p cluster.PodID, nodes []cluster.NodeID) []cluster.NodeID {
	t := pr.NewTrial(s, p)
	kept := nodes[:0]
	for _, n := range nodes {
		mark := t.Mark()
		fits := true
		if t.addNominees(n) {
			_, v := t.Verdict(n)
			fits = v.Code == Success
			t.Undo(mark)
		}
		if fits {
			kept = append(kept, n)
		}
	}
	return kept
}

// sample looks at nodes one by one, until enough are feasible and one more is
// found: kube-scheduler stops at that one, and begins with it the next time.
func (pr *Profile) sample(s *cluster.State, p cluster.PodID, v visit, failed cluster.NodeID) []cluster.NodeID {
	t := pr.NewTrial(s, p)
	kept, looked := v.nodes[:0], 0
	sawFailed := failed == cluster.None
	for _, n := range v.nodes {
		plugin, verdict := t.VerdictWithNominees(n)
		if verdict.Code == Success {
			if len(kept) == v.enough {
				break
			}
			kept = append(kept, n)
		} else {
			pr.reject(plugin, verdict.Code)
		}
		sawFailed = sawFailed || n == failed
		looked++
	}
	if !sawFailed {
		looked++ // kube counts the node that was kept for the pod, too
	}
	pr.advance(s, looked)
	return kept
}

// outside returns 1 if failed is a node, and not one of nodes.
func outside(failed cluster.NodeID, nodes []cluster.NodeID) int {
	if failed == cluster.None || slices.Contains(nodes, failed) {
		return 0
	}
	return 1
}

// unknownRejectors says that the fast path can't tell which plugins ruled nodes
// out: it asked about the pods that nodes are kept for last, and kube first.
const unknownRejectors = ^uint64(0)

// rejectors returns the plugins that ruled a node out for p, which the last Select
// found to fit nowhere, and those of them that wait for something definite. If
// something else went wrong there are none: p could not be scored, or there are no
// nodes.
func (pr *Profile) rejectors(s *cluster.State, p cluster.PodID) (rejected, pending uint64) {
	if pr.err != nil || len(s.Nodes.Live()) == 0 {
		return 0, 0
	}
	if pr.rejected != unknownRejectors {
		return pr.rejected, pr.pending
	}
	d := pr.Diagnose(s, p) // asks no extender: where one was asked, it is known who rejected
	pr.rejected, pr.pending = pr.visiting(s, p, nil).bits, 0
	for i := range d.Verdicts {
		pr.reject(d.Verdicts[i].Plugin, d.Verdicts[i].Code)
	}
	return pr.rejected, pr.pending
}

// Rejectors returns the plugins that ruled a node out for p, which the last Select
// found to fit nowhere, in order of their names.
func (pr *Profile) Rejectors(s *cluster.State, p cluster.PodID) (names []string) {
	rejected, _ := pr.rejectors(s, p)
	for i, m := range pr.members {
		if rejected>>i&1 == 1 {
			names = append(names, m.name)
		}
	}
	slices.Sort(names)
	return names
}

// reject notes that a plugin ruled a node out.
func (pr *Profile) reject(plugin string, code Code) {
	bit := uint64(1) << pr.bitOf(plugin)
	pr.rejected |= bit
	if code == Pending {
		pr.pending |= bit
	}
}

// score returns the weighted sum of all plugins' normalised scores, and extenders'.
func (pr *Profile) score(s *cluster.State, p cluster.PodID, nodes []cluster.NodeID) []int64 {
	pr.one, pr.sum = resize(pr.one, len(nodes)), resize(pr.sum, len(nodes))
	clear(pr.sum)
	for i := range pr.scorers {
		pr.ranks.work.Scored += uint64(len(nodes))
		if !pr.scorers[i].scores(s, p, nodes, pr.one, pr.bare, pr.watch) {
			continue
		}
		pr.scorers[i].add(s, p, nodes, pr.one, pr.sum)
	}
	pr.addPriorities(s, p, nodes, pr.sum, nil)
	return pr.sum
}

// A ScoreError is what Select and Evaluate panic with if a score is out of bounds:
// the plugin is wrong.
type ScoreError struct {
	Plugin    string
	Score     int64
	Node, Pod string
}

// Error implements error.
func (e *ScoreError) Error() string {
	return fmt.Sprintf("plugin %s scores %d for node %s and pod %s; scores go from 0 to %d", e.Plugin, e.Score, e.Node, e.Pod, MaxScore)
}

// scores sets out to the plugin's normalised scores, which have not been checked. It
// returns false if the plugin has no say about p.
func (sc *weightedScorer) scores(s *cluster.State, p cluster.PodID, nodes []cluster.NodeID, out []int64, bare bool, w watch) bool {
	w.begin(PhaseScore, sc.name)
	said := rawScores(sc.Scorer, s, p, nodes, out, bare)
	w.end()
	if !said {
		return false
	}
	sc.normalize(s, p, nodes, out, w)
	return true
}

// add adds the plugin's scores to sum, times its weight. It panics with a *ScoreError.
func (sc *weightedScorer) add(s *cluster.State, p cluster.PodID, nodes []cluster.NodeID, scores, sum []int64) {
	sum = sum[:len(scores)]
	for j, v := range scores {
		if uint64(v) > MaxScore {
			sc.check(s, p, nodes[j], v)
		}
		sum[j] += sc.weight * v
	}
}

// normalize normalises out, if the plugin does.
func (sc *weightedScorer) normalize(s *cluster.State, p cluster.PodID, nodes []cluster.NodeID, out []int64, w watch) {
	if sc.normalizer != nil {
		w.begin(PhaseNormalize, sc.name)
		sc.normalizer.Normalize(s, p, nodes, out)
		w.end()
	}
}

// check panics if a score is out of bounds.
func (sc *weightedScorer) check(s *cluster.State, p cluster.PodID, n cluster.NodeID, score int64) {
	if uint64(score) > MaxScore {
		panic(&ScoreError{Plugin: sc.name, Score: score, Node: s.Nodes.Name[n], Pod: s.PodName(p)})
	}
}

// rawScores is Scores, or what a BareScorer says if nodes are bare.
func rawScores(sc Scorer, s *cluster.State, p cluster.PodID, nodes []cluster.NodeID, out []int64, bare bool) bool {
	if b, ok := sc.(BareScorer); ok && bare {
		return b.ScoreBare(s, p, nodes, out)
	}
	return Scores(sc, s, p, nodes, out)
}

// allocate asks the allocators in turn until one serves p. A pod that needs no
// devices is served by none.
func (pr *Profile) allocate(s *cluster.State, p cluster.PodID, n cluster.NodeID) (cluster.Allocation, Verdict) {
	var last Verdict
	for _, al := range pr.allocators {
		pr.watch.begin(PhaseAllocate, al.name)
		a, v := al.Allocate(s, p, n)
		pr.watch.end()
		if v.Code == Success {
			return a, v
		}
		last = v
	}
	return cluster.Allocation{}, last
}

func resize(x []int64, n int) []int64 {
	if cap(x) < n {
		return make([]int64, n, n+n/2)
	}
	return x[:n]
}
