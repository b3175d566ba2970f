package scheduler_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/berthsim/berth/cluster"
	"github.com/berthsim/berth/scheduler"
	"github.com/berthsim/berth/scheduler/schedulertest"
)

// named is a filter by node name that can tell beforehand.
type named struct{}

func (named) Filter(s *cluster.State, p cluster.PodID) func(cluster.NodeID) scheduler.Verdict {
	want := s.Class(p).NodeName
	return func(n cluster.NodeID) (v scheduler.Verdict) {
		if want != "" && want != s.Nodes.Name[n] {
			return scheduler.Verdict{Code: scheduler.Unresolvable, Reasons: []string{"another node"}}
		}
		return v
	}
}

func (named) Preselect(s *cluster.State, p cluster.PodID) (names []string, restricted bool, v scheduler.Verdict) {
	if want := s.Class(p).NodeName; want != "" {
		return []string{want}, true, v
	}
	return nil, false, v
}

// visited are the nodes that a cycle looked at, by what Evaluate tells, and the
// one kept for the pod.
func visited(s *cluster.State, p cluster.PodID, e *scheduler.Evaluation) map[cluster.NodeID]bool {
	nodes := map[cluster.NodeID]bool{}
	for _, f := range e.Feasible {
		nodes[f.Node] = true
	}
	for _, v := range e.Verdicts {
		nodes[v.Node] = true
	}
	if n := s.Pods.Nominated[p]; n != cluster.None && s.Nodes.IsLive(n) {
		nodes[n] = true
	}
	return nodes
}

// TestEvaluateIsSelect compares Select with Evaluate, which goes node by node, on
// random clusters with zones and nodes that are kept for pods. Both must begin
// where kube-scheduler would: after as many nodes as cycles before have looked
// at, the node kept for the pod included (schedule_one.go, findNodesThatPassFilters).
func TestEvaluateIsSelect(t *testing.T) {
	scored, kept, sampled, restricted := 0, 0, 0, 0
	for seed := range uint64(40) {
		rng := rand.New(rand.NewPCG(seed, 6))
		pr := mustProfile(t, []*scheduler.Plugin{required("Named", named{}), room, gpus, fullest}, weigh("Fullest")...)
		ties := []scheduler.Ties{scheduler.TiesLowest, scheduler.TiesRandom, scheduler.TiesKube}[seed%3]
		pr.SetTies(ties)
		inZones := ties == scheduler.TiesKube
		if rng.IntN(2) == 0 {
			inZones = true
			pr.SetSampling(scheduler.Sampling{Adaptive: true, Percent: rng.IntN(2) * 60})
		}
		s := schedulertest.RandomState(rng, 1+rng.IntN(300))
		start := 0
		for round := range 60 {
			if round%10 == 0 {
				schedulertest.Churn(rng, s)
				start %= len(s.Nodes.Live()) // as the next cycle takes it
			}
			p := schedulertest.AddPod(s, rng, fmt.Sprint("p-", round))
			if live := s.Nodes.Live(); rng.IntN(3) == 0 {
				s.Nominate(p, live[rng.IntN(len(live))])
				s.TakeDecisions()
			}
			e := pr.Evaluate(s, p)
			n, _, ok := pr.Select(s, p)
			if want := e.Chosen >= 0; ok != want || ok && n != e.Feasible[e.Chosen].Node {
				t.Fatalf("seed %d, round %d: Select takes %d, %t; Evaluate %+v", seed, round, n, ok, e)
			}
			fast := ok && n == s.Pods.Nominated[p] && len(e.Verdicts) == 0 && len(e.Feasible) == 1
			if !fast && inZones {
				inOrder(t, s, p, &e, start)
			}
			if !fast {
				start = (start + len(visited(s, p, &e))) % len(s.Nodes.Live())
			}
			count(fast, &kept)
			count(e.Scored, &scored)
			count(s.Class(p).NodeName != "", &restricted)
			count(len(visited(s, p, &e)) < len(s.Nodes.Live()) && e.Scored, &sampled)
		}
	}
	if scored < 300 || kept < 100 || sampled < 50 || restricted < 50 {
		t.Errorf("%d cycles scored nodes, %d took the node kept, %d sampled, %d were restricted", scored, kept, sampled, restricted)
	}
}

func count(happened bool, times *int) {
	if happened {
		*times++
	}
}

// inOrder checks that e looked at the first nodes of order, one of each zone in
// turn, from start on, and found the feasible ones in that order.
func inOrder(t *testing.T, s *cluster.State, p cluster.PodID, e *scheduler.Evaluation, start int) {
	t.Helper()
	if s.Class(p).NodeName != "" {
		return
	}
	order := s.Nodes.ByZone()
	order = slices.Concat(order[start:], order[:start])
	looked := 0
	for _, n := range order {
		isFeasible := len(e.Feasible) > looked && e.Feasible[looked].Node == n
		isRefused := slices.ContainsFunc(e.Verdicts, func(v scheduler.NodeVerdict) bool { return v.Node == n })
		switch {
		case isFeasible:
			looked++
		case !isRefused && looked < len(e.Feasible):
			t.Fatalf("from %d on, node %s comes before %s, and was not looked at", start, s.Nodes.Name[n], s.Nodes.Name[e.Feasible[looked].Node])
		}
	}
	if looked != len(e.Feasible) {
		t.Fatalf("from %d on, %d of %d feasible nodes are in order", start, looked, len(e.Feasible))
	}
}
