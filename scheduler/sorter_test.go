package scheduler_test

import (
	"strings"
	"testing"

	"github.com/berthsim/berth/cluster"
	"github.com/berthsim/berth/scheduler"
)

// fewest is a Sorter with a lane for each letter that pods' namespaces are: that lane's turn it
// is of whose namespace the fewest pods have a node, the first of several.
type fewest struct{ asked *int }

func (fewest) Lane(s *cluster.State, p cluster.PodID) int { return int(s.Class(p).Namespace[0] - 'a') }

func (f fewest) First(s *cluster.State, heads []cluster.PodID) int {
	*f.asked++
	placed := func(p cluster.PodID) (n int) {
		for q := range s.Pods.Name {
			if q := cluster.PodID(q); s.Pods.Node[q] != cluster.None && s.Class(q).Namespace == s.Class(p).Namespace {
				n++
			}
		}
		return n
	}
	best := 0
	for i, p := range heads {
		if placed(p) < placed(heads[best]) {
			best = i
		}
	}
	return best
}

// in puts the pod that e adds into a namespace.
func in(namespace string, e cluster.Event) cluster.Event {
	e.PodSpec.Class.Namespace = namespace
	return e
}

// sortedWorld is newWorld with a Sorter.
func sortedWorld(t *testing.T, so scheduler.Sorter, nodes ...string) *world {
	t.Helper()
	w := newWorld(t, nodes...)
	asked := required("Asked", askedFilter{w})
	w.scheduler = scheduler.New(mustProfile(t, []*scheduler.Plugin{asked, room, gpus, required("Sorter", so)}))
	return w
}

// TestSorter has pods of two namespaces come, all of the one first. The order depends on what
// has been placed since; within a namespace it is kube's.
func TestSorter(t *testing.T) {
	var asked int
	w := sortedWorld(t, fewest{&asked}, "n1")
	got, _ := w.step(1,
		in("a", pod("a1", 1)), in("a", pod("a2", 1)), in("a", podOf("a3", 1, 5)), in("a", pod("a4", 1)),
		in("c", pod("c1", 1)), in("c", podOf("c2", 1, -1)))
	w.want(t, "turns", got, "a3@n1 c1@n1 a1@n1 c2@n1 a2@n1 a4@n1", "a3 c1 a1 c2 a2 a4")
	if asked != 4 {
		t.Errorf("the Sorter was asked %d times; there was a choice 4 times", asked)
	}
	got, _ = w.step(2, in("a", pod("a5", 1)), in("b", pod("b1", 1)), in("c", pod("c3", 1)))
	w.want(t, "another namespace, with nothing yet", got, "b1@n1 c3@n1 a5@n1", "b1 c3 a5")
}

// TestSorterAmongResting has pods back off, of which one is tried since nobody else wants the
// time: the Sorter says whose turn it is there, too.
func TestSorterAmongResting(t *testing.T) {
	var asked int
	w := sortedWorld(t, fewest{&asked}, "n1")
	w.step(1, in("a", pod("a1", 900)))
	got, _ := w.step(2, in("a", podOf("a2", 800, 9)), in("b", pod("b1", 800)))
	w.want(t, "no room", got, "", "b1 a2")
	got, _ = w.step(3, node("n2", 1000))
	w.want(t, "room for one, of the namespace that has less", got, "b1@n2", "b1 a2")
	if where := w.scheduler.Where(w.State, w.pods["a2"]); where != "unschedulable" {
		t.Errorf("a2 is %s", where)
	}
}

// TestSorterForgetsPods takes pods out of lanes, and changes their places there.
func TestSorterForgetsPods(t *testing.T) {
	var asked int
	w := sortedWorld(t, fewest{&asked})
	w.step(1, in("a", pod("a1", 1)), in("b", pod("b1", 1)), in("b", pod("b2", 1)))
	w.step(2, w.ended("b1"))
	asked = 0
	got, _ := w.step(2*cluster.Second, node("n1", 1000))
	w.want(t, "one has gone", got, "a1@n1 b2@n1", "a1 b2")
	if l := w.scheduler.Lengths(); l != (scheduler.Lengths{}) {
		t.Errorf("%+v are left", l)
	}
}

// wrongSorter says what it is told to.
type wrongSorter struct{ lane, first int }

func (w wrongSorter) Lane(*cluster.State, cluster.PodID) int {
	w.lane++
	return w.lane - 1
}
func (w wrongSorter) First(*cluster.State, []cluster.PodID) int { return w.first }

// byName has each pod wait in a lane of its own, and chooses one that isn't there.
type byName struct{ wrongSorter }

func (byName) Lane(s *cluster.State, p cluster.PodID) int { return int(s.Pods.Name[p][0] - 'a') }

func TestWrongSorters(t *testing.T) {
	for _, tt := range []struct {
		so   scheduler.Sorter
		want string
	}{
		{wrongSorter{lane: -1}, "lane -1"},
		{wrongSorter{lane: 1 << 16}, "lane 65536"},
		{byName{wrongSorter{first: -1}}, "of 2 lanes a Sorter chooses -1"},
		{byName{wrongSorter{first: 2}}, "of 2 lanes a Sorter chooses 2"},
	} {
		func() {
			defer func() {
				if said, _ := recover().(string); !strings.Contains(said, tt.want) {
					t.Errorf("%+v: it panics with %q, and should with %q", tt.so, said, tt.want)
				}
			}()
			w := sortedWorld(t, tt.so, "n1")
			w.step(1, in("a", pod("a", 1)), in("b", pod("b", 1)))
		}()
	}
}

// TestOneSorter allows a profile one Sorter, and a Scheduler one for all profiles.
func TestOneSorter(t *testing.T) {
	first, second := plugin("First", fewest{}), plugin("Second", fewest{})
	both := []*scheduler.Plugin{first, second}
	if _, err := scheduler.NewProfile(both, weigh("First", "Second")); err == nil || !strings.Contains(err.Error(), "plugins First and Second both sort the queue") {
		t.Errorf("two Sorters: %v", err)
	}
	policy := weigh("First", "Second")
	policy[1].Except = scheduler.AtQueueSort
	if _, err := scheduler.NewProfile(both, policy); err != nil {
		t.Errorf("two of which one is left out: %v", err)
	}
	same := map[string]*scheduler.Profile{"": mustProfile(t, both, weigh("First")...), "b": mustProfile(t, both, weigh("First")...)}
	scheduler.NewScheduler(scheduler.Options{Profiles: same})
	defer func() {
		if said, _ := recover().(string); !strings.Contains(said, `sort the queue by "First" and by "Second"`) {
			t.Errorf("profiles that differ: it panics with %q", said)
		}
	}()
	same["b"] = mustProfile(t, both, weigh("Second")...)
	scheduler.NewScheduler(scheduler.Options{Profiles: same})
}
