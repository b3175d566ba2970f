package eviction_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/berthsim/berth/cluster"
	"github.com/berthsim/berth/cluster/sim"
	"github.com/berthsim/berth/eviction"
)

// The simulator's interfaces, which eviction doesn't know.
var (
	_ sim.KubeletPolicy    = (*eviction.Kubelets)(nil)
	_ sim.GracefulShutdown = (*eviction.Kubelets)(nil)
)

// unbounded hides a Usage's ceiling, so that all nodes are looked at.
type unbounded struct{ of eviction.Usage }

func (u unbounded) Usage(s eviction.Subject) func(cluster.Time) eviction.Consumption {
	return u.of.Usage(s)
}

// counting counts looks, and checks that nobody is killed or evicted without need.
type counting struct {
	*eviction.Kubelets
	looks, kills, evictions int
}

func (c *counting) Look(s *cluster.State, n cluster.NodeID, now cluster.Time, pods []cluster.RunningPod) cluster.KubeletActs {
	acts := c.Kubelets.Look(s, n, now, pods)
	c.looks++
	c.kills += len(acts.Killed)
	c.evictions += len(acts.Evicted)
	return acts
}

// overcommit plays an hour of pods that are bound by what they ask for, and use other amounts.
func overcommit(t *testing.T, usage eviction.Usage, seed uint64) (log []string, c *counting) {
	t.Helper()
	rng := rand.New(rand.NewPCG(seed, 0))
	var events sim.List
	for i := range 4 {
		events = append(events, cluster.Event{Kind: cluster.NodeAdded, NodeSpec: &cluster.NodeSpec{
			Name: fmt.Sprint("n", i), Capacity: cluster.Amounts{cluster.Memory: 8 << 30, cluster.PodSlots: 20},
		}})
	}
	for i := range 60 {
		class := &cluster.Class{Priority: int32(rng.IntN(3)), Requests: cluster.Amounts{cluster.Memory: int64(rng.IntN(2 << 30))}}
		events = append(events, cluster.Event{Time: cluster.Time(rng.IntN(1800)) * cluster.Second, Kind: cluster.PodAdded, PodSpec: &cluster.PodSpec{
			Name: fmt.Sprint("p", i), Class: class, Run: cluster.Time(60+rng.IntN(1200)) * cluster.Second, Stop: cluster.Time(rng.IntN(40)) * cluster.Second, Grace: 30 * cluster.Second,
		}})
	}
	slices.SortStableFunc(events, func(a, b cluster.Event) int { return int(a.Time/cluster.Second - b.Time/cluster.Second) })
	kubelets, err := eviction.NewKubelets(eviction.KubeletConfig{Pressure: eviction.DefaultPressureConfig(), Usage: usage})
	if err != nil {
		t.Fatal(err)
	}
	c = &counting{Kubelets: kubelets}
	k := sim.DefaultKubelets()
	k.Policy = c
	s := cluster.NewState()
	world, err := sim.New(s, &events, sim.Options{Kubelets: k, Until: cluster.Hour})
	if err != nil {
		t.Fatal(err)
	}
	w := &diary{}
	if err := cluster.Run(context.Background(), world, s, w, eviction.NewHealth(eviction.Defaults(), eviction.NewKubePolicy(eviction.Defaults())), fitting{}); err != nil {
		t.Fatal(err)
	}
	return w.lines, c
}

// fitting binds pods where what they ask for is free.
type fitting struct{}

// Step implements cluster.Controller.
func (fitting) Step(s *cluster.State, _ []cluster.Event) cluster.Time {
	for p := range cluster.PodID(s.Pods.Rows()) {
		for _, n := range s.Nodes.Live() {
			if s.Pods.Phase[p] == cluster.Pending && len(s.Nodes.Taints[n]) == 0 && s.Free(n, cluster.PodSlots) > 0 &&
				s.Free(n, cluster.Memory) >= s.Class(p).Requests.Get(cluster.Memory) {
				s.Bind(p, n, cluster.Allocation{})
			}
		}
	}
	return cluster.Never
}

// A diary notes what happens.
type diary struct{ lines []string }

func (d *diary) Record(s *cluster.State, events []cluster.Event, _ []cluster.Decision) error {
	for i := range events {
		e := &events[i]
		line := fmt.Sprint(e.Time, " ", e.Kind)
		if e.Pod != cluster.None && e.Kind != cluster.NodeAdded {
			line += " " + s.Pods.Name[e.Pod]
		}
		if e.Kind == cluster.NodeHeard {
			line += fmt.Sprint(" ", s.Nodes.Name[e.Node], e.Health.Conditions)
		}
		d.lines = append(d.lines, line)
	}
	return nil
}

// TestKubeletsOvercommit wants memory to run out now and then, the same to happen each time, and the
// same again if nodes are looked at that needn't be.
func TestKubeletsOvercommit(t *testing.T) {
	saved, killed, evicted := 0, 0, 0
	for seed := range uint64(40) {
		usage := eviction.Drift{Seed: int64(seed), Base: int64(300 + 25*seed), Spread: 200, Noise: 150, Idle: eviction.Consumption{Memory: 1 << 28}}
		log, fast := overcommit(t, usage, seed)
		slowLog, slow := overcommit(t, unbounded{usage}, seed)
		if !slices.Equal(log, slowLog) {
			t.Errorf("seed %d: without a ceiling, something else happens", seed)
		}
		if again, _ := overcommit(t, usage, seed); !slices.Equal(log, again) {
			t.Errorf("seed %d: something else happens the second time", seed)
		}
		saved += slow.looks - fast.looks
		killed, evicted = killed+fast.kills, evicted+fast.evictions
	}
	t.Logf("%d looks were saved; %d pods were killed by the kernel, %d evicted", saved, killed, evicted)
	if saved == 0 || killed == 0 || evicted == 0 {
		t.Error("one of them never happens")
	}
}

