// Package scheduler places pods on nodes as kube-scheduler does: plugins filter
// the nodes, score those left, and the best node is the pod's.
//
// A plugin is a value in a list that a program's main is given. There is no
// registry. What a plugin's author writes is a ladder, of which every rung is
// optional but the first that serves:
//
//	rung 0  ScoreFunc: a scoring policy in one expression
//	rung 1  Filter, Scorer: work done once for a pod, then a function of a node
//	rung 2  BatchFilter, BatchScorer: all nodes in one call
//	rung 3  Dependent: what answers depend on, so that they are kept
//
// The framework uses the best rung there is and falls back; callers never ask
// which it is. schedulertest checks that the rungs agree.
package scheduler

import (
	"github.com/berthsim/berth/cluster"
)

// MaxScore is the highest score a plugin may give a node; the lowest is 0.
const MaxScore = 100

// A Plugin describes a plugin and makes instances of it.
type Plugin struct {
	Name string // as Kubernetes would write it, for example NodeResourcesFit
	Doc  string // its first sentence is the title

	// New makes an instance for one run. It implements at least one of Filter,
	// Scorer and Allocator. args decodes the plugin's options, strictly, into
	// what it is given a pointer to; it is nil if there are none.
	New func(args Args) (any, error)

	// Required says that every profile has the plugin, for all but what it
	// scores; for that only if the policy names it.
	Required bool

	// Members, if set, says that the name stands for other plugins of the list,
	// with their weights. Such a plugin has no New.
	Members []Weighted

	// Ties is how a profile made of this plugin alone chooses among equals, if
	// not by TiesLowest.
	Ties Ties
}

// Args decodes a plugin's options into a struct.
type Args func(into any) error

// A Filter rules out nodes.
type Filter interface {
	// Filter returns a function that says whether p may run on a node, or nil
	// if p may run on any. Neither it nor the function may write to s.
	Filter(s *cluster.State, p cluster.PodID) func(cluster.NodeID) Verdict
}

// A BatchFilter is a Filter that is faster at many nodes at once.
type BatchFilter interface {
	Filter

	// FilterBatch keeps those of nodes that p may run on, in their order. It
	// may write over nodes, and returns a part of it.
	FilterBatch(s *cluster.State, p cluster.PodID, nodes []cluster.NodeID) []cluster.NodeID
}

// A TrialFilter is a Filter that prepares more than it can read from the State
// when it is asked about a node. While a trial adds pods to a node and takes them
// off, to learn whether p would fit then, the filter must be told.
type TrialFilter interface {
	Filter

	// FilterTrial is Filter, and returns besides a function that is called after
	// a trial put q on n (delta +1) or took it off (delta -1). Trials are taken
	// back by calls in the opposite order. If may is nil, so is changed, and p
	// may run anywhere for the whole cycle, as after kube's Skip.
	FilterTrial(s *cluster.State, p cluster.PodID) (may func(cluster.NodeID) Verdict, changed func(q cluster.PodID, n cluster.NodeID, delta int))
}

// A Foreteller is a Filter that can tell without a trial where preemption is in vain.
type Foreteller interface {
	Filter

	// Hopeless returns a function that may report true only for a node on which p would
	// not fit either if all pods there of a lower priority were removed, whatever pods the
	// node is kept for; nil if that can't be told.
	Hopeless(s *cluster.State, p cluster.PodID) func(cluster.NodeID) bool
}

// A Preselector is a Filter that can tell beforehand which few nodes may do:
// what kube's plugins say in PreFilter.
type Preselector interface {
	Filter

	// Preselect returns the names of the nodes that alone may do, known or not,
	// and restricted; or restricted false, if it can't tell. A verdict other
	// than Success rules out all nodes.
	Preselect(s *cluster.State, p cluster.PodID) (names []string, restricted bool, v Verdict)
}

// A Scorer ranks nodes.
type Scorer interface {
	// Score returns a function that scores a node for p, or nil if the plugin
	// has no say about p, and adds nothing to any node's score.
	// A score lies in 0 to MaxScore, unless the Scorer is a Normalizer too.
	// Neither Score nor the function may write to s.
	Score(s *cluster.State, p cluster.PodID) func(cluster.NodeID) int64
}

// A BatchScorer is a Scorer that is faster at many nodes at once.
type BatchScorer interface {
	Scorer

	// ScoreBatch sets out[i] to the score of nodes[i]. It returns false, and
	// sets out to zeros, if the plugin has no say about p.
	ScoreBatch(s *cluster.State, p cluster.PodID, nodes []cluster.NodeID, out []int64) bool
}

// A PreScorer is a Scorer that can fail: there may be pods that Kubernetes accepts
// and a plugin can't make sense of. Such a pod isn't placed if it has a choice.
type PreScorer interface {
	Scorer

	// PreScore returns what is wrong with p, nil if nothing is. It is called
	// before p is scored.
	PreScore(s *cluster.State, p cluster.PodID) error
}

