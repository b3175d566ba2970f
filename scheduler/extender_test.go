package scheduler_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/berthsim/berth/cluster"
	"github.com/berthsim/berth/scheduler"
)

// anExtender is one of functions; what it lacks it isn't asked.
type anExtender struct {
	name       string
	ignorable  bool
	uninvolved bool
	weight     int64
	filter     func(names []string) (scheduler.Filtered, error)
	prioritize func(s *cluster.State, nodes []cluster.NodeID) ([]scheduler.ExtenderScore, error)
	preempt    func(s *cluster.State, cs []scheduler.Candidate) ([]scheduler.Candidate, error)
	asked      []string // what, of which nodes
}

func (x *anExtender) Name() string                                  { return x.name }
func (x *anExtender) Ignorable() bool                               { return x.ignorable }
func (x *anExtender) Interested(*cluster.State, cluster.PodID) bool { return !x.uninvolved }

func (x *anExtender) Verbs() (v scheduler.Verbs) {
	if x.filter != nil {
		v |= scheduler.VerbFilter
	}
	if x.prioritize != nil {
		v |= scheduler.VerbPrioritize
	}
	if x.preempt != nil {
		v |= scheduler.VerbPreempt
	}
	return v
}

func (x *anExtender) Filter(s *cluster.State, _ cluster.PodID, nodes []cluster.NodeID) (scheduler.Filtered, error) {
	var names []string
	for _, n := range nodes {
		names = append(names, s.Nodes.Name[n])
	}
	x.asked = append(x.asked, "filter "+strings.Join(names, " "))
	f, err := x.filter(names)
	return f, err
}

func (x *anExtender) Prioritize(s *cluster.State, _ cluster.PodID, nodes []cluster.NodeID) ([]scheduler.ExtenderScore, int64, error) {
	x.asked = append(x.asked, fmt.Sprint("prioritize ", len(nodes)))
	scores, err := x.prioritize(s, nodes)
	return scores, x.weight, err
}

func (x *anExtender) Preempt(s *cluster.State, _ cluster.PodID, cs []scheduler.Candidate) ([]scheduler.Candidate, error) {
	x.asked = append(x.asked, fmt.Sprint("preempt ", len(cs)))
	return x.preempt(s, cs)
}

// keeping makes a filter that keeps nodes, and rejects the others with a reason. The
// State must have got its nodes in the order of their names, n1 and so on.
func keeping(keep ...string) func([]string) (scheduler.Filtered, error) {
	return func(names []string) (f scheduler.Filtered, err error) {
		for _, name := range names {
			n := cluster.NodeID(name[1] - '1')
			if slices.Contains(keep, name) {
				f.Kept = append(f.Kept, n)
			} else {
				f.Rejected = append(f.Rejected, scheduler.ExtenderRejection{Node: n, Reason: "not " + name, Unresolvable: name == "n3"})
			}
		}
		return f, nil
	}
}

func failing([]string) (scheduler.Filtered, error) {
	return scheduler.Filtered{}, errors.New("no answer")
}

func TestExtendersFilter(t *testing.T) {
	for _, tt := range []struct {
		why       string
		extenders []*anExtender
		want      string // the node, or why there is none
	}{
		{"keeps one", []*anExtender{{filter: keeping("n2")}}, "n2"},
		{"one after the other", []*anExtender{{filter: keeping("n2", "n3")}, {filter: keeping("n1", "n3")}}, "n3"},
		{"none left", []*anExtender{{filter: keeping("n2")}, {filter: keeping("n1")}}, "0/3 nodes are available: 1 not n1, 1 not n2, 1 not n3."},
		{"fails", []*anExtender{{name: "x", filter: failing}}, "extender x: no answer"},
		{"fails, ignorable", []*anExtender{{ignorable: true, filter: failing}, {filter: keeping("n2")}}, "n2"},
		{"not interested", []*anExtender{{uninvolved: true, filter: failing}}, "n1"},
		{"asked nothing", []*anExtender{{}}, "n1"},
		{"drops without a word", []*anExtender{{filter: func([]string) (f scheduler.Filtered, err error) { return f, nil }}}, "0/3 nodes are available:"},
	} {
		pr := mustProfile(t, []*scheduler.Plugin{room, fullest}, weigh("Fullest")...)
		var list []scheduler.Extender
		for _, x := range tt.extenders {
			list = append(list, x)
		}
		pr.SetExtenders(list)
		s, p := newState(500, "n1", "n2", "n3")
		got := selected(pr, s, p)
		if got == "" {
			got = pr.Diagnose(s, p).String()
		}
		if got != tt.want {
			t.Errorf("%s: got %q, want %q", tt.why, got, tt.want)
		}
		if failed := strings.HasPrefix(tt.want, "extender"); failed != (pr.Err() != nil) {
			t.Errorf("%s: the error is %v", tt.why, pr.Err())
		}
	}
}