// TestKubeletsAdmit wants those pods to be turned away that a kubelet under pressure turns away.
func TestKubeletsAdmit(t *testing.T) {
	s := cluster.NewState()
	events := []cluster.Event{{Kind: cluster.NodeAdded, NodeSpec: &cluster.NodeSpec{Name: "n", Capacity: cluster.Amounts{cluster.Memory: 1 << 30, cluster.PodSlots: 10}}}}
	for _, spec := range []*cluster.PodSpec{
		{Name: "hog", On: "n", Class: &cluster.Class{Requests: cluster.Amounts{cluster.Memory: 1 << 29}}},
		{Name: "nothing", Class: &cluster.Class{}},
		{Name: "tolerates", Class: &cluster.Class{Tolerations: []cluster.Toleration{{Key: cluster.TaintMemoryPressure, Exists: true}}}},
		{Name: "critical", Class: &cluster.Class{Priority: eviction.SystemCritical}},
		{Name: "mirror", Class: &cluster.Class{Owner: cluster.OwnerRef{Kind: "Node"}}},
	} {
		events = append(events, cluster.Event{Kind: cluster.PodAdded, PodSpec: spec})
	}
	s.Observe(0, events)
	usage := eviction.Recorded{"/hog": {{Consumption: eviction.Consumption{Memory: 1<<30 + 1}}}}
	k, err := eviction.NewKubelets(eviction.KubeletConfig{Pressure: eviction.DefaultPressureConfig(), Usage: usage})
	if err != nil {
		t.Fatal(err)
	}
	for p := range cluster.PodID(5) {
		if reason := k.Admit(s, 0, p); reason != "" {
			t.Errorf("before there is pressure, %s isn't let in: %s", s.Pods.Name[p], reason)
		}
	}
	acts := k.Look(s, 0, cluster.Second, []cluster.RunningPod{{Pod: 0, Stop: cluster.Second, Ends: cluster.Never}})
	if len(acts.Evicted) != 1 || acts.Evicted[0].Grace != eviction.MinContainerGrace || acts.Next != 3*cluster.Second || acts.Conditions[cluster.NodeMemoryPressure] != cluster.ConditionTrue {
		t.Errorf("at the look, %+v follows", acts)
	}
	for p, want := range []bool{true, false, true, true, true} {
		if reason := k.Admit(s, 0, cluster.PodID(p)); (reason == "") != want {
			t.Errorf("%s: %q", s.Pods.Name[p], reason)
		}
	}
}

func TestCeilings(t *testing.T) {
	ask := eviction.Subject{Name: "a/b", Request: eviction.Consumption{Memory: 1000}}
	for _, test := range []struct {
		usage eviction.Ceiling
		want  int64
	}{
		{eviction.Drift{Base: 500, Spread: 100, Noise: 50}, 650},
		{eviction.Drift{Base: 500, Growth: -1}, 500},
		{eviction.Drift{Base: 500, Growth: 1}, 1<<63 - 1},
		{eviction.Drift{Base: 500, Leaky: 1, Leak: 1}, 1<<63 - 1},
		{eviction.Recorded{}, 1000},
		{eviction.Recorded{"a/b": {{Consumption: eviction.Consumption{Memory: 7}}, {Age: 5, Consumption: eviction.Consumption{Memory: 3}}}}, 7},
	} {
		if got := test.usage.Most(ask).Memory; got != test.want {
			t.Errorf("%+v: at most %d is used, rather than %d", test.usage, test.want, got)
		}
	}
	limited := ask
	limited.Limit.Memory = 1200
	if got := (eviction.Drift{Base: 500, Growth: 1}).Most(limited); got.Memory != 1200 || got.Disk != 0 {
		t.Errorf("with a limit, at most %+v is used", got)
	}
}

// BenchmarkKubeletsLook is a look at a node with 110 pods, none of which is to go.
func BenchmarkKubeletsLook(b *testing.B) {
	s := cluster.NewState()
	events := []cluster.Event{{Kind: cluster.NodeAdded, NodeSpec: &cluster.NodeSpec{Name: "n", Capacity: cluster.Amounts{cluster.Memory: 1 << 40, cluster.PodSlots: 110}}}}
	var pods []cluster.RunningPod
	for i := range 110 {
		events = append(events, cluster.Event{Kind: cluster.PodAdded, PodSpec: &cluster.PodSpec{
			Name: fmt.Sprint("p", i), On: "n", Class: &cluster.Class{Requests: cluster.Amounts{cluster.Memory: 1 << 30}},
		}})
		pods = append(pods, cluster.RunningPod{Pod: cluster.PodID(i), Ends: cluster.Never})
	}
	s.Observe(0, events)
	k, err := eviction.NewKubelets(eviction.KubeletConfig{Pressure: eviction.DefaultPressureConfig(), Usage: eviction.Drift{Base: 500, Growth: 1, Noise: 10}})
	if err != nil {
		b.Fatal(err)
	}
	now := cluster.Time(0)
	for b.Loop() {
		now = k.Look(s, 0, now, pods).Next
	}
}
