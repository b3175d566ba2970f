package eviction_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/berthsim/berth/cluster"
	"github.com/berthsim/berth/eviction"
)

// full returns a State of two nodes, n and m, and pods on them: "name node owner" each, of
// an owner "Kind/name" or none, labelled app=x if the name begins with x. "-" stands for no
// node.
func full(t *testing.T, pods ...string) *cluster.State {
	t.Helper()
	s := cluster.NewState()
	events := []cluster.Event{}
	for _, name := range []string{"n", "m"} {
		events = append(events, cluster.Event{Kind: cluster.NodeAdded, NodeSpec: &cluster.NodeSpec{Name: name, Capacity: cluster.Amounts{cluster.PodSlots: 100}}})
	}
	for _, text := range pods {
		f := strings.Fields(text + " ")
		class := &cluster.Class{Namespace: "default"}
		if len(f) > 2 {
			kind, name, _ := strings.Cut(f[2], "/")
			class.Owner = cluster.OwnerRef{Kind: kind, Name: name}
		}
		if len(f) > 3 {
			class.Namespace = f[3]
		}
		spec := &cluster.PodSpec{Name: f[0], Class: class, On: strings.Trim(f[1], "-"), Labels: cluster.MakeLabels(map[string]string{"app": f[0][:1]})}
		events = append(events, cluster.Event{Kind: cluster.PodAdded, PodSpec: spec})
	}
	s.Observe(cluster.Minute, events)
	return s
}

// ask returns the names of the pods that may go now, of those called due, and after how
// many seconds the policy wants to be asked again, 0 for never.
func ask(s *cluster.State, policy eviction.PodPolicy, due string) (names string, seconds cluster.Time) {
	var rows []cluster.PodID
	for _, name := range strings.Fields(due) {
		rows = append(rows, cluster.PodID(slices.Index(s.Pods.Name, name)))
	}
	now, again := policy.NextPods(s, rows)
	var out []string
	for _, p := range now {
		out = append(out, s.Pods.Name[p])
	}
	if again == cluster.Never {
		return strings.Join(out, " "), 0
	}
	return strings.Join(out, " "), (again - s.Now) / cluster.Second
}

// expect asks, and wants what comes of it; then it has the pods that may go be deleted.
func expect(t *testing.T, why string, s *cluster.State, policy eviction.PodPolicy, due, want string, again cluster.Time) {
	t.Helper()
	got, seconds := ask(s, policy, due)
	if got != want || seconds != again {
		t.Errorf("%s: of %q go %q, and the rest is asked about after %d s; want %q and %d s", why, due, got, seconds, want, again)
	}
	for _, name := range strings.Fields(got) {
		s.Delete(cluster.PodID(slices.Index(s.Pods.Name, name)), cluster.DeletionByTaint)
	}
}

// allow has budgets be counted, of the pods of an app each.
func allow(s *cluster.State, app string, allowed int32, disrupted ...string) {
	s.TakeDecisions()
	b := &cluster.DisruptionBudget{Namespace: "default", Name: "of-" + app, Allowed: allowed, Disrupted: disrupted, Selector: &cluster.Selector{
		Requirements: []cluster.Requirement{{Key: "app", Op: cluster.In, Values: []string{app}}},
	}}
	s.Observe(s.Now+cluster.Second, []cluster.Event{{Kind: cluster.ObjectSet, Object: b}})
}

func TestBudgetAware(t *testing.T) {
	s := full(t, "x1 n", "x2 n", "x3 n", "x4 m", "x5 n", "y1 n", "z1 n", "x9 n - other")
	_, policy := eviction.BudgetAware.Instance(eviction.Defaults())
	allow(s, "x", 2)
	allow(s, "z", 0)
	expect(t, "as many as are allowed, and all that no budget is over", s, policy, "x1 x2 x3 y1 z1 x9", "x1 x2 y1 x9", 5)
	expect(t, "the budget wasn't counted since", s, policy, "x3 z1", "", 5)
	rejected := s.TakeDecisions()[1]
	s.Observe(s.Now, []cluster.Event{{Kind: cluster.Rejected, Pod: rejected.Pod, Node: rejected.Node, Decision: rejected}})
	expect(t, "the deletion of x2 was rejected", s, policy, "x3 z1", "x3", 5)
	allow(s, "x", 1, "x5")
	expect(t, "x5 counts already", s, policy, "x4 x5", "x4 x5", 0)
	allow(s, "z", 1)
	expect(t, "allowed at last", s, policy, "z1", "z1", 0)
}

