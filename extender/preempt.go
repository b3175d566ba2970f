package extender

import (
	"cmp"
	"fmt"
	"maps"
	"slices"

	extenderv1 "k8s.io/kube-scheduler/extender/v1"

	"github.com/berthsim/berth/cluster"
	"github.com/berthsim/berth/cluster/manifest"
	"github.com/berthsim/berth/scheduler"
)

func sorted[T any](m map[string]T) []string { return slices.Sorted(maps.Keys(m)) }

// Preempt implements scheduler.Extender.
func (c *Client) Preempt(s *cluster.State, p cluster.PodID, candidates []scheduler.Candidate) ([]scheduler.Candidate, error) {
	args := &extenderv1.ExtenderPreemptionArgs{Pod: c.writer.Pod(s, p)}
	if c.config.NodeCacheCapable {
		args.NodeNameToMetaVictims = map[string]*extenderv1.MetaVictims{}
	} else {
		args.NodeNameToVictims = map[string]*extenderv1.Victims{}
	}
	for _, cand := range candidates {
		name := s.Nodes.Name[cand.Node]
		if c.config.NodeCacheCapable {
			args.NodeNameToMetaVictims[name] = metaVictims(s, cand)
			continue
		}
		to := &extenderv1.Victims{NumPDBViolations: int64(cand.Violations)}
		for _, v := range cand.Victims {
			to.Pods = append(to.Pods, c.writer.Pod(s, v))
		}
		args.NodeNameToVictims[name] = to
	}
	var result extenderv1.ExtenderPreemptionResult
	if err := c.ask(c.config.PreemptVerb, args, &result); err != nil {
		return nil, err
	}
	left, err := chosen(s, &result)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", c.config.PreemptVerb, err)
	}
	return left, nil
}

func metaVictims(s *cluster.State, cand scheduler.Candidate) *extenderv1.MetaVictims {
	to := &extenderv1.MetaVictims{Pods: []*extenderv1.MetaPod{}, NumPDBViolations: int64(cand.Violations)}
	for _, v := range cand.Victims {
		to.Pods = append(to.Pods, &extenderv1.MetaPod{UID: manifest.UID(s, v)})
	}
	return to
}

// chosen returns the candidates that an answer leaves, in order of the nodes'
// arrival. The pods that it names by their uids must be on their node.
func chosen(s *cluster.State, result *extenderv1.ExtenderPreemptionResult) (left []scheduler.Candidate, err error) {
	for _, name := range sorted(result.NodeNameToMetaVictims) {
		victims := result.NodeNameToMetaVictims[name]
		n, ok := s.Nodes.Named(name)
		switch {
		case !ok:
			return nil, fmt.Errorf("it names node %q, which is not there", name)
		case victims == nil:
			return nil, fmt.Errorf("it names node %q and says nothing of it", name)
		}
		cand := scheduler.Candidate{Node: n, Violations: int(victims.NumPDBViolations)}
		for _, pod := range victims.Pods {
			v, ok := podOn(s, n, pod)
			if !ok {
				return nil, fmt.Errorf("it names a pod on node %q that is not there", name)
			}
			cand.Victims = append(cand.Victims, v)
		}
		left = append(left, cand)
	}
	slices.SortFunc(left, func(a, b scheduler.Candidate) int { return cmp.Compare(s.Nodes.Order[a.Node], s.Nodes.Order[b.Node]) })
	return left, nil
}

// podOn finds a pod on n by its uid.
func podOn(s *cluster.State, n cluster.NodeID, pod *extenderv1.MetaPod) (cluster.PodID, bool) {
	for q := range s.PodsOn(n) {
		if pod != nil && manifest.UID(s, q) == pod.UID {
			return q, true
		}
	}
	return cluster.None, false
}
