package eviction

import (
	"fmt"
	"slices"

	"github.com/berthsim/berth/cluster"
)

// The HTTP statuses with which the Eviction API answers.
const (
	Created             = 201
	Forbidden           = 403
	TooManyRequests     = 429
	InternalServerError = 500
)

// maxDisrupted is how many pods may be on their way out under one budget.
const maxDisrupted = 2000

// A Verdict is what the Eviction API answers.
type Verdict struct {
	Code    int16                     // HTTP status: Created if the pod is told to end
	Charged *cluster.DisruptionBudget // the budget that pays for it, as it is from now on; nil if none does
	Reason  string                    // why not, for people
	Retry   cluster.Time              // when it may be worth asking again, counted from now: Retry-After; 0 if that isn't said
}

// A Request asks for the eviction of one pod.
type Request struct {
	Pod cluster.PodID
	// Ending says that the pod had been told to end before. State can't tell: it shows a
	// pod as Terminating as soon as a controller asks for its eviction.
	Ending bool
}

// Review decides about a request, as the Eviction API of Kubernetes does:
//
//   - A pod that has yet to run, or that was told to end, is evicted whatever budgets say.
//   - More than one budget over a pod is an error, 500. With none it is evicted.
//   - A pod that isn't ready costs nothing. It is evicted if the budget says AlwaysAllow,
//     or has as many healthy pods as it needs, and needs any.
//   - Any other eviction is charged to the budget. It is too early, 429, if no disruption
//     is allowed, or if nobody has counted since the budget was changed; it is forbidden,
//     403, if the status makes no sense or more than 2,000 evicted pods haven't ended yet.
//
// Budgets are those that there are, of any namespace.
func Review(s *cluster.State, r Request, budgets func(yield func(*cluster.DisruptionBudget) bool)) Verdict {
	p := r.Pod
	if r.Ending || yetToRun(s, p) {
		return Verdict{Code: Created}
	}
	class := s.Class(p)
	var over *cluster.DisruptionBudget
	for b := range budgets {
		if b.Namespace != class.Namespace || !b.Selector.Matches(class.Labels) {
			continue
		}
		if over != nil {
			return Verdict{Code: InternalServerError, Reason: fmt.Sprintf("the pod is under two disruption budgets, %s and %s", over.Name, b.Name)}
		}
		over = b
	}
	if over == nil {
		return Verdict{Code: Created}
	}
	if !s.IsReady(p) && (over.AlwaysAllow || over.CurrentHealthy >= over.DesiredHealthy && over.DesiredHealthy > 0) {
		return Verdict{Code: Created}
	}
	return charge(over, s.Pods.Name[p], s.Now)
}

// yetToRun reports whether p's phase is Pending, as its status has it: it is on no node, as
// far as its node has said, or its containers have not all been started.
func yetToRun(s *cluster.State, p cluster.PodID) bool {
	return s.Pods.Node[p] == cluster.None || s.Pods.Phase[p] == cluster.Assumed || s.Pods.Starting[p]
}

// charge lets a pod go at the expense of b, if b allows it.
func charge(b *cluster.DisruptionBudget, pod string, now cluster.Time) Verdict {
	refuse := func(code int16, retry cluster.Time, why string) Verdict {
		return Verdict{Code: code, Retry: retry, Reason: "disruption budget " + b.Name + " " + why}
	}
	switch {
	case b.ObservedGeneration < b.Generation:
		return refuse(TooManyRequests, 10*cluster.Second, "has changed, and its pods have not been counted since")
	case b.Allowed < 0:
		return refuse(Forbidden, 0, "allows a negative number of disruptions")
	case len(b.Disrupted) > maxDisrupted:
		return refuse(Forbidden, 0, fmt.Sprintf("waits for the end of %d pods that were evicted", len(b.Disrupted)))
	case b.Allowed == 0:
		return refuse(TooManyRequests, 0, fmt.Sprintf("allows no disruption now: %d pods are healthy, %d have to be", b.CurrentHealthy, b.DesiredHealthy))
	}
	next := *b
	next.Allowed--
	i, again := slices.BinarySearch(b.Disrupted, pod)
	if again {
		next.DisruptedAt = slices.Clone(b.DisruptedAt)
	} else {
		next.Disrupted = slices.Insert(slices.Clone(b.Disrupted), i, pod)
		next.DisruptedAt = slices.Insert(slices.Clone(b.DisruptedAt), i, 0)
	}
	next.DisruptedAt[i] = now - now%cluster.Second // objects hold whole seconds
	return Verdict{Code: Created, Charged: &next}
}

// API answers for the Eviction API of a simulated cluster. It implements
// sim.EvictionCheck.
type API struct{}

// Evict decides whether p may be evicted. Where latest has another state of a budget
// than State, that one counts. Code is 0 if it may.
func (API) Evict(s *cluster.State, p cluster.PodID, ending bool, latest func(*cluster.DisruptionBudget) *cluster.DisruptionBudget) (charged *cluster.DisruptionBudget, code int16, reason string) {
	v := Review(s, Request{Pod: p, Ending: ending}, func(yield func(*cluster.DisruptionBudget) bool) {
		for b := range s.Budgets.All() {
			if !yield(latest(b)) {
				return
			}
		}
	})
	if v.Code == Created {
		return v.Charged, 0, ""
	}
	return nil, v.Code, v.Reason
}