func TestBudgetAwareUnderTwoBudgets(t *testing.T) {
	s := full(t, "x1 n", "x2 n", "y1 n")
	_, policy := eviction.BudgetAware.Instance(eviction.Defaults())
	everything := &cluster.DisruptionBudget{Namespace: "default", Name: "all", Allowed: 2, Selector: &cluster.Selector{}}
	s.Observe(s.Now, []cluster.Event{{Kind: cluster.ObjectSet, Object: everything}})
	allow(s, "x", 1)
	expect(t, "each budget must allow it", s, policy, "x1 x2 y1", "x1 y1", 5)
}

func TestGangAware(t *testing.T) {
	s := full(t, "a1 n Job/a", "a2 m Job/a", "w1 n ReplicaSet/w", "w2 m ReplicaSet/w", "b1 m PyTorchJob/a", "a3 m Job/a other", "a4 - Job/a", "a5 m Job/a", "s1 m", "s2 n", "a6 n Job/a")
	_, policy := eviction.GangAware.Instance(eviction.Defaults())
	s.Delete(cluster.PodID(slices.Index(s.Pods.Name, "a5")), cluster.DeletionByTaint)
	expect(t, "pods that work alone", s, policy, "w1 s2", "w1 s2", 0)
	expect(t, "the gang, wherever it is", s, policy, "a6", "a6 a1 a2", 0)
}

// TestRejectedInGang has a deletion be rejected after the pod's own time was up: its time
// begins anew.
func TestRejectedInGang(t *testing.T) {
	s, tolerating := cluster.NewState(), func(seconds int64) *cluster.Class {
		return &cluster.Class{Owner: cluster.OwnerRef{Kind: "Job", Name: "a"}, Tolerations: []cluster.Toleration{{Exists: true, Seconds: &seconds}}}
	}
	_, policy := eviction.GangAware.Instance(eviction.Defaults())
	controller := eviction.NewTaintEviction(policy)
	step := func(at cluster.Time, events ...cluster.Event) (wake cluster.Time, ds []cluster.Decision) {
		s.Observe(at*cluster.Second, events)
		wake = controller.Step(s, events)
		return wake / cluster.Second, s.TakeDecisions()
	}
	wake, _ := step(0,
		cluster.Event{Kind: cluster.NodeAdded, NodeSpec: &cluster.NodeSpec{Name: "n", Taints: []cluster.Taint{{Key: "k", Effect: cluster.NoExecute}}}},
		cluster.Event{Kind: cluster.PodAdded, PodSpec: &cluster.PodSpec{Name: "short", On: "n", Class: tolerating(10)}},
		cluster.Event{Kind: cluster.PodAdded, PodSpec: &cluster.PodSpec{Name: "long", On: "n", Class: tolerating(100)}})
	if wake != 10 {
		t.Errorf("the first is due at %d s", wake)
	}
	_, ds := step(10)
	if len(ds) != 2 {
		t.Fatalf("%d of two go", len(ds))
	}
	step(100)
	if wake, _ = step(200, cluster.Event{Kind: cluster.Rejected, Pod: ds[1].Pod, Node: ds[1].Node, Decision: ds[1]}); wake != 300 {
		t.Errorf("a pod that stayed after all is due at %d s", wake)
	}
	if _, ds = step(300); len(ds) != 1 {
		t.Errorf("%d go in the end", len(ds))
	}
}