// TestExtendersWithoutAWord has an extender drop a node and give no reason: nobody is
// preempted there.
func TestExtendersWithoutAWord(t *testing.T) {
	pr := mustProfile(t, []*scheduler.Plugin{room})
	pr.SetExtenders([]scheduler.Extender{&anExtender{filter: func([]string) (f scheduler.Filtered, err error) {
		f.Rejected = []scheduler.ExtenderRejection{{Node: 1, Reason: "no"}}
		return f, nil
	}}})
	s, p := newState(500, "n1", "n2")
	d := pr.Diagnose(s, p)
	if of := [2]scheduler.Code{d.Of(0).Code, d.Of(1).Code}; of != [2]scheduler.Code{scheduler.Unresolvable, scheduler.Unschedulable} {
		t.Errorf("verdicts are %v", of)
	}
	if with := d.With(s, scheduler.Unschedulable); !slices.Equal(with, []cluster.NodeID{1}) {
		t.Errorf("preemption may help on %v", with)
	}
}

// TestExtendersAreAskedOnce has a pod fit nowhere: filters go first, and what was
// said counts for preemption, too.
func TestExtendersAreAskedOnce(t *testing.T) {
	x := &anExtender{filter: keeping()}
	pr := mustProfile(t, []*scheduler.Plugin{room, required("EvictAll", evictAll{})})
	pr.SetExtenders([]scheduler.Extender{x})
	s, _ := newState(500, "n1", "n2", "n3")
	events := []cluster.Event{podOf("low", 600, 0), podOf("high", 500, 5)}
	s.Observe(0, events)
	s.Bind(events[0].Pod, 0, cluster.Allocation{})
	s.TakeDecisions()
	if got := selected(pr, s, events[1].Pod); got != "" {
		t.Errorf("Select takes %q", got)
	}
	pr.Preemption(s, events[1].Pod)
	if want := []string{"filter n2 n3"}; !slices.Equal(x.asked, want) {
		t.Errorf("asked %q, want %q", x.asked, want)
	}
}

func TestExtendersPrioritize(t *testing.T) {
	scores := func(scores ...int64) func(*cluster.State, []cluster.NodeID) ([]scheduler.ExtenderScore, error) {
		return func(_ *cluster.State, nodes []cluster.NodeID) (out []scheduler.ExtenderScore, err error) {
			for i, sc := range scores {
				if sc >= 0 {
					out = append(out, scheduler.ExtenderScore{Node: cluster.NodeID(i), Score: sc})
				}
			}
			return out, nil
		}
	}
	a := plugin("A", table(map[string]int64{"n1": 30, "n2": 20, "n3": 0}))
	for _, tt := range []struct {
		why  string
		list []*anExtender
		want string // nodes that may be chosen
	}{
		{"a tenth of a plugin's", []*anExtender{{weight: 1, prioritize: scores(0, 1, 3)}}, "n1 n2 n3"}, // 30 each
		{"weight", []*anExtender{{weight: 2, prioritize: scores(0, 1, 2)}}, "n2 n3"},                   // 30, 40, 40
		{"two", []*anExtender{{weight: 1, prioritize: scores(0, 0, 2)}, {weight: 3, prioritize: scores(0, 0, 1)}}, "n3"},
		{"an error is no say", []*anExtender{{weight: 9, prioritize: func(*cluster.State, []cluster.NodeID) ([]scheduler.ExtenderScore, error) {
			return nil, errors.New("no answer")
		}}}, "n1"},
		{"equals that were scored come first", []*anExtender{{weight: 1, prioritize: scores(-1, 1, 3)}}, "n2 n3"},
		{"out of bounds", []*anExtender{{weight: 1, prioritize: scores(0, 50, -1)}}, "n2"},
	} {
		seen := map[string]bool{}
		for seed := range int64(40) {
			for _, ties := range []scheduler.Ties{scheduler.TiesKube, scheduler.TiesLowest} {
				pr := mustProfile(t, []*scheduler.Plugin{room, a}, weigh("A")...)
				pr.SetTies(ties)
				var list []scheduler.Extender
				for _, x := range tt.list {
					list = append(list, x)
				}
				pr.SetExtenders(list)
				s, p := newState(1, "n1", "n2", "n3")
				s.Seed = seed
				got := selected(pr, s, p)
				if e := pr.Evaluate(s, p); s.Nodes.Name[e.Feasible[e.Chosen].Node] != got {
					t.Errorf("%s: Evaluate chooses another than %s", tt.why, got)
				}
				if ties == scheduler.TiesLowest && got != tt.want[:2] {
					t.Errorf("%s: takes %s, and not the earliest", tt.why, got)
				}
				seen[got] = true
			}
		}
		for _, name := range []string{"n1", "n2", "n3"} {
			if seen[name] != strings.Contains(tt.want, name) {
				t.Errorf("%s: %s is taken: %v; want one of %s", tt.why, name, seen[name], tt.want)
			}
		}
	}
}

