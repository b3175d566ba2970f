package eviction

import (
	"fmt"
	"testing"

	"github.com/berthsim/berth/cluster"
)

// placed is a pod of rs on a node.
func placed(name, on string, change func(*cluster.PodSpec)) cluster.Event {
	spec := &cluster.PodSpec{Name: name, On: on, Class: &cluster.Class{Namespace: "x", Owner: rs}, Labels: cluster.Labels{{Key: "app", Value: "a"}}}
	if change != nil {
		change(spec)
	}
	return cluster.Event{Kind: cluster.PodAdded, PodSpec: spec}
}

// zoned is a node of a zone.
func zoned(name, zone string) cluster.Event {
	n := node(name)
	n.NodeSpec.Labels = cluster.MakeLabels(map[string]string{"zone": zone})
	return n
}

// chosen returns the names of the pods that a Descheduler evicts.
func chosen(d Descheduler, events ...cluster.Event) (names []string) {
	s := cluster.NewState()
	s.Observe(0, events)
	d.Every = cluster.Minute
	d.Step(s, events)
	for _, d := range s.TakeDecisions() {
		names = append(names, s.Pods.Name[d.Pod])
	}
	return names
}

// TestDescheduled tells for each strategy which pods go.
func TestDescheduled(t *testing.T) {
	tainted := node("tainted")
	tainted.NodeSpec.Taints = []cluster.Taint{{Key: "k", Effect: cluster.NoSchedule}, {Key: "x", Effect: cluster.PreferNoSchedule}, {Key: "y", Effect: cluster.NoExecute}}
	inZone := func(zone string, cpu int64) func(*cluster.PodSpec) {
		return func(s *cluster.PodSpec) {
			in := cluster.Requirement{Key: "zone", Op: cluster.In, Values: []string{zone}}
			s.Class.RequiredNode = &cluster.NodeSelector{Terms: []cluster.NodeSelectorTerm{{Labels: []cluster.Requirement{in}}}}
			s.Class.Requests = cluster.Amounts{cluster.CPU: cpu}
		}
	}
	alone := func(s *cluster.PodSpec) {
		s.Class.AntiAffinity.Required = []cluster.PodTerm{{Selector: app("a"), Namespaces: []string{"x"}, TopologyKey: "zone"}}
	}
	with := func(f func(*cluster.PodSpec), g func(*cluster.Class)) func(*cluster.PodSpec) {
		return func(s *cluster.PodSpec) {
			if f != nil {
				f(s)
			}
			g(s.Class)
		}
	}
	for _, tt := range []struct {
		why    string
		d      Descheduler
		events []cluster.Event
		want   []string
	}{
		{"taints, and who stays whatever happens", Descheduler{Strategies: []Strategy{NodeTaints}}, []cluster.Event{
			tainted, node("n"), placed("elsewhere", "n", nil),
			placed("high", "tainted", with(nil, func(c *cluster.Class) { c.Priority = 5 })), placed("low", "tainted", nil),
			placed("tolerates", "tainted", with(nil, func(c *cluster.Class) { c.Tolerations = []cluster.Toleration{{Key: "k", Exists: true}} })),
			placed("daemon", "tainted", with(nil, func(c *cluster.Class) { c.Owner.Kind = "DaemonSet" })),
			placed("mirror", "tainted", with(nil, func(c *cluster.Class) { c.Owner.Kind = "Node" })),
			placed("bare", "tainted", with(nil, func(c *cluster.Class) { c.Owner = cluster.OwnerRef{} })),
			placed("critical", "tainted", with(nil, func(c *cluster.Class) { c.Priority = 2_000_000_000 })),
			placed("ending", "tainted", func(s *cluster.PodSpec) { s.Terminating = true }),
		}, []string{"low", "high"}},
		{"bare pods, if they may go", Descheduler{Strategies: []Strategy{NodeTaints}, Bare: true}, []cluster.Event{
			tainted, placed("bare", "tainted", with(nil, func(c *cluster.Class) { c.Owner = cluster.OwnerRef{} })),
		}, []string{"bare"}},
		{"node affinity", Descheduler{Strategies: []Strategy{NodeAffinity}}, []cluster.Event{
			zoned("n1", "z1"), zoned("n2", "z2"),
			placed("at-home", "n1", inZone("z1", 0)), placed("strange", "n1", inZone("z2", 1000)),
			placed("too-large", "n1", inZone("z2", 1001)), placed("nowhere", "n1", inZone("z3", 0)), placed("any", "n1", nil),
			placed("only-labels", "n1", with(nil, func(c *cluster.Class) { c.NodeLabels = cluster.Labels{{Key: "zone", Value: "z2"}} })),
		}, []string{"strange"}},
		{"anti-affinity in a zone", Descheduler{Strategies: []Strategy{AntiAffinity}}, []cluster.Event{
			zoned("n1", "z1"), zoned("n2", "z1"), zoned("n3", "z2"),
			placed("p1", "n1", alone), placed("p2", "n2", alone), placed("p3", "n2", with(alone, func(c *cluster.Class) { c.Priority = -1 })), placed("p4", "n3", alone),
			placed("other", "n3", func(s *cluster.PodSpec) { s.Labels = nil }),
		}, []string{"p1", "p3"}},
		{"anti-affinity to who ends", Descheduler{Strategies: []Strategy{AntiAffinity}}, []cluster.Event{
			zoned("n1", "z1"), placed("p1", "n1", alone), placed("p2", "n1", func(s *cluster.PodSpec) { s.Terminating = true }),
		}, nil},
		{"limits", Descheduler{Strategies: []Strategy{NodeTaints}, Total: 2}, []cluster.Event{tainted, placed("a", "tainted", nil), placed("b", "tainted", nil), placed("c", "tainted", nil)}, []string{"a", "b"}},
		{"limits of nodes", Descheduler{Strategies: []Strategy{AntiAffinity}, PerNode: 1}, []cluster.Event{
			zoned("n1", "z1"), zoned("n2", "z1"), placed("a", "n1", alone), placed("b", "n1", alone), placed("c", "n2", alone), placed("d", "n2", alone),
		}, []string{"a", "c"}},
	} {
		t.Run(tt.why, func(t *testing.T) { expectLines(t, chosen(tt.d, tt.events...), tt.want...) })
	}
}

