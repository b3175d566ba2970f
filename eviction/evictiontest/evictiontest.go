// Package evictiontest checks eviction policies against the contract that package
// eviction's controllers rely on, as schedulertest does plugins. An author calls TestPolicy
// from a test of the policy's package.
package evictiontest

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/berthsim/berth/cluster"
	"github.com/berthsim/berth/eviction"
)

// trials is how many random clusters a policy is tried on.
const trials = 60

// TestPolicy checks on random clusters, to which random faults happen, that
//
//   - nothing is written to the State, to a Zone or to what it is given;
//   - places in line are in range, and times not past;
//   - a node or pod that isn't let go now isn't if asked again, and the same pods are;
//   - pods that are let go are on nodes and haven't been told to end;
//   - no node is tainted that is Ready;
//   - nothing starves: in a day in which nothing happens, budgets allow everything and
//     zones are well, every node that waits is tainted, and every pod whose time is up goes;
//   - another instance decides the same about the same cluster, in whatever rows.
func TestPolicy(t *testing.T, policy *eviction.Policy) {
	t.Helper()
	for seed := range uint64(trials) {
		if err := Check(policy, seed); err != nil {
			t.Fatal(err)
		}
	}
}

// Check checks what TestPolicy checks, on the cluster of a seed, and returns the first
// fault it finds.
func Check(policy *eviction.Policy, seed uint64) error {
	for _, check := range []func(*eviction.Policy, uint64) error{drill, live} {
		if err := check(policy, seed); err != nil {
			return fmt.Errorf("policy %s, cluster %d: %w", policy.Name, seed, err)
		}
	}
	return nil
}

// live has controllers live through a course: with each answer checked, and once more,
// without, in other rows.
func live(policy *eviction.Policy, seed uint64) error {
	course := RandomCourse(seed)
	nodes, pods := policy.Instance(course.Settings)
	w := &watched{nodes: nodes, pods: pods}
	var last *cluster.State
	health := eviction.NewHealth(course.Settings, w)
	decided, err := course.Play(Staging{Record: func(s *cluster.State, _ []cluster.Event, ds []cluster.Decision) error {
		last = s
		return errors.Join(w.fault, noneReady(s, ds))
	}}, eviction.NewTaintEviction(w), health)
	if err != nil {
		return err
	}
	if err := starved(last, health.Picture()); err != nil {
		return err
	}
	again, err := course.Play(Staging{OtherRows: true}, eviction.Controllers(course.Settings, policy)...)
	if err != nil {
		return err
	}
	if i := differ(decided, again); i >= 0 {
		return fmt.Errorf("decision %d is %q, and with nodes and pods in other rows %q", i, lineAt(decided, i), lineAt(again, i))
	}
	return nil
}

// differ returns the first place at which two lists differ, -1 if they don't.
func differ(a, b []string) int {
	for i := range max(len(a), len(b)) {
		if lineAt(a, i) != lineAt(b, i) {
			return i
		}
	}
	return -1
}

func lineAt(lines []string, i int) string {
	if i < len(lines) {
		return lines[i]
	}
	return "none"
}

// noneReady reports a node that was tainted and is Ready.
func noneReady(s *cluster.State, ds []cluster.Decision) error {
	for i := range ds {
		d := &ds[i]
		if d.Kind != cluster.AddTaint || d.Detail.(cluster.Taint).Effect != cluster.NoExecute {
			continue
		}
		if s.Nodes.Health[d.Node].Conditions[cluster.NodeReady] == cluster.ConditionTrue {
			return fmt.Errorf("node %s is tainted and is Ready", s.Nodes.Name[d.Node])
		}
	}
	return nil
}

// starved reports what has waited for so long that nobody can have meant it.
func starved(s *cluster.State, p *eviction.Picture) error {
	for _, z := range p.Zones {
		if len(z.Waiting) > 0 && !z.Stopped {
			return fmt.Errorf("%d nodes of zone %q have waited for a day to be tainted", len(z.Waiting), z.Name)
		}
	}
	for _, n := range s.Nodes.Live() {
		for p := range s.PodsOn(n) {
			if s.Pods.Phase[p] != cluster.Terminating && mustGo(s.Nodes.Taints[n], s.Class(p).Tolerations) {
				return fmt.Errorf("pod %s has been kept for a day on node %s, whose taints it no longer tolerates", s.PodName(p), s.Nodes.Name[n])
			}
		}
	}
	return nil
}

// mustGo reports whether taints aren't tolerated for ever.
func mustGo(taints []cluster.Taint, tolerations []cluster.Toleration) bool {
	for i := range taints {
		if taints[i].Effect != cluster.NoExecute {
			continue
		}
		at := slices.IndexFunc(tolerations, func(t cluster.Toleration) bool { return t.Tolerates(&taints[i]) })
		if at < 0 || tolerations[at].Seconds != nil {
			return true
		}
	}
	return false
}

// drill asks a policy about lines in which nodes are gone, which no course has.
func drill(policy *eviction.Policy, seed uint64) error {
	rng := rand.New(rand.NewPCG(seed, 3))
	nodes, _ := policy.Instance(eviction.Defaults())
	w := &watched{nodes: nodes}
	s := cluster.NewState()
	s.Observe(0, []cluster.Event{{Kind: cluster.NodeAdded, NodeSpec: &cluster.NodeSpec{Name: "there"}}})
	z := &eviction.Zone{Name: "z", Size: 9, Cluster: &eviction.Picture{Nodes: 9}}
	z.Cluster.Zones = []*eviction.Zone{z}
	for range 50 {
		s.Now += cluster.Time(rng.Int64N(int64(cluster.Minute)))
		for range rng.IntN(3) {
			z.Waiting = append(z.Waiting, []cluster.NodeID{cluster.None, s.Nodes.Live()[0]}[rng.IntN(2)])
			z.Cluster.Silent = append(z.Cluster.Silent, eviction.Silence{At: s.Now, Node: fmt.Sprint(rng.IntN(9))})
		}
		if rng.IntN(4) == 0 {
			z.State = eviction.ZoneState(1 + rng.IntN(3))
			z.Stopped = z.State == eviction.FullDisruption && rng.IntN(2) == 0
			w.ZoneChanged(s, z)
		}
		for len(z.Waiting) > 0 {
			i, at := w.NextNode(s, z)
			if w.fault != nil {
				return w.fault
			}
			if at > s.Now {
				break
			}
			z.Waiting = slices.Delete(z.Waiting, i, i+1)
		}
	}
	return nil
}
