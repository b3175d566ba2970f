package plugins

import (
	"github.com/berthsim/berth/cluster"
	"github.com/berthsim/berth/scheduler"
)

// askExtenders has extenders choose among candidates. ok is false if none is left, or one
// gives no answer.
func askExtenders(s *cluster.State, t *scheduler.Trial, candidates []*candidate) (left []*candidate, ok bool) {
	if !t.AsksExtenders() {
		return candidates, true
	}
	asked := make([]scheduler.Candidate, len(candidates))
	for i, c := range candidates {
		asked[i] = c.Candidate
	}
	asked, err := t.AskExtenders(asked)
	for _, c := range asked {
		left = append(left, newCandidate(s, c))
	}
	return left, err == nil && len(left) > 0
}
