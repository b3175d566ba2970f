package sim_test

import (
	"testing"

	"github.com/berthsim/berth/cluster"
	"github.com/berthsim/berth/cluster/faults"
	"github.com/berthsim/berth/cluster/sim"
)

const second = cluster.Second

// failing returns options of nodes that such faults befall, all of them on node n.
func failingAs(work sim.Work, fs ...faults.Fault) sim.Options {
	k := sim.DefaultKubelets()
	list := faults.List(fs)
	for i := range list {
		list[i].Nodes = []string{"n"}
	}
	k.Faults, k.Work = &list, work
	return sim.Options{Kubelets: k}
}

func fault(kind faults.Kind, from, to cluster.Time) faults.Fault {
	return faults.Fault{At: from * second, Until: to * second, Effect: faults.Effect{Kind: kind}}
}

// bindFirst binds the first pod.
func bindFirst(s *cluster.State) func() {
	return func() { s.Bind(0, 0, cluster.Allocation{}) }
}

func TestHealthyBeats(t *testing.T) {
	c, s := start(t, failingAs(sim.Work{}), node("n", 100), node("m", 100))
	next(t, c, s, 0, nil)
	var last [2]cluster.Time
	for n := range cluster.NodeID(2) {
		h := &s.Nodes.Health[n]
		at, ok := h.Lease.Latest(100 * second)
		if _, posted := h.Posts.Latest(0); !ok || !posted || at <= 90*second || h.Conditions != cluster.Healthy {
			t.Errorf("%s is heard of as %+v", s.Nodes.Name[n], h)
		}
		last[n] = at
	}
	if last[0] == last[1] {
		t.Error("both nodes renew their leases at the same moment")
	}
}

// TestFaultsAndPods plays a pod that runs for 10 s from 1 s on, and a fault from 5 s to 30 s.
func TestFaultsAndPods(t *testing.T) {
	for _, test := range []struct {
		why  string
		kind faults.Kind
		work sim.Work
		ends string
	}{
		{"a crash kills containers, which begin anew", faults.Crash, sim.Work{}, "40s PodEnded(a)"},
		{"what was done in 4 s is kept", faults.Crash, sim.Work{Kept: true}, "36s PodEnded(a)"},
		{"but for what was done since the last checkpoint", faults.Crash, sim.Work{Kept: true, Every: 3 * second}, "37s PodEnded(a)"},
		{"containers go on, and their end is told late", faults.Hang, sim.Work{}, "30s PodEnded(a) NodeHeard"},
		{"likewise", faults.Partition, sim.Work{}, "30s PodEnded(a) NodeHeard"},
	} {
		c, s := start(t, failingAs(test.work, fault(test.kind, 5, 30)), node("n", 100), pod(1*second, "a", 60, 10*second))
		expect(t, next(t, c, s, cluster.Never, nil), "0s NodeAdded")
		expect(t, next(t, c, s, cluster.Never, bindFirst(s)), "1s PodAdded(a)")
		expect(t, next(t, c, s, cluster.Never, nil), "1s PodBound(a)")
		next(t, c, s, cluster.Never, nil)
		if at, _ := s.Nodes.Health[0].Lease.Latest(20 * second); at >= 5*second || s.Now != 5*second {
			t.Errorf("%s: at %d s the lease says that it will have been renewed at %d", test.why, s.Now/second, at)
		}
		var ended string
		for range 3 {
			if ended = next(t, c, s, cluster.Never, nil); s.Now > 5*second && s.Pods.Phase[0] == cluster.Ended {
				break
			}
		}
		if ended != test.ends {
			t.Errorf("%s: %s instead of %s", test.why, ended, test.ends)
		}
		if at, _ := s.Nodes.Health[0].Lease.Latest(45 * second); at != 40*second {
			t.Errorf("%s: the last renewal is that of %d s", test.why, at/second)
		}
	}
}

