package scheduler_test

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/berthsim/berth/cluster"
	"github.com/berthsim/berth/scheduler"
	"github.com/berthsim/berth/scheduler/schedulertest"
)

// A slowTwin is a scheduler without any cleverness: a list of pods, of which each is
// looked at for every event, and every one of which is tried that may be.
type slowTwin struct {
	profile *scheduler.Profile
	pods    []*slowPod
	tries   int
	changed cluster.Time
}

type slowPod struct {
	pod                cluster.PodID
	order              uint64
	priority           int32
	state              string // active, rests after a rejection, rests after an error, waits, bound
	since              cluster.Time
	seq                int
	rejections, errors int
}

// expires says in which second the pod's rest is over.
func (sp *slowPod) expires() cluster.Time {
	n := sp.rejections
	if sp.errors > 0 {
		n = sp.errors
	}
	rest := cluster.Second
	for range n - 1 {
		rest = min(2*rest, 10*cluster.Second)
	}
	return (sp.since + rest) / cluster.Second
}

// Step implements cluster.Controller.
func (tw *slowTwin) Step(s *cluster.State, events []cluster.Event) cluster.Time {
	if len(events) > 0 {
		tw.changed = s.Now
	}
	for _, e := range events {
		room := e.Kind == cluster.NodeAdded || e.Kind == cluster.PodEnded && e.Node != cluster.None || e.Kind == cluster.Rejected
		for _, sp := range tw.pods {
			if room && sp.state == "waits" {
				tw.wake(s, sp)
			}
		}
		switch e.Kind {
		case cluster.PodAdded:
			tw.tries++
			tw.pods = append(tw.pods, &slowPod{
				pod: e.Pod, order: s.Pods.Order[e.Pod], priority: s.Class(e.Pod).Priority, state: "active", since: s.Now, seq: tw.tries,
			})
		case cluster.PodEnded:
			tw.pods = slices.DeleteFunc(tw.pods, func(sp *slowPod) bool { return sp.pod == e.Pod })
		case cluster.Rejected:
			for _, sp := range tw.pods {
				if sp.pod == e.Pod {
					tw.failed(s, sp, false)
				}
			}
		}
	}
	for _, sp := range tw.pods {
		old := s.Now/(30*cluster.Second)*30*cluster.Second-sp.since > 5*cluster.Minute
		if sp.state == "waits" && old {
			tw.wake(s, sp)
		}
		if strings.HasPrefix(sp.state, "rests") && sp.expires() < s.Now/cluster.Second {
			sp.state = "active"
		}
	}
	for sp := tw.next(); sp != nil; sp = tw.next() {
		tw.try(s, sp)
	}
	return tw.wakeAt(s)
}

// wake has a pod tried that waits.
func (tw *slowTwin) wake(s *cluster.State, sp *slowPod) {
	sp.state = "active"
	if sp.expires() >= s.Now/cluster.Second {
		sp.state = "rests after a rejection"
	}
}

// next returns the pod to be tried next: active ones first.
func (tw *slowTwin) next() (best *slowPod) {
	for _, state := range []string{"active", "rests after a rejection"} {
		for _, sp := range tw.pods {
			if sp.state == state && (best == nil || tw.before(state, sp, best)) {
				best = sp
			}
		}
		if best != nil {
			return best
		}
	}
	return nil
}

func (tw *slowTwin) before(state string, a, b *slowPod) bool {
	order := cmp.Or(cmp.Compare(b.priority, a.priority), cmp.Compare(a.seq, b.seq))
	if state != "active" {
		order = cmp.Or(cmp.Compare(a.expires(), b.expires()), order)
	}
	return order < 0
}

func (tw *slowTwin) try(s *cluster.State, sp *slowPod) {
	if n, a, ok := tw.profile.Select(s, sp.pod); ok {
		s.Bind(sp.pod, n, a)
		sp.state = "bound"
		tw.changed = s.Now
		return
	}
	tw.failed(s, sp, len(s.Nodes.Live()) > 0)
}

func (tw *slowTwin) failed(s *cluster.State, sp *slowPod, rejected bool) {
	tw.tries++
	sp.since, sp.seq = s.Now, tw.tries
	if rejected {
		sp.state, sp.errors = "waits", 0
		sp.rejections++
	} else {
		sp.state = "rests after an error"
		sp.errors++
	}
}

// wakeAt returns when anything can change by itself.
func (tw *slowTwin) wakeAt(s *cluster.State) cluster.Time {
	wake := cluster.Never
	if s.Now-tw.changed > 10*cluster.Minute {
		return wake
	}
	for _, sp := range tw.pods {
		switch sp.state {
		case "waits":
			at := s.Now / (30 * cluster.Second) * 30 * cluster.Second
			for at <= s.Now || at-sp.since <= 5*cluster.Minute {
				at += 30 * cluster.Second
			}
			wake = min(wake, at)
		case "rests after a rejection", "rests after an error":
			wake = min(wake, (sp.expires()+1)*cluster.Second)
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
	if h.rng.IntN(8) == 0 {
		now += cluster.Time(h.rng.IntN(400)) * cluster.Second
	}
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
// classes fit nowhere and asks once for many pods, with its slow twin.
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
		fast := scheduler.New(profile())
		if seed%2 == 0 {
			fast.RenumberAt(200)
		}
		h.ctls = [2]cluster.Controller{fast, &slowTwin{profile: profile()}}
		for step := range 120 {
			ds, wake := h.step()
			if !slices.Equal(ds[0], ds[1]) {
				t.Fatalf("seed %d, ties %v, step %d: the scheduler decides %v, its slow twin %v", seed, ties, step, ds[0], ds[1])
			}
			if wake[0] != wake[1] {
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