// spread is a world of zones with so many pods each, which may differ by one.
func spread(pods []int, change func(zone, i int, s *cluster.PodSpec)) (events []cluster.Event) {
	for zone := range pods {
		events = append(events, zoned(fmt.Sprint("n", zone), fmt.Sprint("z", zone)))
	}
	for zone, n := range pods {
		for i := range n {
			events = append(events, placed(fmt.Sprintf("z%d-%d", zone, i), fmt.Sprint("n", zone), func(s *cluster.PodSpec) {
				s.Class.Spread = []cluster.SpreadConstraint{{MaxSkew: 1, TopologyKey: "zone", Selector: app("a")}}
				if change != nil {
					change(zone, i, s)
				}
			}))
		}
	}
	return events
}

func TestTopologySpread(t *testing.T) {
	d := Descheduler{Strategies: []Strategy{TopologySpread}}
	priority := func(_, i int, s *cluster.PodSpec) { s.Class.Priority = int32(i) }
	for _, tt := range []struct {
		why    string
		events []cluster.Event
		want   []string
	}{
		// 30 pods in 6 zones: 5 each. 8 gives 3 to 2, 7 gives 2 to 3.
		{"uneven", spread([]int{2, 5, 3, 8, 5, 7}, nil), []string{"z3-5", "z3-6", "z3-7", "z5-5", "z5-6"}},
		{"even enough", spread([]int{2, 3, 3}, nil), nil},
		// Half of what is too much: of 4 and 0, 2 could go; of 5 and 2, one.
		{"half", spread([]int{4, 0}, nil), []string{"z0-2", "z0-3"}},
		{"half of an odd skew", spread([]int{5, 2}, nil), []string{"z0-4"}},
		{"the least important go", spread([]int{4, 0}, priority), []string{"z0-1", "z0-0"}},
		{"who may not go stays, and those who are choosy stay longer", spread([]int{4, 0}, func(_, i int, s *cluster.PodSpec) {
			switch i {
			case 3:
				s.Class.Owner.Kind = "DaemonSet"
			case 2:
				s.Class.NodeLabels = cluster.Labels{{Key: "zone", Value: "z0"}}
			}
		}), []string{"z0-0", "z0-1"}},
		{"who fits nowhere else counts as moved", spread([]int{4, 0}, func(_, i int, s *cluster.PodSpec) {
			if i == 3 {
				s.Class.Requests = cluster.Amounts{cluster.CPU: 1001}
			}
		}), []string{"z0-2"}},
		{"soft constraints", spread([]int{4, 0}, func(_, _ int, s *cluster.PodSpec) { s.Class.Spread[0].Soft = true }), nil},
		{"another namespace's pods", spread([]int{4, 0}, func(_, i int, s *cluster.PodSpec) {
			if i > 0 {
				s.Class.Namespace, s.Class.Spread = "y", nil
			}
		}), nil},
		// Two of each revision are in one zone: of each, one goes.
		{"revisions apart", spread([]int{4, 0}, func(_, i int, s *cluster.PodSpec) {
			s.Labels = cluster.MakeLabels(map[string]string{"app": "a", "hash": fmt.Sprint(i % 2)})
			s.Class.Spread[0].MatchLabelKeys = []string{"hash"}
		}), []string{"z0-2", "z0-3"}},
	} {
		t.Run(tt.why, func(t *testing.T) {
			mention := set(&cluster.Service{Namespace: "x", Name: "s", Selector: cluster.Labels{{Key: "hash", Value: "0"}}})
			expectLines(t, chosen(d, append([]cluster.Event{mention}, tt.events...)...), tt.want...)
		})
	}
}

