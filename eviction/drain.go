package eviction

import (
	"cmp"
	"slices"

	"github.com/berthsim/berth/cluster"
)

// Unschedulable is the taint of a node that is cordoned.
var Unschedulable = cluster.Taint{Key: cluster.TaintUnschedulable, Effect: cluster.NoSchedule}

// evictAgain is how long kubectl drain waits after a 429.
const evictAgain = 5 * cluster.Second

// A Drain cordons nodes and empties them through the Eviction API, as kubectl drain does
// with --force, --ignore-daemonsets and --delete-emptydir-data.
//
// The pods that are on a node when its time comes are asked to go, but for those of
// DaemonSets and mirror pods. A 429 is asked again after 5 s, for as long as it takes;
// any other refusal is final. A drain is over when all these pods are gone, or refused
// for good, or when Timeout has passed. The node stays cordoned.
type Drain struct {
	Plan []Maintenance
	// Order says which of a node's pods are asked first. By default those whose namespace
	// and name come first, as an API server lists them.
	Order PodOrder
	// Parallel is how many pods of a node may be on their way out at a time, 0 for any
	// number, as kubectl drain has it. Those that were told to end by others count.
	Parallel int
	Timeout  cluster.Time // after which a node's drain is given up; 0 for never

	// Results has the drains that are over, in order of their ends.
	Results []Drained

	begun []bool // by Plan
	nodes []*draining
}

// A Maintenance is a node to be drained, and when.
type Maintenance struct {
	Node string
	At   cluster.Time
}

// A PodOrder is a policy that says which pods go first.
type PodOrder interface {
	// Compare returns a number below 0 if a goes before b, above 0 if after, and 0 if that
	// is left to their names.
	Compare(s *cluster.State, a, b cluster.PodID) int
}

// Drained is what came of a drain.
type Drained struct {
	Node       string
	Began, End cluster.Time
	Outcome    DrainOutcome
	Left       []string // pods that should have gone, and are on the node still: namespace/name
}

// A DrainOutcome says how a drain ended.
type DrainOutcome string

// The outcomes of a drain.
const (
	DrainedEmpty    DrainOutcome = "empty"     // all pods that had to go are gone
	DrainedRefused  DrainOutcome = "refused"   // the API server said no for good
	DrainedTimeout  DrainOutcome = "timed out" // some were there when Timeout had passed
	DrainedNotFound DrainOutcome = "not found" // there was no such node
)

// draining is a node whose drain is under way.
type draining struct {
	name  string
	began cluster.Time
	pods  []leaving // in the order in which they are asked
}

// leaving is a pod that is to go.
type leaving struct {
	pod   cluster.PodID
	state leave
	ask   cluster.Time // not before
}

type leave uint8

const (
	toAsk leave = iota
	asked       // or told to end by somebody else
	refused
	gone
)

// Step implements cluster.Controller.
func (d *Drain) Step(s *cluster.State, events []cluster.Event) (wake cluster.Time) {
	for i := range events {
		d.notice(s, &events[i])
	}
	wake = cluster.Never
	if d.begun == nil {
		d.begun = make([]bool, len(d.Plan))
	}
	for i, m := range d.Plan {
		switch {
		case d.begun[i]:
		case m.At > s.Now:
			wake = min(wake, m.At)
		default:
			d.begun[i] = true
			d.begin(s, m)
		}
	}
	d.nodes = slices.DeleteFunc(d.nodes, func(n *draining) bool {
		next, over := d.proceed(s, n)
		wake = min(wake, next)
		return over
	})
	return wake
}

// notice takes in what became of pods that were asked to go.
func (d *Drain) notice(s *cluster.State, e *cluster.Event) {
	again := leaving{state: gone}
	switch {
	case e.Kind == cluster.PodEnded:
	case e.Kind == cluster.Rejected && e.Decision.Kind == cluster.RequestEviction && e.Code == TooManyRequests:
		again = leaving{state: toAsk, ask: s.Now + evictAgain}
	case e.Kind == cluster.Rejected && e.Decision.Kind == cluster.RequestEviction:
		again.state = refused
	default:
		return
	}
	for _, n := range d.nodes {
		if i := slices.IndexFunc(n.pods, func(l leaving) bool { return l.pod == e.Pod && l.state != gone }); i >= 0 {
			n.pods[i].state, n.pods[i].ask = again.state, again.ask
		}
	}
}

