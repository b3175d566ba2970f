package plugins_test

import (
	"strings"
	"testing"

	"github.com/berthsim/berth/cluster"
	"github.com/berthsim/berth/plugins"
	"github.com/berthsim/berth/scheduler"
)

func TestElasticQuotaOptions(t *testing.T) {
	if _, err := plugins.ElasticQuota.New(nil); err == nil || !strings.Contains(err.Error(), "queues is missing") {
		t.Errorf("without options: %v", err)
	}
	for text, want := range map[string]string{
		`{"queues": []}`:             "queues is empty",
		`{"queue": []}`:              `unknown field "queue"`,
		`{"queues": [{"nam": "a"}]}`: `unknown field "nam"`,
		`{"queues": [{"name": "a", "guaranteed": {"cpu": "1x"}}]}`:                           `queues[0]: guaranteed: cpu is "1x"; write a quantity`,
		`{"queues": [{"name": "a", "guaranteed": {"cpu": "1/2"}}]}`:                          `cpu is "1/2"; write a quantity`,
		`{"queues": [{"name": "a", "guaranteed": {"cpu": ""}}]}`:                             `cpu is ""; write a quantity`,
		`{"queues": [{"name": "a", "guaranteed": {"cpu": "0.5m"}}]}`:                         "cpu is 0.5m; it must be whole thousandths",
		`{"queues": [{"name": "a", "guaranteed": {"memory": 1.5}}]}`:                         "memory is 1.5; it must be a whole number",
		`{"queues": [{"name": "a"}, {"name": "b", "lendingLimit": {"nvidia.com/gpu": -1}}]}`: "queues[1]: lendingLimit: nvidia.com/gpu is -1; it must be 0 or more",
		`{"queues": [{"name": "a", "guaranteed": {"memory": "1025Pi"}}]}`:                    "memory is 1025Pi; that is too much to count",
		`{"queues": [{"name": "a", "parent": "b"}]}`:                                         `queues[0]: parent is "b", which is no queue`,
	} {
		if _, err := plugins.ElasticQuota.New(options(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: the error is %v, which should contain %q", text, err, want)
		}
	}
}

// TestElasticQuotaAtPermit has a decision take a second, while somebody else binds a pod of the
// queue: what was left when the decision was made is gone when it comes into force.
func TestElasticQuotaAtPermit(t *testing.T) {
	pr, err := elasticProfile([]map[string]any{{"name": "q", "namespaces": []string{"q"}, "guaranteed": map[string]string{"cpu": "1500m"}}})
	if err != nil {
		t.Fatal(err)
	}
	var tried []scheduler.Attempt
	sc := scheduler.NewScheduler(scheduler.Options{
		Profiles: map[string]*scheduler.Profile{"": pr}, Service: cluster.Second,
		Seen: func(a scheduler.Attempt) { tried = append(tried, a) },
	})
	s := cluster.NewState()
	pod := func(name, on string) cluster.Event {
		return cluster.Event{Kind: cluster.PodAdded, PodSpec: &cluster.PodSpec{Name: name, On: on, Class: &cluster.Class{
			Namespace: "q", Requests: cluster.Amounts{cluster.CPU: 1000},
		}}}
	}
	step := func(now cluster.Time, events ...cluster.Event) {
		s.Observe(now, events)
		sc.Step(s, events)
		s.TakeDecisions()
	}
	node := cluster.Event{Kind: cluster.NodeAdded, NodeSpec: &cluster.NodeSpec{Name: "n", Capacity: cluster.Amounts{9000, 9000, 0, 9}}}
	step(0, node, pod("ours", ""))
	step(cluster.Second/2, pod("theirs", "n"))
	step(cluster.Second)
	if len(tried) != 1 || tried[0].Node != cluster.None || strings.Join(tried[0].Rejected, " ") != "ElasticQuota" {
		t.Errorf("what came of the try: %+v", tried)
	}
	if s.Nodes.Used[cluster.CPU][0] != 1000 {
		t.Errorf("%d milli-CPUs are used; theirs alone uses 1000", s.Nodes.Used[cluster.CPU][0])
	}
}

// TestPoliciesOfOtherQueues leaves pods of no queue to DefaultPreemption, and those of queues to
// ElasticQuota, however important they are.
func TestPoliciesOfOtherQueues(t *testing.T) {
	pr, err := elasticProfile([]map[string]any{
		{"name": "org", "guaranteed": map[string]string{"cpu": "9"}},
		{"name": "a", "parent": "org", "namespaces": []string{"a"}, "guaranteed": map[string]string{"cpu": "2"}},
		{"name": "b", "parent": "org", "namespaces": []string{"b"}, "guaranteed": map[string]string{"cpu": "2"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	s := cluster.NewState()
	pod := func(ns string, priority int32, on string) cluster.Event {
		return cluster.Event{Kind: cluster.PodAdded, PodSpec: &cluster.PodSpec{Name: ns, On: on, Class: &cluster.Class{
			Namespace: ns, Priority: priority, Requests: cluster.Amounts{cluster.CPU: 2000},
		}}}
	}
	events := []cluster.Event{
		{Kind: cluster.NodeAdded, NodeSpec: &cluster.NodeSpec{Name: "n", Capacity: cluster.Amounts{2000, 9000, 0, 9}}},
		pod("a", 0, "n"), pod("b", 100, ""), pod("free", 100, ""),
	}
	s.Observe(0, events)
	if pre, ok := pr.Preemption(s, events[2].Pod); ok {
		t.Errorf("a, within its guarantee, is to give way to b: %+v", pre)
	}
	if pre, ok := pr.Preemption(s, events[3].Pod); !ok || len(pre.Victims) != 1 {
		t.Errorf("a pod of no queue goes by priority, and yet it gets %+v", pre)
	}
}
