package sim_test

import (
	"testing"

	"github.com/berthsim/berth/cluster"
	"github.com/berthsim/berth/cluster/sim"
)

// pods lets in as many pods as a quota called q has room for.
type pods struct{ charged int64 }

func (a *pods) Admit(s *cluster.State, spec *cluster.PodSpec) (int16, string) {
	q := s.Quotas.Get("", "q")
	if q == nil {
		return 403, "no quota"
	}
	if q.Used[0].Amount+a.charged == q.Enforced[0].Amount {
		return 403, "full"
	}
	a.charged++
	return 0, ""
}

func (a *pods) Charged(s *cluster.State, to []cluster.Object) []cluster.Object {
	if a.charged == 0 {
		return to
	}
	q := *s.Quotas.Get("", "q")
	q.Used = []cluster.NamedAmount{{Name: "pods", Amount: q.Used[0].Amount + a.charged}}
	a.charged = 0
	return append(to, &q)
}

// TestAdmission wants quotas to be known before pods that come at the same time are asked
// about, charges to come with the pods, and refusals to be heard of; pods that controllers
// create are asked about, too, and those on a node already aren't.
func TestAdmission(t *testing.T) {
	quota := &cluster.ResourceQuota{Name: "q",
		Enforced: []cluster.NamedAmount{{Name: "pods", Amount: 3}}, Used: []cluster.NamedAmount{{Name: "pods"}}}
	running := pod(0, "running", 1, cluster.Never)
	running.PodSpec.On = "n"
	c, s := start(t, sim.Options{Admission: &pods{}}, node("n", 100), cluster.Event{Kind: cluster.ObjectSet, Pod: cluster.None, Object: quota},
		pod(0, "a", 1, cluster.Never), pod(0, "b", 1, cluster.Never), running, pod(5*cluster.Second, "c", 1, cluster.Never), pod(5*cluster.Second, "d", 1, cluster.Never))
	used := func() int64 { return s.Quotas.Get("", "q").Used[0].Amount }
	expect(t, next(t, c, s, cluster.Never, nil), "0s NodeAdded ObjectSet")
	expect(t, next(t, c, s, cluster.Never, nil), "0s ObjectSet PodAdded(a) PodAdded(b) PodAdded(running)")
	if used() != 2 {
		t.Errorf("%d pods are charged", used())
	}
	expect(t, next(t, c, s, cluster.Never, func() { s.Create(pod(0, "e", 1, cluster.Never).PodSpec) }), "5s ObjectSet PodAdded(c) PodRefused full")
	expect(t, next(t, c, s, cluster.Never, nil), "5s PodRefused full")
	if used() != 3 || s.Pending() != 3 {
		t.Errorf("%d pods are charged, and %d wait for a node", used(), s.Pending())
	}
	expect(t, next(t, c, s, cluster.Never, nil), "EOF")
}