func TestLowNodeUtilization(t *testing.T) {
	cpu := func(milli int64, priority int32) func(*cluster.PodSpec) {
		return func(s *cluster.PodSpec) {
			s.Class.Requests, s.Class.Priority = cluster.Amounts{cluster.CPU: milli}, priority
		}
	}
	cordoned := node("cordoned")
	cordoned.NodeSpec.Unschedulable = true
	tainted := node("empty")
	tainted.NodeSpec.Taints = []cluster.Taint{{Key: "k", Effect: cluster.NoSchedule}}
	full := []cluster.Event{node("full"), placed("a", "full", cpu(300, 3)), placed("b", "full", cpu(300, 2)), placed("c", "full", cpu(300, 1))}
	fuller := []cluster.Event{node("fuller"), placed("d", "fuller", cpu(800, 0)), placed("e", "fuller", cpu(190, 0))}
	drained := node("drained")
	drained.NodeSpec.Taints = []cluster.Taint{Unschedulable}
	tolerant := []cluster.Event{node("full")}
	for i, name := range []string{"a", "b", "c"} {
		tolerant = append(tolerant, placed(name, "full", func(s *cluster.PodSpec) {
			cpu(300, int32(-i))(s)
			s.Class.Tolerations = []cluster.Toleration{{Exists: true}}
		}))
	}
	thresholds := UseBounds{cluster.CPU, 20, 50}
	for _, tt := range []struct {
		why      string
		strategy Strategy
		events   []cluster.Event
		want     []string
	}{
		// 900 of 1,000: when 300 have gone, 600 is still above 50 %; then 300 is not.
		{"until it isn't above", LowNodeUtilization(0, thresholds), append([]cluster.Event{node("empty")}, full...), []string{"c", "b"}},
		{"until it isn't above, though there is room", LowNodeUtilization(0, thresholds), append([]cluster.Event{node("empty"), node("empty-too")}, full...), []string{"c", "b"}},
		// The empty node is filled to 500 by what goes from the fuller one, 800.
		{"the fullest first, until there is no room", LowNodeUtilization(0, thresholds), append(append([]cluster.Event{node("empty")}, full...), fuller...), []string{"d"}},
		{"too few are empty", LowNodeUtilization(1, thresholds), append([]cluster.Event{node("empty")}, full...), nil},
		{"the empty one is cordoned", LowNodeUtilization(0, thresholds), append([]cluster.Event{cordoned}, full...), nil},
		{"the empty one is cordoned by a taint", LowNodeUtilization(0, thresholds), append([]cluster.Event{drained}, tolerant...), nil},
		{"one that is tolerated isn't", LowNodeUtilization(0, thresholds), append([]cluster.Event{tainted}, tolerant...), []string{"c", "b"}},
		{"nobody may go to the empty one", LowNodeUtilization(0, thresholds), append([]cluster.Event{tainted}, full...), nil},
		{"none is below", LowNodeUtilization(0, UseBounds{cluster.CPU, 0, 50}), append([]cluster.Event{node("empty")}, full...), nil},
		{"all are below", LowNodeUtilization(0, UseBounds{cluster.CPU, 95, 50}), append([]cluster.Event{node("empty")}, full...), nil},
		{"none is above", LowNodeUtilization(0, UseBounds{cluster.CPU, 20, 90}), append([]cluster.Event{node("empty")}, full...), nil},
	} {
		t.Run(tt.why, func(t *testing.T) {
			expectLines(t, chosen(Descheduler{Strategies: []Strategy{tt.strategy}}, tt.events...), tt.want...)
		})
	}
}

// TestDeschedulerUnderBudget evicts every minute what one disruption at a time allows.
func TestDeschedulerUnderBudget(t *testing.T) {
	tainted := node("n1")
	tainted.NodeSpec.Taints = []cluster.Taint{{Key: "k", Effect: cluster.NoSchedule}}
	events := []cluster.Event{tainted, node("n2"), budgetOf("b", 2)}
	for _, name := range []string{"n1-a", "n1-b", "n2-c"} {
		events = append(events, added(0, name, "a", cluster.Class{Owner: rs}))
	}
	events = append(events, added(90*second, "n2-d", "a", cluster.Class{Owner: rs}))
	d := &Descheduler{Strategies: []Strategy{NodeTaints}, Every: cluster.Minute, Until: 2 * cluster.Minute}
	expectLines(t, run(t, events, once{}, NewBudgets(), d),
		"0s b allows 0, []", "0s b allows 1, []",
		"60s RequestEviction n1-a", "60s RequestEviction n1-b", "60s n1-b: 429", "60s b allows 0, [n1-a]", "60s b allows 0, []", "60s n1-a ended",
		"90s b allows 1, []",
		"120s RequestEviction n1-b", "120s b allows 0, [n1-b]", "120s b allows 0, []", "120s n1-b ended",
	)
}