func TestCircuitBreaker(t *testing.T) {
	s := full(t)
	fresh := func(nodes int) (eviction.NodePolicy, *eviction.Zone) {
		policy, _ := eviction.CircuitBreaker.Instance(eviction.Defaults())
		return policy, &eviction.Zone{Name: "z", Waiting: []cluster.NodeID{0}, Cluster: &eviction.Picture{Nodes: nodes}}
	}
	fall := func(z *eviction.Zone, at cluster.Time, names ...string) {
		for _, name := range names {
			z.Cluster.Silent = append(z.Cluster.Silent, eviction.Silence{At: at, Node: name})
		}
	}
	closes := func(policy eviction.NodePolicy, z *eviction.Zone, now cluster.Time) cluster.Time {
		s.Now = now
		_, at := policy.NextNode(s, z)
		return at
	}
	const minute = cluster.Minute
	for _, test := range []struct {
		why   string
		nodes int
		fall  func(z *eviction.Zone)
		want  cluster.Time // asked at 20 minutes
	}{
		{"three aren't many", 10, func(z *eviction.Zone) { fall(z, 19*minute, "a", "b", "c") }, 20 * minute},
		{"four are", 10, func(z *eviction.Zone) { fall(z, 19*minute, "a", "b", "c", "d") }, 29 * minute},
		{"not one of them four times", 10, func(z *eviction.Zone) { fall(z, 19*minute, "a", "a", "a", "a") }, 20 * minute},
		{"not of 40", 40, func(z *eviction.Zone) { fall(z, 19*minute, "a", "b", "c", "d") }, 20 * minute},
		{"five of 40 are", 40, func(z *eviction.Zone) { fall(z, 19*minute, "a", "b", "c", "d", "e") }, 29 * minute},
		{"not in more than five minutes", 10, func(z *eviction.Zone) { fall(z, 13*minute, "a"); fall(z, 18*minute, "b", "c", "d") }, 20 * minute},
		{"in less", 10, func(z *eviction.Zone) { fall(z, 13*minute+1, "a"); fall(z, 18*minute, "b", "c", "d") }, 28 * minute},
		{"it has been quiet for long enough", 10, func(z *eviction.Zone) { fall(z, 10*minute, "a", "b", "c", "d") }, 20 * minute},
		{"one more before that", 10, func(z *eviction.Zone) { fall(z, 10*minute, "a", "b", "c", "d"); fall(z, 20*minute-1, "e") }, 30*minute - 1},
		{"one more after that", 10, func(z *eviction.Zone) { fall(z, 8*minute, "a", "b", "c", "d"); fall(z, 19*minute, "e") }, 20 * minute},
		{"one that falls silent anew counts once", 10, func(z *eviction.Zone) {
			fall(z, 11*minute, "a")
			fall(z, 15*minute, "a", "b", "c")
			fall(z, 17*minute, "d")
		}, 27 * minute},
	} {
		policy, z := fresh(test.nodes)
		test.fall(z)
		if got := closes(policy, z, 20*minute); got != test.want {
			t.Errorf("%s: the next node at %v, not %v seconds", test.why, got.Seconds(), test.want.Seconds())
		}
	}
	policy, z := fresh(10)
	fall(z, 0, "a", "b", "c", "d")
	if at := closes(policy, z, minute); at != 10*minute {
		t.Errorf("open until %v s", at.Seconds())
	}
	z.Cluster.Silent = z.Cluster.Silent[4:] // forgotten, as after an hour
	fall(z, 9*minute, "e")
	if at := closes(policy, z, 9*minute); at != 19*minute {
		t.Errorf("what was seen is forgotten: open until %v s", at.Seconds())
	}
}

func TestFind(t *testing.T) {
	for _, policy := range eviction.Policies {
		if found, err := eviction.Find(eviction.Policies, strings.ToUpper(policy.Name)); found != policy || err != nil {
			t.Errorf("%s: %v", policy.Name, err)
		}
		if policy.Doc == "" || strings.ContainsAny(policy.Name, "+:,/ \t\n") {
			t.Errorf("the policy %q has the doc %q", policy.Name, policy.Doc)
		}
	}
	_, err := eviction.Find(eviction.Policies, "nobody")
	if err == nil || err.Error() != `unknown eviction policy "nobody"; known: kube, budgetaware, gangaware, circuitbreaker` {
		t.Error(err)
	}
}

func TestInstance(t *testing.T) {
	type nothing struct{}
	defer func() {
		if recover() == nil {
			t.Error("what decides nothing is taken for a policy")
		}
	}()
	(&eviction.Policy{Name: "x", New: func(eviction.Settings) any { return nothing{} }}).Instance(eviction.Defaults())
}
