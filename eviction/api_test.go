package eviction

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/berthsim/berth/cluster"
	"github.com/berthsim/berth/cluster/sim"
)

// still is a controller that does nothing.
type still struct{}

func (still) Step(*cluster.State, []cluster.Event) cluster.Time { return cluster.Never }

func TestReview(t *testing.T) {
	const s = cluster.Second
	healthy := cluster.DisruptionBudget{Allowed: 1, CurrentHealthy: 3, DesiredHealthy: 2, ExpectedPods: 4}
	with := func(change func(*cluster.DisruptionBudget)) []cluster.DisruptionBudget {
		b := healthy
		change(&b)
		return []cluster.DisruptionBudget{b}
	}
	none := func(b *cluster.DisruptionBudget) { b.Allowed, b.CurrentHealthy = 0, 1 }
	unready := func(spec *cluster.PodSpec) { spec.Unready = true }
	pending := func(spec *cluster.PodSpec) { spec.On, spec.Started = "", nil }
	starting := func(spec *cluster.PodSpec) { spec.Unready, spec.Starting = true, true }
	many := func(n int) func(*cluster.DisruptionBudget) {
		return func(b *cluster.DisruptionBudget) {
			for i := range n {
				b.Disrupted, b.DisruptedAt = append(b.Disrupted, fmt.Sprintf("q%05d", i)), append(b.DisruptedAt, 0)
			}
		}
	}
	for _, tt := range []struct {
		why     string
		pod     func(*cluster.PodSpec)
		ending  bool
		budgets []cluster.DisruptionBudget
		want    string
	}{
		{"no budget", nil, false, nil, "201 free"},
		{"one disruption is allowed", nil, false, []cluster.DisruptionBudget{healthy}, "201 charged to 0 [p]@[7s]"},
		{"it pays again for who has not gone", nil, false, with(func(b *cluster.DisruptionBudget) {
			b.Disrupted, b.DisruptedAt = []string{"p", "q"}, []cluster.Time{s, 2 * s}
		}), "201 charged to 0 [p q]@[7s 2s]"},
		{"none is allowed", nil, false, with(none), "429 after 0s"},
		{"fewer than none is allowed", nil, false, with(func(b *cluster.DisruptionBudget) { b.Allowed = -1 }), "403 after 0s"},
		{"the budget has changed", nil, false, with(func(b *cluster.DisruptionBudget) { b.Generation, b.Allowed = 2, -1 }), "429 after 10s"},
		{"2,000 are on their way", nil, false, with(many(2000)), "201 charged to 0 2001 names"},
		{"more than 2,000 are on their way", nil, false, with(many(2001)), "403 after 0s"},
		{"two budgets", nil, false, []cluster.DisruptionBudget{healthy, healthy}, "500 after 0s"},
		{"two budgets, and not ready", unready, false, []cluster.DisruptionBudget{healthy, healthy}, "500 after 0s"},
		{"other namespaces' budgets", nil, false, append(with(func(b *cluster.DisruptionBudget) { b.Namespace = "y" }), healthy), "201 charged to 0 [p]@[7s]"},
		{"selectors of others, and of none", nil, false, []cluster.DisruptionBudget{{Selector: app("b"), Name: "other"}, {Selector: nil, Name: "none"}}, "201 free"},
		{"ending, under two budgets", nil, true, []cluster.DisruptionBudget{healthy, healthy}, "201 free"},
		{"on no node, under two budgets", pending, false, []cluster.DisruptionBudget{healthy, healthy}, "201 free"},
		{"starting", starting, false, with(none), "201 free"},
		{"not ready, enough are healthy", unready, false, with(func(b *cluster.DisruptionBudget) { b.Allowed, b.CurrentHealthy = 0, 2 }), "201 free"},
		{"not ready, the budget has changed", unready, false, with(func(b *cluster.DisruptionBudget) { b.Generation = 2 }), "201 free"},
		{"not ready, too few are healthy", unready, false, with(none), "429 after 0s"},
		{"not ready, none has to be healthy", unready, false, with(func(b *cluster.DisruptionBudget) { b.DesiredHealthy = 0 }), "201 charged to 0 [p]@[7s]"},
		{"not ready, always allowed", unready, false, with(func(b *cluster.DisruptionBudget) { none(b); b.AlwaysAllow = true }), "201 free"},
		{"ready, always allowed", nil, false, with(func(b *cluster.DisruptionBudget) { none(b); b.AlwaysAllow = true }), "429 after 0s"},
	} {
		w := newWorld(t, still{})
		p := w.pod("p", "a", rs, tt.pod)
		w.Now = 7*s + 999*cluster.Millisecond
		var budgets []*cluster.DisruptionBudget
		for i := range tt.budgets {
			b := &tt.budgets[i]
			if b.Namespace == "" {
				b.Namespace = "x"
			}
			if b.Name == "" {
				b.Name, b.Selector = fmt.Sprint("b", i), app("a")
			}
			budgets = append(budgets, b)
		}
		w.happens(set(&cluster.Service{Name: "s", Selector: cluster.Labels{{Key: "app"}}})) // somebody mentions the key
		if got := verdict(Review(w.State, Request{p, tt.ending}, slices.Values(budgets))); got != tt.want {
			t.Errorf("%s: %s, want %s", tt.why, got, tt.want)
		}
	}
}

