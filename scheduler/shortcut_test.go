package scheduler_test

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/berthsim/berth/cluster"
	"github.com/berthsim/berth/scheduler"
	"github.com/berthsim/berth/scheduler/schedulertest"
)

// A slowTwin is a scheduler without any cleverness: at every step it tries every
// pending pod, in order of priority and arrival, but for those whose binding was
// refused less than a second ago.
type slowTwin struct {
	profile *scheduler.Profile
	until   map[uint64]cluster.Time // by order of arrival, when a refused pod may be tried
}

// Step implements cluster.Controller.
func (tw *slowTwin) Step(s *cluster.State, events []cluster.Event) cluster.Time {
	for _, e := range events {
		if e.Kind == cluster.Rejected && e.Decision.Kind == cluster.Bind {
			tw.until[s.Pods.Order[e.Pod]] = s.Now + cluster.Second
		}
	}
	var pods []cluster.PodID
	for p, phase := range s.Pods.Phase {
		if phase == cluster.Pending {
			pods = append(pods, cluster.PodID(p))
		}
	}
	slices.SortFunc(pods, func(a, b cluster.PodID) int {
		return cmp.Or(cmp.Compare(s.Class(b).Priority, s.Class(a).Priority), cmp.Compare(s.Pods.Order[a], s.Pods.Order[b]))
	})
	wake := cluster.Never
	for _, p := range pods {
		if until := tw.until[s.Pods.Order[p]]; until > s.Now {
			wake = min(wake, until)
			continue
		}
		if n, a, ok := tw.profile.Select(s, p); ok {
			s.Bind(p, n, a)
		}
	}
	return wake
}

// history makes things happen to two clusters at once, of which each has a
// controller of its own: as long as they decide the same, rows are the same, too.
type history struct {
	rng     *rand.Rand
	classes []*cluster.Class
	states  [2]*cluster.State
	ctls    [2]cluster.Controller
	decided []cluster.Decision // in the last step
	pods    int
	nodes   int
}

// step makes one step, at random after less or more than a second. It returns
// what each controller decided, and when it wants to be woken.
func (h *history) step() (ds [2][]cluster.Decision, wake [2]cluster.Time) {
	now := h.states[0].Now + cluster.Time(h.rng.IntN(3))*cluster.Second/4
	events := append(h.outcomes(), h.news()...)
	slices.SortStableFunc(events, func(a, b cluster.Event) int { return int(a.Kind) - int(b.Kind) })
	for i, s := range h.states {
		own := slices.Clone(events)
		s.Observe(now, own)
		wake[i] = h.ctls[i].Step(s, own)
		ds[i] = s.TakeDecisions()
	}
	h.decided = slices.Clone(ds[0])
	return ds, wake
}

// outcomes answers what was decided: now and then by a refusal.
func (h *history) outcomes() (events []cluster.Event) {
	for _, d := range h.decided {
		e := cluster.Event{Kind: cluster.PodBound, Pod: d.Pod, Node: d.Node}
		if h.rng.IntN(10) == 0 {
			e.Kind, e.Decision, e.Reason = cluster.Rejected, d, "test"
		}
		events = append(events, e)
	}
	return events
}

// news has pods and nodes come and go. Pods whose binding is not answered yet
// don't end.
func (h *history) news() (events []cluster.Event) {
	s := h.states[0]
	for range h.rng.IntN(6) {
		h.pods++
		spec := &cluster.PodSpec{Name: fmt.Sprint("p-", h.pods), Class: h.classes[h.rng.IntN(len(h.classes))], Run: cluster.Never}
		events = append(events, cluster.Event{Kind: cluster.PodAdded, PodSpec: spec})
	}
	for p, phase := range s.Pods.Phase {
		if (phase == cluster.Bound && h.rng.IntN(25) == 0) || (phase == cluster.Pending && h.rng.IntN(80) == 0) {
			events = append(events, cluster.Event{Kind: cluster.PodEnded, Pod: cluster.PodID(p), Node: s.Pods.Node[p]})
		}
	}
	if len(s.Nodes.Live()) < 3 || h.rng.IntN(15) == 0 {
		h.nodes++
		events = append(events, cluster.Event{Kind: cluster.NodeAdded, NodeSpec: schedulertest.RandomNode(h.rng, fmt.Sprint("n-", h.nodes))})
	}
	if live := s.Nodes.Live(); len(live) > 0 && h.rng.IntN(15) == 0 {
		events = append(events, cluster.Event{Kind: cluster.NodeRemoved, Node: live[h.rng.IntN(len(live))]})
	}
	return events
}

// TestShortcutsChangeNothing compares the scheduler, which remembers which
// classes fit nowhere and waits for room, with its slow twin.
func TestShortcutsChangeNothing(t *testing.T) {
	bound, waited := 0, 0
	for seed := range uint64(150) {
		h := &history{rng: rand.New(rand.NewPCG(seed, 3))}
		for range 1 + h.rng.IntN(12) { // few classes, so that many pods share one
			h.classes = append(h.classes, schedulertest.RandomClass(h.rng))
		}
		ties := []scheduler.Ties{scheduler.TiesLowest, scheduler.TiesRandom, scheduler.TiesKube}[seed%3]
		profile := func() *scheduler.Profile {
			pr := mustProfile(t, []*scheduler.Plugin{room, gpus, fullest}, weigh("Fullest")...)
			pr.SetTies(ties)
			return pr
		}
		h.states = [2]*cluster.State{cluster.NewState(), cluster.NewState()}
		h.ctls = [2]cluster.Controller{scheduler.New(profile()), &slowTwin{profile(), map[uint64]cluster.Time{}}}
		for step := range 120 {
			ds, wake := h.step()
			if !slices.Equal(ds[0], ds[1]) {
				t.Fatalf("seed %d, ties %v, step %d: the scheduler decides %v, its slow twin %v", seed, ties, step, ds[0], ds[1])
			}
			if wake[0] > wake[1] {
				t.Fatalf("seed %d, step %d: the scheduler wants to be woken at %d, its slow twin at %d", seed, step, wake[0], wake[1])
			}
			bound += len(ds[0])
			waited += h.states[0].Pending()
		}
	}
	if bound < 10_000 || waited < 100_000 {
		t.Errorf("only %d bindings, and pods that waited %d steps in all", bound, waited)
	}
}
