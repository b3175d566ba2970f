package plugins

import (
	"cmp"
	"fmt"

	"github.com/berthsim/berth/cluster"
	"github.com/berthsim/berth/quota"
	"github.com/berthsim/berth/scheduler"
)

// ElasticQuota shares a cluster between queues. It goes by Kueue's words and arithmetic
// (sigs.k8s.io/kueue) and has the place in the scheduler that CapacityScheduling has
// (sigs.k8s.io/scheduler-plugins): PreFilter, Reserve and PostFilter. Beyond both it sorts the
// queue by dominant share, as Dominant Resource Fairness does (Ghodsi et al., NSDI 2011).
var ElasticQuota = &scheduler.Plugin{
	Name: "ElasticQuota",
	Doc: "ElasticQuota shares the cluster between queues with guarantees, which others may borrow until the owner wants them back. " +
		"Whose share is lowest is tried first. Its queues stand in a KubeSchedulerConfiguration.",
	New: func(args scheduler.Args) (any, error) {
		if args == nil {
			return nil, fmt.Errorf("queues is missing; list the queues in the pluginConfig of a KubeSchedulerConfiguration")
		}
		var o elasticOptions
		if err := args(&o); err != nil {
			return nil, err
		}
		tree, err := o.tree()
		if err != nil {
			return nil, err
		}
		return newElasticQuota(tree), nil
	},
}

// elasticQuota keeps count of what queues use.
type elasticQuota struct {
	*ledger
	scratch *quota.TreeUsage
	leaves  []int   // scratch of First
	want    []int64 // scratch of Wake
}

func newElasticQuota(tree *quota.Tree) *elasticQuota {
	return &elasticQuota{ledger: &ledger{tree: tree, usage: tree.NewUsage()}, scratch: tree.NewUsage()}
}

// Lane implements scheduler.Sorter: each leaf has a lane, and pods of no queue the first.
func (e *elasticQuota) Lane(s *cluster.State, p cluster.PodID) int {
	return e.of(s, s.Pods.Class[p]).leaf + 1
}

// First implements scheduler.Sorter: the pod of the queue with the lowest share; of those of
// equal shares the one of the highest priority, and then that which came first.
func (e *elasticQuota) First(s *cluster.State, heads []cluster.PodID) int {
	e.leaves = e.leaves[:0]
	for _, p := range heads {
		e.leaves = append(e.leaves, e.of(s, s.Pods.Class[p]).leaf)
	}
	return e.sync(s).First(e.leaves, func(a, b int) bool {
		p, q := heads[a], heads[b]
		return cmp.Or(cmp.Compare(s.Class(q).Priority, s.Class(p).Priority), cmp.Compare(s.Pods.Order[p], s.Pods.Order[q])) < 0
	})
}

// Preselect implements scheduler.Preselector: a pod whose queue may not use as much more as it
// asks for may run nowhere.
func (e *elasticQuota) Preselect(s *cluster.State, p cluster.PodID) (names []string, restricted bool, v scheduler.Verdict) {
	d := e.of(s, s.Pods.Class[p])
	if d.leaf == quota.NoQueue {
		return nil, false, v
	}
	u := e.promised(s, p, d)
	if r, lacks := u.Lacks(d.leaf, d.want); lacks {
		v = e.refusal(d, r, u.Available(d.leaf, r))
	}
	return nil, false, v
}

// refusal says of which resource a queue may use too little.
func (e *elasticQuota) refusal(d *demand, r int, left int64) scheduler.Verdict {
	name := e.tree.Resources()[r]
	reason := fmt.Sprintf("queue %s lacks %s: %s asked for, %s left", e.tree.Queue(d.leaf).Name, name,
		writeAmount(name, d.want[r]), writeAmount(name, max(0, left)))
	return scheduler.Verdict{Code: scheduler.Unschedulable, Reasons: []string{reason}}
}

// Permit implements scheduler.Gate: what Preselect found out may not be so any more when a
// decision takes time, or others bind pods, too.
func (e *elasticQuota) Permit(s *cluster.State, p cluster.PodID, _ cluster.NodeID) (v scheduler.Verdict, atMost cluster.Time) {
	d := e.of(s, s.Pods.Class[p])
	if d.leaf == quota.NoQueue {
		return v, 0
	}
	u := e.promised(s, p, d)
	if r, overdrawn := u.Overdrawn(d.leaf, d.want); overdrawn {
		v = e.refusal(d, r, u.Available(d.leaf, r)+d.want[r])
	}
	return v, 0
}

// Settle implements scheduler.Gate. Nobody waits for this one.
func (e *elasticQuota) Settle(*cluster.State, cluster.PodID) (v scheduler.Verdict) { return v }

var keptForOwner = scheduler.Verdict{
	Code:    scheduler.Unschedulable,
	Reasons: []string{"node(s) kept for a pod of a queue that reclaims its quota"},
}

// Filter implements scheduler.Filter: a pod with which its queue borrows does not take the room
// that was made for a pod of a queue that doesn't. Kube minds pods for which a node is kept only
// if they are as important.
func (e *elasticQuota) Filter(s *cluster.State, p cluster.PodID) func(cluster.NodeID) scheduler.Verdict {
	d := e.of(s, s.Pods.Class[p])
	if d.leaf == quota.NoQueue || !s.AnyNominee() || e.sync(s).Within(d.leaf, d.leaf, d.want) {
		return nil
	}
	var owners []cluster.PodID
	e.eachNominee(s, p, func(q cluster.PodID, o *demand) {
		if o.leaf != d.leaf && e.tree.Root(o.leaf) == e.tree.Root(d.leaf) && e.usage.Within(o.leaf, o.leaf, o.want) {
			owners = append(owners, q)
		}
	})
	if len(owners) == 0 {
		return nil
	}
	return func(n cluster.NodeID) (v scheduler.Verdict) {
		for r, amount := range s.Class(p).Requests {
			r, owned := cluster.Resource(r), int64(0)
			for _, q := range owners {
				if s.Pods.Nominated[q] == n && s.Pods.Node[q] == cluster.None {
					owned += s.Class(q).Requests.Get(r)
				}
			}
			if owned > 0 && amount > 0 && amount > s.Free(n, r)-owned {
				return keptForOwner
			}
		}
		return v
	}
}

// Wakes implements scheduler.Waker.
func (*elasticQuota) Wakes() scheduler.Action {
	return scheduler.PodDelete | scheduler.UpdatePodScaleDown | nodeJoins | scheduler.UpdateNodeAllocatable | scheduler.UpdateNodeLabel
}

// Wake implements scheduler.Waker: a pod of the same tree gives something back, or there may be
// a node now from which to reclaim.
func (e *elasticQuota) Wake(s *cluster.State, class *cluster.Class, c *scheduler.Change) bool {
	leaf := e.tree.Of(class.Namespace)
	if leaf == quota.NoQueue {
		return false
	}
	if c.What&(scheduler.PodDelete|scheduler.UpdatePodScaleDown) == 0 {
		e.want = e.wantOf(s, class, e.want)
		return e.sync(s).Claims(leaf, e.want)
	}
	other := e.of(s, c.OldPod.Class)
	return c.Own || other.leaf != quota.NoQueue && e.tree.Root(other.leaf) == e.tree.Root(leaf) && holdsNode(&c.OldPod)
}
