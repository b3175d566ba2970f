package eviction

import (
	"slices"

	"github.com/berthsim/berth/cluster"
)

// BudgetAware keeps pods that a budget holds.
var BudgetAware = &Policy{
	Name: "budgetaware",
	Doc: "budgetaware deletes a pod only when each PodDisruptionBudget over it allows one more disruption. " +
		"Upstream's taint eviction asks no budget. Nodes are tainted as kube does. A budget that allows " +
		"nothing holds its pods for as long as it does, even on nodes that never return.",
	New: func(st Settings) any { return &budgetAware{KubePolicy: NewKubePolicy(st)} },
}

// budgetRetry is how long a pod that a budget holds is left alone: nobody tells a policy
// that budgets have changed, and a replacement takes some seconds to be ready.
const budgetRetry = 5 * cluster.Second

type budgetAware struct {
	*KubePolicy
	let []disruption
}

// A disruption is a pod that was let go under a budget, in what may be its last count.
type disruption struct {
	pod    cluster.PodID
	order  uint64 // of the pod's arrival: rows are reused
	budget *cluster.DisruptionBudget
}

// NextPods implements PodPolicy: those that their budgets let go, the first first.
func (b *budgetAware) NextPods(s *cluster.State, due []cluster.PodID) (now []cluster.PodID, again cluster.Time) {
	left := b.allowances(s)
	for _, p := range due {
		over := b.over(s, left, p)
		if slices.ContainsFunc(over, func(i int) bool { return left[i].allowed <= 0 }) {
			continue
		}
		for _, i := range over {
			left[i].allowed--
			b.let = append(b.let, disruption{p, s.Pods.Order[p], left[i].budget})
		}
		now = append(now, p)
	}
	if len(now) == len(due) {
		return now, cluster.Never
	}
	return now, s.Now + budgetRetry
}

// An allowance is how many disruptions a budget still allows.
type allowance struct {
	budget  *cluster.DisruptionBudget
	allowed int32
}

// allowances returns what budgets say, less what was let go since they were counted. A
// budget that is counted anew is another object, and a pod that stayed after all, since
// its deletion was rejected or never written, has taken nothing.
func (b *budgetAware) allowances(s *cluster.State) (left []allowance) {
	for budget := range s.Budgets.All() {
		left = append(left, allowance{budget, budget.Allowed})
	}
	b.let = slices.DeleteFunc(b.let, func(d disruption) bool {
		i := slices.IndexFunc(left, func(a allowance) bool { return a.budget == d.budget })
		stays := s.Pods.Order[d.pod] == d.order && s.Pods.Phase[d.pod] != cluster.Terminating && s.Pods.Phase[d.pod] != cluster.Ended
		if i < 0 || stays {
			return true
		}
		left[i].allowed--
		return false
	})
	return left
}

// over returns the places of the budgets that a disruption of p would count under. One
// that the Eviction API has counted already counts no more.
func (b *budgetAware) over(s *cluster.State, left []allowance, p cluster.PodID) (at []int) {
	for i, a := range left {
		if a.budget.Namespace == s.Class(p).Namespace && a.budget.Selector.Matches(s.Pods.Labels[p]) &&
			!slices.Contains(a.budget.Disrupted, s.Pods.Name[p]) {
			at = append(at, i)
		}
	}
	return at
}
