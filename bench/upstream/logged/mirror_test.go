package logged

import (
	"strconv"
	"strings"
	"testing"

	"github.com/berthsim/berth/cluster"
	"github.com/berthsim/berth/cluster/faults"
	"github.com/berthsim/berth/cluster/sim"
	"github.com/berthsim/berth/cluster/workload"
	"github.com/berthsim/berth/eviction"
	"github.com/berthsim/berth/plugins"
	"github.com/berthsim/berth/scheduler"
)

// workloadOf returns nodes, of which one has a taint, and pods of several sizes and priorities.
func workloadOf(nodes, pods int) *sim.List {
	var list sim.List
	for i := range nodes {
		spec := &cluster.NodeSpec{
			Name: "n" + strconv.Itoa(i), Capacity: cluster.Amounts{cluster.CPU: 4000, cluster.Memory: 8 << 30, cluster.PodSlots: 110},
			Labels: cluster.Labels{{Key: "kubernetes.io/hostname", Value: "n" + strconv.Itoa(i)}},
		}
		if i == 0 {
			spec.Taints = []cluster.Taint{{Key: "dedicated", Value: "x", Effect: cluster.NoSchedule}}
		}
		list = append(list, cluster.Event{Kind: cluster.NodeAdded, NodeSpec: spec})
	}
	for i := range pods {
		class := &cluster.Class{
			Namespace: "default", Priority: int32(i / 40 * 10),
			Requests: cluster.Amounts{cluster.CPU: int64(200 + 100*(i%7)), cluster.Memory: int64(1+i%3) << 28},
		}
		list = append(list, cluster.Event{Time: cluster.Time(i) * cluster.Second / 4, Kind: cluster.PodAdded, PodSpec: &cluster.PodSpec{
			Name: "p" + strconv.Itoa(i), Class: class, Run: cluster.Time(20+i%60) * cluster.Second, Stop: cluster.Second, Grace: 30 * cluster.Second,
		}})
	}
	return &list
}

// play plays a run with node failures under a policy, beside a Mirror.
func play(t *testing.T, policy string) *Mirror {
	t.Helper()
	m, err := NewMirror()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(m.Close)
	kubelets := sim.DefaultKubelets()
	kubelets.Faults = &faults.List{{At: 15 * cluster.Second, Until: 90 * cluster.Second, Nodes: []string{"n2"}, Effect: faults.Effect{Kind: faults.Crash}}}
	s := cluster.NewState()
	c, err := sim.New(s, workloadOf(5, 200), sim.Options{Kubelets: kubelets, Until: 5 * cluster.Minute})
	if err != nil {
		t.Fatal(err)
	}
	profile, err := scheduler.NewProfile(plugins.All, []scheduler.Weighted{{Name: policy, Weight: 1}})
	if err != nil {
		t.Fatal(err)
	}
	evict, settings, err := eviction.Open(eviction.Policies, "kube:grace=20s")
	if err != nil {
		t.Fatal(err)
	}
	controllers := append(eviction.Controllers(settings, evict), workload.NewReplicas(), scheduler.New(profile))
	if err := cluster.Run(t.Context(), c, s, m, controllers...); err != nil {
		t.Fatal(err)
	}
	return m
}

// TestMirror wants upstream to agree with every binding of a run with failures, preemption and
// taints.
func TestMirror(t *testing.T) {
	m := play(t, "kube")
	if m.Bindings < 150 {
		t.Errorf("upstream was asked about %d bindings", m.Bindings)
	}
	for _, x := range m.Mistakes {
		t.Error(x)
	}
}

// TestMistakes wants a policy that isn't upstream's to be found out.
func TestMistakes(t *testing.T) {
	m := play(t, "bestfit")
	if len(m.Mistakes) == 0 || !strings.Contains(m.Mistakes[0].String(), "upstream's best are") {
		t.Errorf("of %d bindings, %d are found wrong: %v", m.Bindings, len(m.Mistakes), m.Mistakes)
	}
}
