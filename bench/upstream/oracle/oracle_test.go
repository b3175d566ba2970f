package oracle_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	v1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"

	"github.com/berthsim/berth/bench/upstream/oracle"
)

func node(i int, cpu string) *v1.Node {
	name := fmt.Sprintf("node-%03d", i)
	return &v1.Node{
		ObjectMeta: metav1.ObjectMeta{Name: name, Labels: map[string]string{v1.LabelHostname: name}},
		Status: v1.NodeStatus{Allocatable: v1.ResourceList{
			v1.ResourceCPU: resource.MustParse(cpu), v1.ResourceMemory: resource.MustParse("4Gi"), v1.ResourcePods: resource.MustParse("110"),
		}},
	}
}

func pod(name, cpu string, priority int32) *v1.Pod {
	return &v1.Pod{
		ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: name, UID: types.UID(name)},
		Spec: v1.PodSpec{
			SchedulerName: v1.DefaultSchedulerName, Priority: &priority,
			Containers: []v1.Container{{Name: "c", Image: "i", Resources: v1.ResourceRequirements{
				Requests: v1.ResourceList{v1.ResourceCPU: resource.MustParse(cpu)},
			}}},
		},
	}
}

// on puts a pod on a node, where it started at noon of some day.
func on(p *v1.Pod, node string) *v1.Pod {
	p.Spec.NodeName = node
	start := metav1.NewTime(time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC))
	p.Status.StartTime = &start
	return p
}