// TestExtendersNominated has a node kept for a pod: an extender is asked about it
// alone, and if it does not like it or does not answer, about all.
func TestExtendersNominated(t *testing.T) {
	for _, tt := range []struct {
		filter func([]string) (scheduler.Filtered, error)
		want   string
		asked  []string
	}{
		{keeping("n1", "n2"), "n2", []string{"filter n2"}},
		{keeping("n1"), "n1", []string{"filter n2", "filter n1 n2"}},
		{failing, "", []string{"filter n2", "filter n1 n2"}},
	} {
		x := &anExtender{filter: tt.filter}
		pr := mustProfile(t, []*scheduler.Plugin{room, fullest}, weigh("Fullest")...)
		pr.SetExtenders([]scheduler.Extender{x})
		s, p := newState(1, "n1", "n2")
		s.Nominate(p, 1)
		s.TakeDecisions()
		if got := selected(pr, s, p); got != tt.want || !slices.Equal(x.asked, tt.asked) {
			t.Errorf("takes %q and asks %q, want %q and %q", got, x.asked, tt.want, tt.asked)
		}
	}
}

// TestExtendersOutcomes follows what the queue is told: an extender that removes nodes
// is among those that rejected the pod, and one that fails makes it an error.
func TestExtendersOutcomes(t *testing.T) {
	for _, tt := range []struct {
		why    string
		x      *anExtender
		want   []string
		errors uint64
	}{
		{"removes all", &anExtender{filter: keeping()}, []string{"Room", scheduler.ExtenderName}, 0},
		{"fails", &anExtender{filter: failing}, nil, 1},
	} {
		w := newWorld(t, "n1", "n2", "n3")
		pr := mustProfile(t, []*scheduler.Plugin{room, fullest}, weigh("Fullest")...)
		pr.SetExtenders([]scheduler.Extender{tt.x})
		var tries []scheduler.Attempt
		w.scheduler = scheduler.NewScheduler(scheduler.Options{
			Profiles: map[string]*scheduler.Profile{"": pr}, Seen: func(a scheduler.Attempt) { tries = append(tries, a) },
		})
		w.Observe(0, []cluster.Event{node("n4", 1)})
		if decided, _ := w.step(0, pod("a", 500)); decided != "" {
			t.Errorf("%s: decided %q", tt.why, decided)
		}
		if len(tries) != 1 || !slices.Equal(tries[0].Rejected, tt.want) {
			t.Errorf("%s: tries %+v, want rejected by %v", tt.why, tries, tt.want)
		}
		if st := w.scheduler.Stats(); st.Errors != tt.errors {
			t.Errorf("%s: %d errors, want %d", tt.why, st.Errors, tt.errors)
		}
	}
}

func TestExtendersPreempt(t *testing.T) {
	all := []scheduler.Candidate{{Node: 0, Victims: []cluster.PodID{1}}, {Node: 1, Victims: []cluster.PodID{2, 3}}}
	drop := func(_ *cluster.State, cs []scheduler.Candidate) ([]scheduler.Candidate, error) { return cs[1:], nil }
	turn := func(_ *cluster.State, cs []scheduler.Candidate) ([]scheduler.Candidate, error) {
		out := slices.Clone(cs)
		slices.Reverse(out)
		return out, nil
	}
	empty := func(_ *cluster.State, cs []scheduler.Candidate) ([]scheduler.Candidate, error) {
		return []scheduler.Candidate{{Node: 0}, cs[1]}, nil
	}
	fail := func(*cluster.State, []scheduler.Candidate) ([]scheduler.Candidate, error) {
		return nil, errors.New("no answer")
	}
	for _, tt := range []struct {
		why  string
		list []*anExtender
		want string
	}{
		{"none", nil, "[0 1] <nil>"},
		{"drops one", []*anExtender{{preempt: drop}}, "[1] <nil>"},
		{"drops all", []*anExtender{{preempt: drop}, {preempt: drop}, {preempt: fail}}, "[] <nil>"},
		{"another order", []*anExtender{{preempt: turn}}, "[0 1] <nil>"},
		{"no victims", []*anExtender{{name: "x", preempt: empty}}, "[] extender x: it names no victims on node n1"},
		{"no victims, ignorable", []*anExtender{{ignorable: true, preempt: empty}}, "[1] <nil>"},
		{"fails", []*anExtender{{name: "x", preempt: fail}}, "[] extender x: no answer"},
		{"fails, ignorable", []*anExtender{{ignorable: true, preempt: fail}, {preempt: drop}}, "[1] <nil>"},
		{"not interested", []*anExtender{{uninvolved: true, preempt: fail}}, "[0 1] <nil>"},
	} {
		pr := mustProfile(t, []*scheduler.Plugin{room})
		var list []scheduler.Extender
		for _, x := range tt.list {
			list = append(list, x)
		}
		pr.SetExtenders(list)
		s, p := newState(1, "n1", "n2")
		left, err := pr.NewTrial(s, p).AskExtenders(all)
		nodes := []cluster.NodeID{}
		for _, c := range left {
			nodes = append(nodes, c.Node)
		}
		if got := fmt.Sprint(nodes, " ", err); got != tt.want {
			t.Errorf("%s: %s, want %s", tt.why, got, tt.want)
		}
	}
}