// verdict is a Verdict as text.
func verdict(v Verdict) string {
	switch {
	case v.Code != Created:
		return fmt.Sprintf("%d after %gs", v.Code, v.Retry.Seconds())
	case v.Charged == nil:
		return "201 free"
	case len(v.Charged.Disrupted) > 9:
		return fmt.Sprintf("201 charged to %d %d names", v.Charged.Allowed, len(v.Charged.Disrupted))
	}
	var at []string
	for _, since := range v.Charged.DisruptedAt {
		at = append(at, fmt.Sprintf("%gs", since.Seconds()))
	}
	return fmt.Sprintf("201 charged to %d %v@%v", v.Charged.Allowed, v.Charged.Disrupted, at)
}

// diary writes down what happens in a run.
type diary struct {
	lines []string
	said  map[string]string // of each budget
}

func (d *diary) Record(s *cluster.State, events []cluster.Event, ds []cluster.Decision) error {
	say := func(format string, args ...any) {
		d.lines = append(d.lines, fmt.Sprintf("%gs ", s.Now.Seconds())+fmt.Sprintf(format, args...))
	}
	for _, e := range events {
		switch e.Kind {
		case cluster.PodEnded:
			say("%s ended", s.Pods.Name[e.Pod])
		case cluster.Rejected:
			say("%s: %d", s.Pods.Name[e.Pod], e.Code)
		case cluster.ObjectSet:
			b, ok := e.Object.(*cluster.DisruptionBudget)
			if !ok {
				continue
			}
			if text := fmt.Sprintf("%s allows %d, %v", b.Name, b.Allowed, b.Disrupted); d.said[b.Name] != text {
				d.said[b.Name] = text
				say("%s", text)
			}
		}
	}
	for _, dec := range ds {
		switch dec.Kind {
		case cluster.AddTaint:
			say("%s is cordoned", s.Nodes.Name[dec.Node])
		case cluster.RequestEviction, cluster.Finalise:
			say("%v %s", dec.Kind, s.Pods.Name[dec.Pod])
		}
	}
	return nil
}

// once binds each pod to the node that its name begins with, as it comes.
type once struct{}

func (once) Step(s *cluster.State, events []cluster.Event) cluster.Time {
	for _, e := range events {
		if e.Kind == cluster.PodAdded && s.Pods.Node[e.Pod] == cluster.None {
			name, _, _ := strings.Cut(s.Pods.Name[e.Pod], "-")
			n, _ := s.Nodes.Named(name)
			s.Bind(e.Pod, n, cluster.Allocation{})
		}
	}
	return cluster.Never
}

// run plays events with controllers to the end, or for ten minutes, and returns what happened.
func run(t *testing.T, events []cluster.Event, controllers ...cluster.Controller) []string {
	t.Helper()
	s, d := cluster.NewState(), &diary{said: map[string]string{}}
	c, err := sim.New(s, (*sim.List)(&events), sim.Options{Evictions: API{}})
	if err != nil {
		t.Fatal(err)
	}
	err = cluster.Run(context.Background(), tenMinutes{c}, s, d, controllers...)
	if err != nil {
		t.Fatal(err)
	}
	return d.lines
}

// tenMinutes is a cluster that ends then. Taints are set as soon as they are asked for.
type tenMinutes struct{ *sim.Cluster }

func (c tenMinutes) Next(ctx context.Context, deadline cluster.Time) (cluster.Time, []cluster.Event, error) {
	now, events, err := c.Cluster.Next(ctx, min(deadline, 10*cluster.Minute))
	if err == nil && now >= 10*cluster.Minute {
		err = io.EOF
	}
	return now, events, err
}

func (c tenMinutes) Apply(ctx context.Context, ds []cluster.Decision) error {
	ds = slices.DeleteFunc(slices.Clone(ds), func(d cluster.Decision) bool { return d.Kind == cluster.AddTaint })
	return c.Cluster.Apply(ctx, ds)
}

// added is a pod to come, with the label app.
func added(at cluster.Time, name, app string, class cluster.Class) cluster.Event {
	class.Namespace = "x"
	return cluster.Event{Time: at, Kind: cluster.PodAdded, PodSpec: &cluster.PodSpec{
		Name: name, Class: &class, Run: cluster.Never, Labels: cluster.Labels{{Key: "app", Value: app}},
	}}
}