func newOracle(t testing.TB, profile string, objects ...runtime.Object) *oracle.Oracle {
	t.Helper()
	o, err := oracle.New(oracle.Config{Profile: []byte(profile)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(o.Close)
	for _, obj := range objects {
		if err := o.Add(obj); err != nil {
			t.Fatal(err)
		}
	}
	return o
}

func evaluate(t testing.TB, o *oracle.Oracle, p *v1.Pod) *oracle.Result {
	t.Helper()
	r, err := o.Evaluate(p)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestNothing(t *testing.T) {
	if r := evaluate(t, newOracle(t, ""), pod("p", "1", 0)); r.Err != "no nodes available to schedule pods" {
		t.Errorf("error %q", r.Err)
	}
}

func TestGate(t *testing.T) {
	p := pod("p", "1", 0)
	p.Spec.SchedulingGates = []v1.PodSchedulingGate{{Name: "g"}}
	r := evaluate(t, newOracle(t, "", node(0, "1")), p)
	if r.Gate.Plugin != "SchedulingGates" || r.Chosen != "" {
		t.Errorf("gate %v, chosen %q", r.Gate, r.Chosen)
	}
}

func TestScores(t *testing.T) {
	o := newOracle(t, "", node(0, "1"), node(1, "4"), node(2, "4"))
	r := evaluate(t, o, pod("p", "2", 0))
	if v, ok := r.Verdict("node-000"); !ok || v.String() != "UnschedulableAndUnresolvable by NodeResourcesFit: Insufficient cpu" {
		t.Errorf("verdict of the small node: %v", v)
	}
	if want := []string{"node-001", "node-002"}; !slices.Equal(r.Best, want) || r.Chosen != "node-001" || r.Evaluated != 3 {
		t.Errorf("best %v, chosen %q, evaluated %d", r.Best, r.Chosen, r.Evaluated)
	}
	fit := oracle.PluginScore{Plugin: "NodeResourcesFit", Score: 72} // (50 of cpu + 95 of memory) / 2
	if !slices.Contains(r.Scores[0].Plugins, fit) {
		t.Errorf("scores %v, want %v among them", r.Scores[0].Plugins, fit)
	}
	if r := evaluate(t, o, pod("q", "9", 0)); !strings.HasPrefix(r.Message, "0/3 nodes are available: 3 Insufficient cpu.") {
		t.Errorf("message %q", r.Message)
	}
}

// TestSampling has 150 equal nodes, of which upstream wants 100 at a time and goes on where it stopped.
func TestSampling(t *testing.T) {
	o := newOracle(t, "")
	for i := range 150 {
		if err := o.Add(node(i, "4")); err != nil {
			t.Fatal(err)
		}
	}
	for _, start := range []int{0, 100, 50} {
		r := evaluate(t, o, pod("p", "1", 0))
		if len(r.Feasible) != 100 || len(r.Visits) != 101 || len(r.Rest) != 49 {
			t.Errorf("%d feasible, %d visited, %d not", len(r.Feasible), len(r.Visits), len(r.Rest))
		}
		if want := fmt.Sprintf("node-%03d", start); r.Visits[0].Node != want {
			t.Errorf("began at %s, want %s", r.Visits[0].Node, want)
		}
	}
}

func TestPreemption(t *testing.T) {
	o := newOracle(t, "", node(0, "1"), node(1, "1"), node(2, "1"),
		on(pod("a", "1", 1), "node-000"), on(pod("b", "1", 1), "node-001"), on(pod("c", "1", 2), "node-002"))
	p := pod("p", "1", 5)
	if err := o.Add(p); err != nil {
		t.Fatal(err)
	}
	e := evaluate(t, o, p).Preemption
	want := []oracle.Candidate{
		{Node: "node-000", Victims: []string{"default/a"}, Best: true},
		{Node: "node-001", Victims: []string{"default/b"}, Best: true},
		{Node: "node-002", Victims: []string{"default/c"}},
	}
	if fmt.Sprint(e.Candidates) != fmt.Sprint(want) {
		t.Errorf("candidates %v, want %v", e.Candidates, want)
	}
	if !e.Status.Success() || e.Node == "" || len(e.Evicted) != 1 {
		t.Errorf("nominated %q, evicted %v, %v", e.Node, e.Evicted, e.Status)
	}
}

// TestNominated has a pod of higher priority that was promised the only room there is.
func TestNominated(t *testing.T) {
	high := pod("high", "1", 5)
	high.Status.NominatedNodeName = "node-000"
	o := newOracle(t, "", node(0, "1"), high)
	if r := evaluate(t, o, pod("low", "1", 0)); r.Chosen != "" {
		t.Errorf("the promised node was taken")
	}
	if r := evaluate(t, o, high); r.Chosen != "node-000" || r.Nominated == nil || len(r.Visits) > 0 {
		t.Errorf("chosen %q, nominated %v, visits %v", r.Chosen, r.Nominated, r.Visits)
	}
	high.Spec.NodeName, high.Status.NominatedNodeName = "node-000", ""
	if err := o.Update(high); err != nil {
		t.Fatal(err)
	}
	if err := o.Delete(high); err != nil {
		t.Fatal(err)
	}
	if r := evaluate(t, o, pod("low", "1", 0)); r.Chosen != "node-000" {
		t.Errorf("the node is free, and %s", r.Message)
	}
}

func TestNamedNodes(t *testing.T) {
	named := func(names ...string) *v1.Pod {
		p := pod("p", "1", 0)
		s := &v1.NodeSelector{}
		for _, n := range names {
			s.NodeSelectorTerms = append(s.NodeSelectorTerms, v1.NodeSelectorTerm{MatchFields: []v1.NodeSelectorRequirement{
				{Key: metav1.ObjectNameField, Operator: v1.NodeSelectorOpIn, Values: []string{n}},
			}})
		}
		p.Spec.Affinity = &v1.Affinity{NodeAffinity: &v1.NodeAffinity{RequiredDuringSchedulingIgnoredDuringExecution: s}}
		return p
	}
	o := newOracle(t, "", node(0, "4"), node(1, "4"), node(2, "4"))
	if r := evaluate(t, o, named("node-001")); r.Chosen != "node-001" || r.Unordered || len(r.Rest) > 0 {
		t.Errorf("chosen %q, unordered %v, rest %v", r.Chosen, r.Unordered, r.Rest)
	}
	if r := evaluate(t, o, named("node-001", "node-002")); !r.Unordered || len(r.Best) != 2 || len(r.NodeSet) != 2 {
		t.Errorf("unordered %v, best %v, set %v", r.Unordered, r.Best, r.NodeSet)
	}
}

func TestProfile(t *testing.T) {
	const head = "apiVersion: kubescheduler.config.k8s.io/v1\nkind: KubeSchedulerConfiguration\n"
	o := newOracle(t, head+"profiles: [{plugins: {multiPoint: {enabled: [{name: ImageLocality, weight: 7}]}, score: {disabled: [{name: TaintToleration}]}}}]")
	w := o.Weights(v1.DefaultSchedulerName)
	if _, on := w["TaintToleration"]; w["ImageLocality"] != 7 || w["NodeAffinity"] != 2 || on {
		t.Errorf("weights %v", w)
	}
	for text, want := range map[string]string{
		head + "odd: 1":                        "unknown field",
		head + "profiles: [{plugins: 1}]":      "cannot unmarshal",
		head + "percentageOfNodesToScore: 101": "not valid",
		"kind: Pod\napiVersion: v1":            "no kind",
	} {
		if _, err := oracle.New(oracle.Config{Profile: []byte(text)}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: error %v, want one with %q", text, err, want)
		}
	}
}

func TestBefore(t *testing.T) {
	o := newOracle(t, "")
	noon := time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		a, b int32
		wait time.Duration
		want bool
	}{{5, 1, -time.Hour, true}, {1, 5, time.Hour, false}, {1, 1, time.Second, true}, {1, 1, 0, false}} {
		got, err := o.Before(v1.DefaultSchedulerName, pod("a", "1", c.a), pod("b", "1", c.b), noon, noon.Add(c.wait))
		if err != nil || got != c.want {
			t.Errorf("%+v: %v, %v", c, got, err)
		}
	}
}

// BenchmarkEvaluate decides about and binds one pod after the other; the nodes never fill up.
func BenchmarkEvaluate(b *testing.B) {
	for _, nodes := range []int{20, 100, 300} {
		b.Run(fmt.Sprintf("nodes=%d", nodes), func(b *testing.B) {
			o := newOracle(b, "")
			for i := range nodes {
				n := node(i, "1000")
				n.Status.Allocatable[v1.ResourcePods] = resource.MustParse("100000")
				if err := o.Add(n); err != nil {
					b.Fatal(err)
				}
			}
			for i := 0; b.Loop(); i++ {
				p := pod(fmt.Sprint("p", i), "1m", 0)
				if err := o.Add(p); err != nil {
					b.Fatal(err)
				}
				p.Spec.NodeName = evaluate(b, o, p).Chosen
				if err := o.Update(p); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