// A SetScorer is a Scorer whose score of a node depends on which other nodes are
// feasible. Its Score is ScoreAmong all nodes.
type SetScorer interface {
	Scorer

	// ScoreAmong is Score, when the feasible nodes are those.
	ScoreAmong(s *cluster.State, p cluster.PodID, feasible []cluster.NodeID) func(cluster.NodeID) int64
}

// A Normalizer is a Scorer whose scores mean something only beside each other.
type Normalizer interface {
	Scorer

	// Normalize brings the scores of all feasible nodes to 0 to MaxScore. It is
	// not called if the plugin had no say.
	Normalize(s *cluster.State, p cluster.PodID, nodes []cluster.NodeID, scores []int64)
}

// A BestKeeper is a Normalizer that gives its highest score to the nodes that had the highest
// before, and to no others. Where it alone scores, which node is best can so be kept without
// normalising.
type BestKeeper interface {
	Normalizer

	// KeepsBest says so, and does nothing.
	KeepsBest()
}

// An Allocator chooses the devices that p gets on a node.
type Allocator interface {
	// Allocate returns p's devices on n; or, if n can't serve p, a verdict that
	// says why. It must not write to s.
	Allocate(s *cluster.State, p cluster.PodID, n cluster.NodeID) (cluster.Allocation, Verdict)
}

// A PreEnqueuer says whether a pod may be tried at all.
type PreEnqueuer interface {
	// PreEnqueue returns a verdict other than Success for a pod that must not
	// be tried until something about it changes. It must not write to s.
	PreEnqueue(s *cluster.State, p cluster.PodID) Verdict
}

// A Preemptor finds pods that could go to make room for one that fits nowhere:
// kube's PostFilter.
type Preemptor interface {
	// Preempt returns what to do for p, or ok false if nothing would help. d
	// says why p fits nowhere; t asks the filters about p while pods are taken
	// off nodes. Whatever Preempt does to t it must undo.
	Preempt(s *cluster.State, p cluster.PodID, d Diagnosis, t *Trial) (pre Preemption, ok bool)
}

// A Reclaimer is a Preemptor that looks beyond priority, and alone says who goes for some pods:
// a quota that is lent can be called back.
type Reclaimer interface {
	Preemptor

	// Reclaims returns alone if no other Preemptor is to be asked about p, which fits
	// nowhere; then worth says whether this one is, be it that nobody on a node has a lower
	// priority, or that it has itself ruled out all nodes as a Preselector. It must not
	// write to s.
	Reclaims(s *cluster.State, p cluster.PodID) (alone, worth bool)
}

// A Preemption is what a Preemptor proposes.
type Preemption struct {
	Node    cluster.NodeID  // to be kept for the pod; None to keep none any longer
	Victims []cluster.PodID // on that node or on others
}

// Narrow keeps those of nodes that f lets p run on, in their order. It writes
// over nodes.
func Narrow(f Filter, s *cluster.State, p cluster.PodID, nodes []cluster.NodeID) []cluster.NodeID {
	if b, ok := f.(BatchFilter); ok {
		return b.FilterBatch(s, p, nodes)
	}
	may := f.Filter(s, p)
	if may == nil {
		return nodes
	}
	kept := nodes[:0]
	for _, n := range nodes {
		if may(n).Code == Success {
			kept = append(kept, n)
		}
	}
	return kept
}

// Scores sets out[i] to sc's score of nodes[i], the feasible nodes, before any
// normalisation. It returns false, and zeros, if sc has no say about p.
func Scores(sc Scorer, s *cluster.State, p cluster.PodID, nodes []cluster.NodeID, out []int64) bool {
	if b, ok := sc.(BatchScorer); ok {
		return b.ScoreBatch(s, p, nodes, out)
	}
	var score func(cluster.NodeID) int64
	if among, ok := sc.(SetScorer); ok {
		score = among.ScoreAmong(s, p, nodes)
	} else {
		score = sc.Score(s, p)
	}
	if score == nil {
		clear(out)
		return false
	}
	for i, n := range nodes {
		out[i] = score(n)
	}
	return true
}

// ScoreFunc makes a plugin of a function that scores one node, from 0 to
// MaxScore: the shortest way to a policy of one's own.
func ScoreFunc(name, doc string, score func(s *cluster.State, p cluster.PodID, n cluster.NodeID) int64) *Plugin {
	return &Plugin{Name: name, Doc: doc, New: func(Args) (any, error) { return scoreFunc(score), nil }}
}

type scoreFunc func(*cluster.State, cluster.PodID, cluster.NodeID) int64

// Score implements Scorer.
func (f scoreFunc) Score(s *cluster.State, p cluster.PodID) func(cluster.NodeID) int64 {
	return func(n cluster.NodeID) int64 { return f(s, p, n) }
}
