package scheduler_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/berthsim/berth/cluster"
	"github.com/berthsim/berth/scheduler"
)

func TestNewProfileErrors(t *testing.T) {
	broken := &scheduler.Plugin{Name: "Broken", New: func(scheduler.Args) (any, error) { return nil, errors.New("out of order") }}
	plugins := []*scheduler.Plugin{plugin("Good", table(nil)), plugin("Other", table(nil)), broken}
	w := func(name string, weight int64) scheduler.Weighted {
		return scheduler.Weighted{Name: name, Weight: weight}
	}
	for _, tt := range []struct {
		why    string
		policy []scheduler.Weighted
		want   []string // words of the error; none if there must be none
	}{
		{"nothing", nil, nil},
		{"good", []scheduler.Weighted{w("Good", 1), w("OTHER", 2)}, nil},
		{"heaviest", []scheduler.Weighted{w("Good", scheduler.MaxWeight)}, nil},
		{"unknown", []scheduler.Weighted{w("Goood", 1)}, []string{`unknown plugin "Goood"`, "known: good, other, broken"}},
		{"twice", []scheduler.Weighted{w("Good", 1), w("good", 2)}, []string{"plugin good is named twice"}},
		{"no weight", []scheduler.Weighted{w("Good", 0)}, []string{"plugin Good", "weight 0", "from 1 to 1099511627776"}},
		{"negative weight", []scheduler.Weighted{w("Good", -1)}, []string{"plugin Good", "weight -1"}},
		{"too heavy", []scheduler.Weighted{w("Good", scheduler.MaxWeight+1)}, []string{"plugin Good", "weight 1099511627777"}},
		{"no instance", []scheduler.Weighted{w("Broken", 1)}, []string{"plugin Broken: out of order"}},
	} {
		_, err := scheduler.NewProfile(plugins, tt.policy)
		if (err != nil) != (tt.want != nil) {
			t.Errorf("%s: the error is %v", tt.why, err)
			continue
		}
		for _, word := range tt.want {
			if !strings.Contains(err.Error(), word) {
				t.Errorf("%s: %q does not say %q", tt.why, err, word)
			}
		}
	}
	must := *broken
	must.Required = true
	if _, err := scheduler.NewProfile([]*scheduler.Plugin{&must}, nil); err == nil || err.Error() != "plugin Broken: out of order" {
		t.Errorf("with a required plugin that makes no instance the error is %v", err)
	}
}

// TestOneInstance checks that a required plugin that the policy names, too, is
// the same instance for both.
func TestOneInstance(t *testing.T) {
	made := 0
	pl := &scheduler.Plugin{Name: "P", Required: true, New: func(scheduler.Args) (any, error) { made++; return table(nil), nil }}
	mustProfile(t, []*scheduler.Plugin{pl}, weigh("P")...)
	if made != 1 {
		t.Errorf("%d instances were made", made)
	}
}

// TestTiesOfProfiles takes a plugin's own way only if it is alone in the policy.
func TestTiesOfProfiles(t *testing.T) {
	random := plugin("Random", table(nil))
	random.Ties = scheduler.TiesRandom
	plugins := []*scheduler.Plugin{random, plugin("Other", table(nil))}
	for policy, want := range map[string]scheduler.Ties{
		"":             scheduler.TiesLowest,
		"Other":        scheduler.TiesLowest,
		"Random":       scheduler.TiesRandom,
		"Random Other": scheduler.TiesLowest,
		"Other Random": scheduler.TiesLowest,
	} {
		if got := mustProfile(t, plugins, weigh(strings.Fields(policy)...)...).Ties(); got != want {
			t.Errorf("policy %q: ties go to %v, want %v", policy, got, want)
		}
	}
}

// TestMembers compares a set of plugins with its members named one by one.
func TestMembers(t *testing.T) {
	plugins := []*scheduler.Plugin{
		plugin("A", table(map[string]int64{"n1": 30, "n2": 20})), plugin("B", table(map[string]int64{"n1": 0, "n2": 11})),
		{Name: "Both", Members: []scheduler.Weighted{{Name: "A", Weight: 1}, {Name: "B", Weight: 1}}},
	}
	s, p := newState(1, "n1", "n2")
	for _, tt := range []struct {
		policy []scheduler.Weighted
		want   string
	}{
		{weigh("A", "B"), "n2"}, // 30, 31
		{weigh("both"), "n2"},
		{[]scheduler.Weighted{{Name: "Both", Weight: scheduler.MaxWeight}}, "n2"},
	} {
		if got := selected(mustProfile(t, plugins, tt.policy...), s, p); got != tt.want {
			t.Errorf("%v takes %s, want %s", tt.policy, got, tt.want)
		}
	}
	for _, policy := range [][]scheduler.Weighted{
		{{Name: "Both", Weight: 0}}, {{Name: "Both", Weight: -1}}, {{Name: "Both", Weight: scheduler.MaxWeight + 1}},
		weigh("Both", "A"), weigh("Both", "both"),
	} {
		if _, err := scheduler.NewProfile(plugins, policy); err == nil {
			t.Errorf("%v makes a profile", policy)
		}
	}
}

// picky acts at every point at which a plugin can be left out: it wants n2.
type picky struct{ filter }

func (picky) Score(s *cluster.State, _ cluster.PodID) func(cluster.NodeID) int64 {
	return func(n cluster.NodeID) int64 { return int64(len(s.Nodes.Name[n])) } // the longest name
}

func (picky) Preselect(*cluster.State, cluster.PodID) ([]string, bool, scheduler.Verdict) {
	return []string{"n1", "n2-longer"}, true, scheduler.Verdict{}
}

