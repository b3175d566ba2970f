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
			request, asked := find(requests, high.Name)
			switch {
			case !asked:
				problems = append(problems, item.about("maximum", high)+".  No request is specified")
			case request > high.Amount:
				problems = append(problems, item.about("maximum", high)+", but request is "+quantity(high.Name, request))
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
	return fmt.Sprintf("%s %s usage per %s is %s", bound, a.Name, item.Type, quantity(a.Name, a.Amount))
}

// tooLow wants a request that is at least low; a limit may be missing.
func (item *LimitRangeItem) tooLow(low cluster.NamedAmount, requests, limits []cluster.NamedAmount) string {
	request, asked := find(requests, low.Name)
	limit, limited := find(limits, low.Name)
	switch {
	case !asked:
		return item.about("minimum", low) + ".  No request is specified"
	case request < low.Amount:
		return item.about("minimum", low) + ", but request is " + quantity(low.Name, request)
	case limited && limit < low.Amount:
		return item.about("minimum", low) + ", but limit is " + quantity(low.Name, limit)
	}
	return ""
}

// tooHigh wants a limit that is at most high; a request may be missing.
func (item *LimitRangeItem) tooHigh(high cluster.NamedAmount, requests, limits []cluster.NamedAmount) string {
	request, asked := find(requests, high.Name)
	limit, limited := find(limits, high.Name)
	switch {
	case !limited:
		return item.about("maximum", high) + ".  No limit is specified"
	case limit > high.Amount:
		return item.about("maximum", high) + ", but limit is " + quantity(high.Name, limit)
	case asked && request > high.Amount:
		return item.about("maximum", high) + ", but request is " + quantity(high.Name, request)
	}
	return ""
}

// tooFarApart wants a limit and a request that are above 0, and the one at most so many times
// the other.
func (item *LimitRangeItem) tooFarApart(ratio cluster.NamedAmount, requests, limits []cluster.NamedAmount) string {
	about := fmt.Sprintf("%s max limit to request ratio per %s is %s", ratio.Name, item.Type, quantity("cpu", ratio.Amount)) // in thousandths
	request, asked := find(requests, ratio.Name)
	limit, limited := find(limits, ratio.Name)
	switch {
	case !asked || request == 0:
		return about + ", but no request is specified or request is 0"
	case !limited || limit == 0:
		return about + ", but no limit is specified or limit is 0"
	}
	observed := quotient(ratio.Name, limit, request)
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
// run at one time, at any time. What the pod says for itself of CPU and memory, and of nothing
// else, counts instead. Neither overhead nor what a status says counts here.
func total(a *cluster.Account, list func(*cluster.Container) []cluster.NamedAmount) amounts {
	sum := podSum(a, func(c *cluster.Container) (asked, given []cluster.NamedAmount) { return list(c), nil })
	if a.Whole != nil {
		for _, x := range list(a.Whole) {
			if x.Name == "cpu" || x.Name == "memory" {
				sum.set(x.Name, x.Amount)
			}
		}
	}
	return sum
}
