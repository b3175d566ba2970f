package plugins

import (
	"github.com/berthsim/berth/cluster"
	"github.com/berthsim/berth/quota"
)

// A ledger keeps count of what the pods on nodes use of a tree's quotas, those that have been
// told to end included, by the State's log of changes. So it follows a trial, too.
type ledger struct {
	tree     *quota.Tree
	usage    *quota.TreeUsage
	position uint64 // in the log, up to which usage counts

	classes []demand // by ClassID
}

// A demand is what pods of a class want, by the tree's resources, and of which queue.
type demand struct {
	known bool
	leaf  int // quota.NoQueue if no queue is for them
	want  []int64
}

// wholeGPUs is the resource that counts GPUs: those asked for as an extended resource, and those
// of which a pod wants a share, each as one.
const wholeGPUs = "nvidia.com/gpu"

// of returns what pods of class c want.
func (l *ledger) of(s *cluster.State, c cluster.ClassID) *demand {
	for len(l.classes) <= int(c) {
		l.classes = append(l.classes, demand{})
	}
	d := &l.classes[c]
	if !d.known {
		class := s.ClassByID(c)
		*d = demand{true, l.tree.Of(class.Namespace), l.wantOf(s, class, nil)}
	}
	return d
}

// wantOf returns what pods of a class want, by the tree's resources, in the place of want.
func (l *ledger) wantOf(s *cluster.State, class *cluster.Class, want []int64) []int64 {
	want = want[:0]
	for _, name := range l.tree.Resources() {
		amount := int64(0)
		if r, ok := s.Column(name); ok {
			amount = class.Requests.Get(r)
		}
		if name == wholeGPUs {
			amount += int64(class.GPUs.Count)
		}
		want = append(want, amount)
	}
	return want
}

// sync brings the usage up to date, and returns it.
func (l *ledger) sync(s *cluster.State) *quota.TreeUsage {
	changes, now, ok := s.ChangesSince(l.position)
	l.position = now
	if !ok {
		l.recount(s, l.usage)
		return l.usage
	}
	for _, c := range changes {
		if c.On != 0 {
			l.charge(s, l.usage, c.Class, int64(c.On))
		}
	}
	return l.usage
}

// charge adds what a pod of a class uses to u, or takes it off if times is -1.
func (l *ledger) charge(s *cluster.State, u *quota.TreeUsage, c cluster.ClassID, times int64) {
	if d := l.of(s, c); d.leaf != quota.NoQueue {
		u.Add(d.leaf, d.want, times)
	}
}

// recount has u count all pods on nodes.
func (l *ledger) recount(s *cluster.State, u *quota.TreeUsage) {
	u.Clear()
	for p, n := range s.Pods.Node {
		if n != cluster.None {
			l.charge(s, u, s.Pods.Class[p], +1)
		}
	}
}

// eachNominee calls do for each pod of a queue, but p, for which a node is kept.
func (l *ledger) eachNominee(s *cluster.State, p cluster.PodID, do func(q cluster.PodID, d *demand)) {
	if !s.AnyNominee() {
		return
	}
	for n := range s.NominatedNodes() {
		for q := range s.Nominees(n) {
			if d := l.of(s, s.Pods.Class[q]); q != p && d.leaf != quota.NoQueue && s.Pods.Node[q] == cluster.None {
				do(q, d)
			}
		}
	}
}

// promised returns what is used as p must see it: with what is kept for pods that have a node
// kept for them. A less important one of the same queue doesn't count; nor does one with which
// its queue would borrow, if p's queue wouldn't with p.
func (e *elasticQuota) promised(s *cluster.State, p cluster.PodID, d *demand) *quota.TreeUsage {
	u := e.sync(s)
	if !s.AnyNominee() {
		return u
	}
	placed := s.Pods.Node[p] != cluster.None // as Permit sees it
	owns := placed && !e.borrows(d) || !placed && u.Within(d.leaf, d.leaf, d.want)
	e.scratch.Set(u)
	e.promise(s, p, d, e.scratch, owns)
	return e.scratch
}

// promise adds to u what is kept for others than p, in order of nodes; of other queues', if only
// owners count, as long as they don't borrow.
func (e *elasticQuota) promise(s *cluster.State, p cluster.PodID, d *demand, u *quota.TreeUsage, owners bool) {
	e.eachNominee(s, p, func(q cluster.PodID, o *demand) {
		switch {
		case o.leaf == d.leaf && s.Class(q).Priority < s.Class(p).Priority:
		case o.leaf != d.leaf && owners && !u.Within(o.leaf, o.leaf, o.want):
		default:
			u.Add(o.leaf, o.want, +1)
		}
	})
}

// borrows reports whether d's queue uses more than its own of what d wants.
func (e *elasticQuota) borrows(d *demand) bool {
	for r, amount := range d.want {
		if amount > 0 && e.tree.Limits(d.leaf, r) && e.usage.Over(d.leaf, r) {
			return true
		}
	}
	return false
}
