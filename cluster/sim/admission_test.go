package sim_test

import (
	"testing"

	"github.com/berthsim/berth/cluster"
	"github.com/berthsim/berth/cluster/sim"
)

// gate admits pods while the State's only quota has room for them.
type gate struct{ pending int64 }

func (g *gate) quota(s *cluster.State) *cluster.ResourceQuota { return s.Quotas.Get("x", "q") }

// Admit implements sim.Admission.
func (g *gate) Admit(s *cluster.State, _ *cluster.PodSpec) (int16, string) {
	if q := g.quota(s); q == nil || q.Used[0].Amount+g.pending >= q.Enforced[0].Amount {
		return 403, "full"
	}
	g.pending++
	return 0, ""
}

// Charged implements sim.Admission.
func (g *gate) Charged(s *cluster.State, to []cluster.Object) []cluster.Object {
	if g.pending > 0 {
		q := *g.quota(s)
		q.Used = pods(q.Used[0].Amount + g.pending)
		to = append(to, &q)
		g.pending = 0
	}
	return to
}

func pods(n int64) []cluster.NamedAmount { return []cluster.NamedAmount{{Name: "pods", Amount: n}} }

// TestAdmission has pods come before and after a quota changes, all at one instant: what is
// charged is charged to the quota as it is then.
func TestAdmission(t *testing.T) {
	quota := func(limit, used int64) cluster.Event {
		return cluster.Event{Kind: cluster.ObjectSet, Pod: cluster.None, Object: &cluster.ResourceQuota{Namespace: "x", Name: "q", Enforced: pods(limit), Used: pods(used)}}
	}
	g := &gate{}
	c, s := start(t, sim.Options{Admission: g}, pod(0, "early", 1, 0),
		quota(1, 0), pod(0, "a", 1, 0), pod(0, "b", 1, 0), quota(3, 1), pod(0, "c", 1, 0),
		cluster.Event{Kind: cluster.ObjectRemoved, Pod: cluster.None, Object: &cluster.ResourceQuota{Namespace: "x", Name: "q"}}, pod(0, "d", 1, 0))
	state := func(limit, used int64) {
		t.Helper()
		if q := g.quota(s); q.Enforced[0].Amount != limit || q.Used[0].Amount != used {
			t.Errorf("%d of %d pods are used, want %d of %d", q.Used[0].Amount, q.Enforced[0].Amount, used, limit)
		}
	}
	expect(t, next(t, c, s, cluster.Never, nil), "0s ObjectSet PodRefused full")
	expect(t, next(t, c, s, cluster.Never, nil), "0s ObjectSet PodAdded(a) PodRefused full")
	state(1, 1)
	expect(t, next(t, c, s, cluster.Never, nil), "0s ObjectSet")
	state(3, 1)
	made := func() { s.Create(&cluster.PodSpec{Name: "made", Class: &cluster.Class{}}) }
	expect(t, next(t, c, s, cluster.Never, made), "0s ObjectSet PodAdded(c)")
	state(3, 2)
	expect(t, next(t, c, s, cluster.Never, nil), "0s ObjectSet PodAdded(made)")
	state(3, 3)
	expect(t, next(t, c, s, cluster.Never, nil), "0s ObjectRemoved")
	expect(t, next(t, c, s, cluster.Never, nil), "0s PodRefused full")
}