func (picky) Allocate(*cluster.State, cluster.PodID, cluster.NodeID) (cluster.Allocation, scheduler.Verdict) {
	return cluster.Allocation{GPUs: 0b10}, scheduler.Verdict{}
}

func (picky) PreEnqueue(*cluster.State, cluster.PodID) scheduler.Verdict {
	return scheduler.Verdict{Code: scheduler.Unresolvable, Reasons: []string{"never"}}
}

func (picky) Preempt(*cluster.State, cluster.PodID, scheduler.Diagnosis, *scheduler.Trial) (scheduler.Preemption, bool) {
	return scheduler.Preemption{Node: 0}, true
}

// TestExcept leaves a plugin out at one point after the other, whether every
// profile has it or not.
func TestExcept(t *testing.T) {
	const all = scheduler.AtPreEnqueue | scheduler.AtPreFilter | scheduler.AtFilter | scheduler.AtPostFilter | scheduler.AtScore | scheduler.AtReserve
	refusing := filter(func(s *cluster.State, _ cluster.PodID, n cluster.NodeID) (v scheduler.Verdict) {
		if s.Nodes.Name[n] == "n1" {
			return scheduler.Verdict{Code: scheduler.Unschedulable, Reasons: []string{"not n1"}}
		}
		return v
	})
	for _, pl := range []*scheduler.Plugin{plugin("Picky", picky{refusing}), required("Picky", picky{refusing})} {
		for _, tt := range []struct {
			except   scheduler.Points
			node     string // that Select takes
			gpus     cluster.GPUSet
			enqueued bool
		}{
			{0, "n2-longer", 0b10, false},                                              // the only one that passes filter and preselection
			{scheduler.AtFilter, "n2-longer", 0b10, false},                             // scores most
			{scheduler.AtFilter | scheduler.AtScore, "n1", 0b10, false},                // came first
			{scheduler.AtPreFilter, "n3-the-longest", 0b10, false},                     // passes the filter alone
			{scheduler.AtPreFilter | scheduler.AtScore, "n2-longer", 0b10, false},      // came first of those
			{scheduler.AtReserve, "n2-longer", 0, false},                               // no devices
			{scheduler.AtPreEnqueue | scheduler.AtPostFilter, "n2-longer", 0b10, true}, //
			{all, "n1", 0, true}, // as if it weren't there
			{all &^ scheduler.AtScore, "n3-the-longest", 0, true}, // only scores
		} {
			s, p := newState(1, "n1", "n2-longer", "n3-the-longest")
			pr := mustProfile(t, []*scheduler.Plugin{pl}, scheduler.Weighted{Name: "picky", Weight: 1, Except: tt.except})
			n, a, ok := pr.Select(s, p)
			_, v := pr.PreEnqueue(s, p)
			if !ok || s.Nodes.Name[n] != tt.node || a.GPUs != tt.gpus || (v.Code == scheduler.Success) != tt.enqueued {
				t.Errorf("required %t, except %b: %s with GPUs %b, %t, enqueued %v; want %+v", pl.Required, tt.except, s.Nodes.Name[n], a.GPUs, ok, v, tt)
			}
			s.Bind(p, n, cluster.Allocation{}) // a pod that could be made to go
			s.TakeDecisions()
			s.Observe(0, []cluster.Event{podOf("important", 2000, 9)})
			if _, ok := pr.Preemption(s, p+1); ok != (tt.except&scheduler.AtPostFilter == 0) {
				t.Errorf("required %t, except %b: it preempts: %t", pl.Required, tt.except, ok)
			}
		}
	}
}

func TestFind(t *testing.T) {
	plugins := []*scheduler.Plugin{plugin("NodeResourcesFit", table(nil)), plugin("Other", table(nil))}
	for _, name := range []string{"NodeResourcesFit", "noderesourcesfit", "NODERESOURCESFIT"} {
		if pl, err := scheduler.Find(plugins, name); err != nil || pl != plugins[0] {
			t.Errorf("Find(%q) gives %v, %v", name, pl, err)
		}
	}
	for _, name := range []string{"", "NodeResources", "Other "} {
		if pl, err := scheduler.Find(plugins, name); err == nil || pl != nil || !strings.Contains(err.Error(), "known: noderesourcesfit, other") {
			t.Errorf("Find(%q) gives %v, %v", name, pl, err)
		}
	}
}

func TestValidate(t *testing.T) {
	set := &scheduler.Plugin{Name: "Set", Members: weigh("A")}
	both := plugin("Both", table(nil))
	both.Members = weigh("A")
	for _, tt := range []struct {
		why     string
		plugins []*scheduler.Plugin
		want    string // "" for no error
	}{
		{"none", nil, ""},
		{"good", []*scheduler.Plugin{plugin("A", table(nil)), plugin("B-2", table(nil)), set}, ""},
		{"no name", []*scheduler.Plugin{plugin("", table(nil))}, `name ""`},
		{"a name that policies could not write", []*scheduler.Plugin{plugin("A+B", table(nil))}, `name "A+B"`},
		{"a name with a weight", []*scheduler.Plugin{plugin("A:2", table(nil))}, `name "A:2"`},
		{"a name with a space", []*scheduler.Plugin{plugin("A B", table(nil))}, `name "A B"`},
		{"twice", []*scheduler.Plugin{plugin("Fit", table(nil)), plugin("FIT", table(nil))}, "called FIT"},
		{"no New", []*scheduler.Plugin{{Name: "A"}}, "plugin A"},
		{"New and Members", []*scheduler.Plugin{both}, "plugin Both"},
	} {
		err := scheduler.Validate(tt.plugins)
		if (err != nil) != (tt.want != "") || err != nil && !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: the error is %v, which should contain %q", tt.why, err, tt.want)
		}
	}
}
