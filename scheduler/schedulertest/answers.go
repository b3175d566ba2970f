package schedulertest

import (
	"fmt"
	"slices"

	"github.com/berthsim/berth/cluster"
	"github.com/berthsim/berth/scheduler"
)

type verdict scheduler.Verdict

// wrong returns what no verdict may be.
func (v verdict) wrong() error {
	switch v.Code {
	case scheduler.Success:
		if len(v.Reasons) > 0 {
			return fmt.Errorf("it lets the pod pass, with reasons %q", v.Reasons)
		}
	case scheduler.Unschedulable, scheduler.Unresolvable:
		if len(v.Reasons) == 0 {
			return fmt.Errorf("it refuses the pod, with code %d, without a reason", v.Code)
		}
	default:
		return fmt.Errorf("code %d is none that a plugin may return", v.Code)
	}
	return nil
}

func (v verdict) equal(w verdict) bool {
	return v.Code == w.Code && slices.Equal(v.Reasons, w.Reasons)
}

// verdicts returns those of f by rung 1.
func verdicts(s *cluster.State, p cluster.PodID, f scheduler.Filter, nodes []cluster.NodeID) []verdict {
	out := make([]verdict, len(nodes))
	if may := f.Filter(s, p); may != nil {
		for i, n := range nodes {
			out[i] = verdict(may(n))
		}
	}
	return out
}

// preScore returns why sc can't score p, nil if it can.
func preScore(s *cluster.State, p cluster.PodID, sc scheduler.Scorer) error {
	if pre, ok := sc.(scheduler.PreScorer); ok {
		return pre.PreScore(s, p)
	}
	return nil
}

// scores returns those of sc among nodes by rung 1, and whether it has a say.
func scores(s *cluster.State, p cluster.PodID, sc scheduler.Scorer, nodes []cluster.NodeID) (out []int64, says bool) {
	out = make([]int64, len(nodes))
	var score func(cluster.NodeID) int64
	if among, ok := sc.(scheduler.SetScorer); ok {
		score = among.ScoreAmong(s, p, nodes)
	} else {
		score = sc.Score(s, p)
	}
	if score == nil {
		return out, false
	}
	for i, n := range nodes {
		out[i] = score(n)
	}
	return out, true
}

// sameScore returns how got and whether it was said differ from what is wanted.
func sameScore(s *cluster.State, nodes []cluster.NodeID, whose string, got []int64, says bool, want []int64, wantSays bool) error {
	if says != wantSays {
		return fmt.Errorf("that it has a say about the pod is %t by %s, and %t by a fresh instance's Score", says, whose, wantSays)
	}
	for i, n := range nodes {
		if got[i] != want[i] {
			return fmt.Errorf("node %s: %s gives %d, and a fresh instance's Score %d", s.Nodes.Name[n], whose, got[i], want[i])
		}
	}
	return nil
}

func normalize(s *cluster.State, p cluster.PodID, sc scheduler.Scorer, nodes []cluster.NodeID, out []int64) {
	if norm, ok := sc.(scheduler.Normalizer); ok {
		norm.Normalize(s, p, nodes, out)
	}
}

// serves returns why a is not what p asks for and n has free.
func serves(s *cluster.State, p cluster.PodID, n cluster.NodeID, a cluster.Allocation) error {
	want, free, got := s.Class(p).GPUs, s.Nodes.GPUFree[n], int32(0)
	if a.GPUs>>len(free) != 0 {
		return fmt.Errorf("GPUs %b are more than the node's %d", a.GPUs, len(free))
	}
	for i, f := range free {
		if !a.GPUs.Has(i) {
			continue
		}
		if got++; f < want.Shares {
			return fmt.Errorf("GPU %d has %d shares free, and the pod asks for %d", i, f, want.Shares)
		}
	}
	if got != want.Count {
		return fmt.Errorf("%d GPUs for a pod that asks for %d", got, want.Count)
	}
	return nil
}
