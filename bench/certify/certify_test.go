package certify

import (
	"bytes"
	"slices"
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

const second = cluster.Second

// deciding returns Kubernetes' scheduler and node lifecycle, with a grace of 40 s.
func deciding(t *testing.T) func() ([]cluster.Controller, error) {
	return func() ([]cluster.Controller, error) {
		policy, settings, err := eviction.Open(eviction.Policies, "kube:grace=40s")
		if err != nil {
			t.Fatal(err)
		}
		profile, err := scheduler.NewProfile(plugins.All, []scheduler.Weighted{{Name: "kube", Weight: 1}})
		if err != nil {
			t.Fatal(err)
		}
		return append(eviction.Controllers(settings, policy), workload.NewReplicasMarked(workload.NameMark), scheduler.New(profile)), nil
	}
}

// pods returns nodes, and pods that come one each 100 ms from a time on.
func pods(from cluster.Time, n int) *sim.List {
	var list sim.List
	for _, name := range []string{"n1", "n2", "n3"} {
		list = append(list, cluster.Event{Kind: cluster.NodeAdded, NodeSpec: &cluster.NodeSpec{
			Name: name, Capacity: cluster.Amounts{cluster.CPU: 4000, cluster.Memory: 8 << 30, cluster.PodSlots: 110},
		}})
	}
	tolerated := int64(5)
	for i := range n {
		class := &cluster.Class{Namespace: "default", Requests: cluster.Amounts{cluster.CPU: int64(50 + 10*(i%5)), cluster.Memory: 64 << 20}}
		for _, key := range []string{cluster.TaintNotReady, cluster.TaintUnreachable} {
			class.Tolerations = append(class.Tolerations, cluster.Toleration{Key: key, Exists: true, Effect: cluster.NoExecute, Seconds: &tolerated})
		}
		list = append(list, cluster.Event{Time: from + cluster.Time(i)*second/10, Kind: cluster.PodAdded, PodSpec: &cluster.PodSpec{
			Name: "p" + strconv.Itoa(i), Class: class, Run: cluster.Never, Stop: second, Grace: 30 * second,
		}})
	}
	return &list
}

// struck is a kubelet of n2 that hangs, counted from the beginning of a run.
func struck(by cluster.Time) []faults.Fault {
	return []faults.Fault{{At: 60*second + by, Until: 200*second + by, Nodes: []string{"n2"}, Effect: faults.Effect{Kind: faults.Hang}}}
}

// played is a run in the simulator that stands for a live one: its kubelets are slow, and its
// time is another.
func played(t *testing.T, list *sim.List, decide func() ([]cluster.Controller, error)) *Timeline {
	const by = 1000 * second
	s := cluster.NewState()
	s.Seed = 7
	kubelets := sim.DefaultKubelets()
	kubelets.StartUp = sim.StartUp{second, 2 * second, 9 * second}
	kubelets.Faults = shifted(struck(0), by)
	c, err := sim.New(s, list, sim.Options{Kubelets: kubelets, Until: by + 300*second})
	if err != nil {
		t.Fatal(err)
	}
	controllers, err := decide()
	if err != nil {
		t.Fatal(err)
	}
	live := NewTimeline()
	if err := cluster.Run(t.Context(), c, s, live, controllers...); err != nil {
		t.Fatal(err)
	}
	return live
}

func TestCertificate(t *testing.T) {
	live := played(t, pods(1000*second, 30), deciding(t))
	how := Simulation{Faults: struck(1000 * second), Until: 1300 * second, Controllers: deciding(t), StartUp: live.StartUps(11)}
	var simulated []*Timeline
	for seed := range int64(5) {
		how.Seed, how.Alike = seed, seed == 0
		s, err := live.Simulate(t.Context(), how)
		if err != nil {
			t.Fatal(err)
		}
		simulated = append(simulated, s)
	}
	c := Compare(live, how.Faults, simulated...)
	if c.Equal != c.Pods || c.Pods < 35 || len(c.OnlyLive)+len(c.OnlySim) > 0 {
		t.Errorf("%s; live only %v, simulated only %v", c.Verdict(), c.OnlyLive, c.OnlySim)
	}
	for _, m := range c.Measures {
		if len(m.Live) == 0 || len(m.Sim) != 5*len(m.Live) {
			t.Errorf("%s: %d live and %d simulated times", m.Name, len(m.Live), len(m.Sim))
			continue
		}
		if len(m.Alike) != len(m.Live) || m.Name != "start-up" && m.Name != "replacement" && (m.Alike[0] != m.Live[0] || m.Alike[len(m.Alike)-1] != m.Live[len(m.Live)-1]) {
			t.Errorf("%s: live %s, simulated with the same leases %s", m.Name, Span(m.Live), Span(m.Alike))
		}
		if m.Live[0] < m.Sim[0]-6*second || m.Live[len(m.Live)-1] > m.Sim[len(m.Sim)-1]+6*second {
			t.Errorf("%s: live %s, simulated %s", m.Name, Span(m.Live), Span(m.Sim))
		}
	}
	var page bytes.Buffer
	if err := c.WritePage(&page, []Fact{{"digest", "<abc>"}}); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"<svg", "(100.0 %)", "&lt;abc&gt;", "detection"} {
		if !strings.Contains(page.String(), want) {
			t.Errorf("the page has no %s", want)
		}
	}
}

// TestDifferent wants a pod that went elsewhere to be explained by what was otherwise.
func TestDifferent(t *testing.T) {
	live := played(t, pods(1000*second, 6), deciding(t))
	moved := live.arrivals[2].PodSpec
	i := slices.IndexFunc(live.Pods, func(p *Pod) bool { return p.Name == "default/"+moved.Name })
	was := live.Pods[i].Node
	live.Pods[i].Node = "n9"
	for k := range live.scene.changes {
		if c := &live.scene.changes[k]; c.line == live.Pods[i].Name+" on "+was {
			c.line = live.Pods[i].Name + " on n9"
		}
	}
	live.Pods[i+1].Node = "n9"
	s, err := live.Simulate(t.Context(), Simulation{Faults: struck(1000 * second), Until: 1300 * second, Controllers: deciding(t)})
	if err != nil {
		t.Fatal(err)
	}
	c := Compare(live, nil, s)
	if len(c.Different) != 2 || len(c.Different[0].Why) != 0 || c.Different[0].Live != "n9" || c.Different[0].Sim != was {
		t.Fatalf("%+v", c.Different)
	}
	want := []string{"live only: default/p2 on n9", "simulated only: default/p2 on " + was}
	if got := c.Different[1].Why; !slices.Equal(got, want) {
		t.Errorf("the second is explained by %q instead of %q", got, want)
	}
}

func TestNoPods(t *testing.T) {
	if _, err := NewTimeline().Simulate(t.Context(), Simulation{}); err == nil {
		t.Error("a run without pods is simulated")
	}
}
