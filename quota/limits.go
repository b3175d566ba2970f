package quota

import (
	"fmt"
	"math"

	"github.com/berthsim/berth/cluster"
)

// podProblems says in which ways a pod asks for what a range doesn't allow.
func (r *LimitRange) podProblems(a *cluster.Account) (problems []string) {
	for i := range r.Items {
		item := &r.Items[i]
		switch item.Type {
		case LimitContainer:
			for j := range a.Containers {
				problems = item.problems(problems, a.Containers[j].Requests, a.Containers[j].Limits)
			}
			for j := range a.InitContainers {
				problems = item.problems(problems, a.InitContainers[j].Requests, a.InitContainers[j].Limits)
			}
		case LimitPod:
			requests := total(a, func(c *cluster.Container) []cluster.NamedAmount { return c.Requests })
			limits := total(a, func(c *cluster.Container) []cluster.NamedAmount { return c.Limits })
			problems = item.problems(problems, requests, limits)
		}
	}
	return problems
}

// claimProblems does the same for a claim, which has no limits. It is its request that may
// not be above the highest, not its limit.
func (r *LimitRange) claimProblems(c *Claim) (problems []string) {
	var requests []cluster.NamedAmount
	if c.Requested >= 0 {
		requests = []cluster.NamedAmount{{Name: "storage", Amount: c.Requested}}
	}
	for i := range r.Items {
		item := &r.Items[i]
		if item.Type != LimitClaim {
			continue
		}
		for _, low := range item.Min {
			problems = appendProblem(problems, item.tooLow(low, requests, nil))
		}
		for _, high := range item.Max {
			at, asked := find(requests, high.Name)
			switch {
			case !asked:
				problems = append(problems, item.about("maximum", high)+".  No request is specified")
			case requests[at].Amount > high.Amount:
				problems = append(problems, item.about("maximum", high)+", but request is "+written(requests[at]))
			}
		}
	}
	return problems
}

// problems appends what is wrong with what is asked for.
func (item *LimitRangeItem) problems(to []string, requests, limits []cluster.NamedAmount) []string {
	for _, low := range item.Min {
		to = appendProblem(to, item.tooLow(low, requests, limits))
	}
	for _, high := range item.Max {
		to = appendProblem(to, item.tooHigh(high, requests, limits))
	}
	for _, ratio := range item.Ratio {
		to = appendProblem(to, item.tooFarApart(ratio, requests, limits))
	}
	return to
}

func appendProblem(to []string, problem string) []string {
	if problem == "" {
		return to
	}
	return append(to, problem)
}

// about begins to say what is wrong.
func (item *LimitRangeItem) about(bound string, a cluster.NamedAmount) string {
	return fmt.Sprintf("%s %s usage per %s is %s", bound, a.Name, item.Type, written(a))
}

// tooLow wants a request that is at least low; a limit may be missing.
func (item *LimitRangeItem) tooLow(low cluster.NamedAmount, requests, limits []cluster.NamedAmount) string {
	r, asked := find(requests, low.Name)
	l, limited := find(limits, low.Name)
	switch {
	case !asked:
		return item.about("minimum", low) + ".  No request is specified"
	case requests[r].Amount < low.Amount:
		return item.about("minimum", low) + ", but request is " + written(requests[r])
	case limited && limits[l].Amount < low.Amount:
		return item.about("minimum", low) + ", but limit is " + written(limits[l])
	}
	return ""
}

// tooHigh wants a limit that is at most high; a request may be missing.
func (item *LimitRangeItem) tooHigh(high cluster.NamedAmount, requests, limits []cluster.NamedAmount) string {
	r, asked := find(requests, high.Name)
	l, limited := find(limits, high.Name)
	switch {
	case !limited:
		return item.about("maximum", high) + ".  No limit is specified"
	case limits[l].Amount > high.Amount:
		return item.about("maximum", high) + ", but limit is " + written(limits[l])
	case asked && requests[r].Amount > high.Amount:
		return item.about("maximum", high) + ", but request is " + written(requests[r])
	}
	return ""
}

// tooFarApart wants a limit and a request that are above 0, and the one at most so many times
// the other.
func (item *LimitRangeItem) tooFarApart(ratio cluster.NamedAmount, requests, limits []cluster.NamedAmount) string {
	about := fmt.Sprintf("%s max limit to request ratio per %s is %s", ratio.Name, item.Type, decimal(ratio.Amount, "m", "", "k", "M", "G", "T", "P"))
	r, asked := find(requests, ratio.Name)
	l, limited := find(limits, ratio.Name)
	switch {
	case !asked || requests[r].Amount == 0:
		return about + ", but no request is specified or request is 0"
	case !limited || limits[l].Amount == 0:
		return about + ", but no limit is specified or limit is 0"
	}
	observed := quotient(ratio.Name, limits[l].Amount, requests[r].Amount)
	if float64(observed*1000) > float64(ratio.Amount) {
		return fmt.Sprintf("%s, but provided ratio is %f", about, observed)
	}
	return ""
}

// quotient divides as upstream does: thousandths by thousandths where they fit 64 bits, which
// rounds otherwise than whole numbers do if there are more than 53 bits of them.
func quotient(name string, limit, request int64) float64 {
	const most = math.MaxInt64 / 1000
	if name != "cpu" && limit <= most && request <= most {
		limit, request = limit*1000, request*1000
	}
	return float64(limit) / float64(request)
}

// total is what a pod's containers have together of one of their lists: the sum of those that
// run at one time, at any time. What the pod says for itself of CPU and memory counts instead;
// overhead does not count here.
func total(a *cluster.Account, list func(*cluster.Container) []cluster.NamedAmount) []cluster.NamedAmount {
	var sum, beside, most []cluster.NamedAmount
	for i := range a.Containers {
		sum = added(sum, list(&a.Containers[i]))
	}
	for i := range a.InitContainers {
		c := &a.InitContainers[i]
		then := added(beside, list(c))
		if c.Restarts {
			sum, beside = added(sum, list(c)), then
		}
		most = highest(most, then)
	}
	sum = highest(sum, most)
	if a.Whole == nil {
		return sum
	}
	var own []cluster.NamedAmount
	for _, amount := range list(a.Whole) {
		if amount.Name == "cpu" || amount.Name == "memory" {
			own = append(own, amount)
		}
	}
	return filled(own, sum)
}

// added returns a sum of lists that are sorted by name. A sum that is too large to be counted
// stays as large as can be.
func added(a, b []cluster.NamedAmount) []cluster.NamedAmount {
	return merged(a, b, func(x, y int64) int64 {
		if x > math.MaxInt64-y {
			return math.MaxInt64
		}
		return x + y
	})
}

// highest returns the higher amount of each resource.
func highest(a, b []cluster.NamedAmount) []cluster.NamedAmount {
	return merged(a, b, func(x, y int64) int64 { return max(x, y) })
}

// merged returns a new list of what is in either of two, which are sorted by name.
func merged(a, b []cluster.NamedAmount, both func(x, y int64) int64) []cluster.NamedAmount {
	out := make([]cluster.NamedAmount, 0, len(a)+len(b))
	for len(a) > 0 && len(b) > 0 {
		switch {
		case a[0].Name < b[0].Name:
			out, a = append(out, a[0]), a[1:]
		case a[0].Name > b[0].Name:
			out, b = append(out, b[0]), b[1:]
		default:
			out = append(out, cluster.NamedAmount{Name: a[0].Name, Amount: both(a[0].Amount, b[0].Amount)})
			a, b = a[1:], b[1:]
		}
	}
	return append(append(out, a...), b...)
}
