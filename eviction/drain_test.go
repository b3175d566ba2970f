package eviction

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/berthsim/berth/cluster"
)

// expectLines compares what happened with what was to happen.
func expectLines(t *testing.T, got []string, want ...string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("got\n  %s\nwant\n  %s", strings.Join(got, "\n  "), strings.Join(want, "\n  "))
	}
}

func budgetOf(name string, least int32) cluster.Event {
	return set(&cluster.DisruptionBudget{Namespace: "x", Name: name, Selector: app("a"), MinAvailable: number(least)})
}

// TestDrain has three pods of which two must be healthy. Of the two on the node one goes
// at once, and the other when somebody has made another.
func TestDrain(t *testing.T) {
	d := &Drain{Plan: []Maintenance{{"n1", second}}}
	got := run(t, []cluster.Event{
		node("n1"), node("n2"), budgetOf("b", 2),
		added(0, "n1-b", "a", cluster.Class{}), added(0, "n1-a", "a", cluster.Class{}), added(0, "n2-c", "a", cluster.Class{}),
		added(0, "n1-d", "other", cluster.Class{}),
		added(0, "n1-e", "other", cluster.Class{Owner: cluster.OwnerRef{Kind: "DaemonSet", Name: "ds"}}),
		added(0, "n1-f", "other", cluster.Class{Owner: cluster.OwnerRef{Kind: "Node", Name: "n1"}}),
		added(8*second, "n2-g", "a", cluster.Class{}),
	}, once{}, NewBudgets(), d)
	expectLines(t, got,
		"0s b allows 0, []", "0s b allows 1, []",
		"1s n1 is cordoned", "1s RequestEviction n1-a", "1s RequestEviction n1-b", "1s RequestEviction n1-d",
		"1s n1-b: 429", "1s b allows 0, [n1-a]", "1s b allows 0, []", "1s n1-a ended", "1s n1-d ended",
		"6s RequestEviction n1-b", "6s n1-b: 429",
		"8s b allows 1, []",
		"11s RequestEviction n1-b", "11s b allows 0, [n1-b]", "11s b allows 0, []", "11s n1-b ended",
	)
	if text := fmt.Sprint(d.Results); text != "[{n1 1000000000 11000000000 empty []}]" {
		t.Errorf("results %s", text)
	}
}

// TestDrainEnds lists how else a drain may end.
func TestDrainEnds(t *testing.T) {
	pods := []cluster.Event{node("n1"), added(0, "n1-a", "a", cluster.Class{}), added(0, "n1-b", "other", cluster.Class{})}
	for _, tt := range []struct {
		why   string
		drain Drain
		more  []cluster.Event
		want  string
	}{
		{"nothing in the way", Drain{}, nil, "[{n1 1000000000 1000000000 empty []}]"},
		{"a budget that never allows it", Drain{Timeout: 23 * second}, []cluster.Event{budgetOf("b", 1)}, "[{n1 1000000000 24000000000 timed out [x/n1-a]}]"},
		{"no end to it", Drain{}, []cluster.Event{budgetOf("b", 1)}, "[]"},
		{"two budgets", Drain{Timeout: 23 * second}, []cluster.Event{budgetOf("b", 0), budgetOf("c", 0)}, "[{n1 1000000000 1000000000 refused [x/n1-a]}]"},
		{"no such node", Drain{Plan: []Maintenance{{"n9", 0}}}, nil, "[{n9 0 0 not found []}]"},
	} {
		if tt.drain.Plan == nil {
			tt.drain.Plan = []Maintenance{{"n1", second}}
		}
		run(t, slices.Concat(pods[:1], tt.more, pods[1:]), once{}, NewBudgets(), &tt.drain)
		if got := fmt.Sprint(tt.drain.Results); got != tt.want {
			t.Errorf("%s: %s, want %s", tt.why, got, tt.want)
		}
	}
}

// TestDrainOrder has at most two pods on their way, the least important first. One was
// told to end before, and counts.
func TestDrainOrder(t *testing.T) {
	d := &Drain{Plan: []Maintenance{{"n", second}}, Order: LowestPriority{}, Parallel: 2}
	w := newWorld(t, d)
	prio := func(p int32) func(*cluster.PodSpec) {
		return func(s *cluster.PodSpec) { s.Class.Priority = p }
	}
	w.pod("high", "a", rs, prio(9))
	w.pod("low-old", "a", rs, prio(1))
	w.Now += 5
	w.pod("low-new", "a", rs, prio(1))
	w.pod("ending", "a", rs, func(s *cluster.PodSpec) { s.Terminating = true })
	names := func(ds []cluster.Decision) (names []string) {
		for _, d := range ds {
			if d.Kind == cluster.RequestEviction {
				names = append(names, w.Pods.Name[d.Pod])
			}
		}
		return names
	}
	if w.wake != second {
		t.Errorf("wants to wake at %d", w.wake)
	}
	ds := w.passes(second - w.Now)
	expectLines(t, names(ds), "low-new")
	if ds[0].Kind != cluster.AddTaint || ds[0].Detail != Unschedulable {
		t.Errorf("the node is not cordoned first: %v", ds)
	}
	// Refused for now, it leaves its place to the next.
	rejected := cluster.Event{Kind: cluster.Rejected, Pod: ds[1].Pod, Node: ds[1].Node, Decision: ds[1], Code: TooManyRequests}
	expectLines(t, names(w.happens(rejected)), "low-old")
	expectLines(t, names(w.happens()))
	expectLines(t, names(w.happens(cluster.Event{Kind: cluster.PodEnded, Pod: 3})), "high")
	w.happens(cluster.Event{Kind: cluster.PodEnded, Pod: 1})
	if w.wake != 6*second {
		t.Errorf("wants to wake at %d to ask again", w.wake)
	}
	expectLines(t, names(w.passes(5*second)), "low-new")
	w.happens(cluster.Event{Kind: cluster.PodEnded, Pod: 0}, cluster.Event{Kind: cluster.PodEnded, Pod: 2})
	if got := fmt.Sprint(d.Results); got != "[{n 1000000000 6000000000 empty []}]" {
		t.Errorf("results %s", got)
	}
}