func TestSilentNodesCannotBeTold(t *testing.T) {
	c, s := start(t, failingAs(sim.Work{}, fault(faults.Hang, 5, 30)), node("n", 100), pod(1*second, "a", 60, 100*second))
	next(t, c, s, cluster.Never, nil)
	next(t, c, s, cluster.Never, bindFirst(s))
	next(t, c, s, 8*second, nil)
	expect(t, next(t, c, s, 8*second, nil), "5s NodeHeard")
	expect(t, next(t, c, s, 8*second, func() { s.Delete(0, cluster.DeletionByTaint) }), "8s")
	expect(t, next(t, c, s, cluster.Never, nil), "8s PodTold(a)")
	expect(t, next(t, c, s, cluster.Never, nil), "30s PodEnded(a) NodeHeard")
}

func TestFinalised(t *testing.T) {
	c, s := start(t, failingAs(sim.Work{Kept: true}, fault(faults.Hang, 5, 30)), node("n", 100), pod(1*second, "a", 60, 100*second))
	next(t, c, s, cluster.Never, nil)
	next(t, c, s, cluster.Never, bindFirst(s))
	next(t, c, s, 8*second, nil)
	next(t, c, s, 8*second, nil)
	expect(t, next(t, c, s, 8*second, func() {
		s.Finalise(0, cluster.DeletionByPodGC)
		s.Create(&cluster.PodSpec{Name: "b", Class: &cluster.Class{Requests: cluster.Amounts{cluster.CPU: 60}}, Continues: "a", Run: 100 * second})
	}), "8s")
	expect(t, next(t, c, s, cluster.Never, nil), "8s PodEnded(a) PodAdded(b)")
	expect(t, next(t, c, s, 40*second, nil), "30s NodeHeard")
	expect(t, next(t, c, s, 40*second, nil), "40s")
	for p := range cluster.PodID(s.Pods.Rows()) {
		if s.Pods.Phase[p] == cluster.Pending {
			s.Bind(p, 0, cluster.Allocation{})
		}
	}
	if err := c.Apply(t.Context(), s.TakeDecisions()); err != nil {
		t.Fatal(err)
	}
	expect(t, next(t, c, s, cluster.Never, nil), "40s PodBound(b)")
	expect(t, next(t, c, s, cluster.Never, nil), "101s")             // a's own end, overtaken
	expect(t, next(t, c, s, cluster.Never, nil), "133s PodEnded(b)") // 7 s of 100 were done
}

// TestBoundToSilentNode wants a pod that is bound to a silent node to begin when that returns.
func TestBoundToSilentNode(t *testing.T) {
	c, s := start(t, failingAs(sim.Work{}, fault(faults.Crash, 5, 30)), node("n", 100), pod(8*second, "a", 60, 10*second))
	next(t, c, s, cluster.Never, nil)
	next(t, c, s, cluster.Never, nil)
	expect(t, next(t, c, s, cluster.Never, bindFirst(s)), "8s PodAdded(a)")
	expect(t, next(t, c, s, cluster.Never, nil), "8s PodBound(a) PodReady(a)")
	if s.IsReady(0) {
		t.Error("a pod on a node that is down is ready")
	}
	expect(t, next(t, c, s, cluster.Never, nil), "30s NodeHeard PodReady(a)")
	if !s.IsReady(0) {
		t.Error("a pod on a node that is back is not ready")
	}
	expect(t, next(t, c, s, cluster.Never, nil), "40s PodEnded(a)")
}

func TestPressureAndUntil(t *testing.T) {
	f := fault(faults.Pressure, 5, 30)
	f.Signal = "memory"
	opts := failingAs(sim.Work{}, f)
	opts.Until = 20 * second
	c, s := start(t, opts, node("n", 100))
	next(t, c, s, cluster.Never, nil)
	next(t, c, s, cluster.Never, nil)
	if got := s.Nodes.Health[0].Conditions; got[cluster.NodeMemoryPressure] != cluster.ConditionTrue || got[cluster.NodeReady] != cluster.ConditionTrue {
		t.Errorf("under pressure, the conditions are %v", got)
	}
	expect(t, next(t, c, s, cluster.Never, nil), "EOF")
}