// begin cordons a node and notes which pods have to leave it.
func (d *Drain) begin(s *cluster.State, m Maintenance) {
	n, ok := s.Nodes.Named(m.Node)
	if !ok {
		d.Results = append(d.Results, Drained{Node: m.Node, Began: s.Now, End: s.Now, Outcome: DrainedNotFound})
		return
	}
	if !slices.Contains(s.Nodes.Taints[n], Unschedulable) {
		s.AddTaint(n, Unschedulable)
	}
	node := &draining{name: m.Node, began: s.Now}
	for p := range s.PodsOn(n) {
		if !staysWithNode(s, p) {
			node.pods = append(node.pods, leaving{pod: p})
		}
	}
	slices.SortFunc(node.pods, func(a, b leaving) int {
		order := 0
		if d.Order != nil {
			order = d.Order.Compare(s, a.pod, b.pod)
		}
		return cmp.Or(order, cmp.Compare(s.PodName(a.pod), s.PodName(b.pod)))
	})
	d.nodes = append(d.nodes, node)
}

// staysWithNode reports whether p is a DaemonSet's pod or a mirror pod: it belongs to
// its node, and would be back at once.
func staysWithNode(s *cluster.State, p cluster.PodID) bool {
	kind := s.Class(p).Owner.Kind
	return kind == "DaemonSet" || kind == "Node"
}

// proceed asks pods to go whose turn it is. It returns when it is to be called next,
// and whether the drain is over.
func (d *Drain) proceed(s *cluster.State, n *draining) (next cluster.Time, over bool) {
	onTheirWay, left, failed := 0, 0, false
	for i := range n.pods {
		l := &n.pods[i]
		if l.state == toAsk && s.Pods.Phase[l.pod] == cluster.Terminating {
			l.state = asked
		}
		switch l.state {
		case asked:
			onTheirWay++
			left++
		case toAsk:
			left++
		case refused:
			failed = true
		}
	}
	next = cluster.Never
	if d.Timeout > 0 {
		next = n.began + d.Timeout
	}
	switch {
	case left == 0 && failed:
		return cluster.Never, d.end(s, n, DrainedRefused)
	case left == 0:
		return cluster.Never, d.end(s, n, DrainedEmpty)
	case next <= s.Now:
		return cluster.Never, d.end(s, n, DrainedTimeout)
	}
	for i := range n.pods {
		l := &n.pods[i]
		switch {
		case l.state != toAsk || d.Parallel > 0 && onTheirWay >= d.Parallel:
		case l.ask > s.Now:
			next = min(next, l.ask)
		default:
			s.RequestEviction(l.pod)
			l.state = asked
			onTheirWay++
		}
	}
	return next, false
}

// end notes what came of a drain. It returns true.
func (d *Drain) end(s *cluster.State, n *draining, outcome DrainOutcome) bool {
	result := Drained{Node: n.name, Began: n.began, End: s.Now, Outcome: outcome}
	for _, l := range n.pods {
		if l.state != gone {
			result.Left = append(result.Left, s.PodName(l.pod))
		}
	}
	d.Results = append(d.Results, result)
	return true
}

// LowestPriority is a PodOrder in which pods of lower priority go first, and among those
// of one priority the ones that began to run last.
type LowestPriority struct{}

// Compare implements PodOrder.
func (LowestPriority) Compare(s *cluster.State, a, b cluster.PodID) int {
	return cmp.Or(cmp.Compare(s.Class(a).Priority, s.Class(b).Priority), cmp.Compare(s.Pods.Started[b], s.Pods.Started[a]))
}
